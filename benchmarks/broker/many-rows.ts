/** Many of everything on one broker: partitions, connections, groups. */
import { connect, type Socket } from 'node:net'
import { sleep } from '../../test/compat/process.ts'
import type { Contender } from './contender.ts'
import { startGroups } from './group-members.ts'
import { cpuPercent, ownRow, restart, START_TIMEOUT_MS, seconds, secondsOf } from './own-row.ts'
import { untilLeaders } from './partition-leaders.ts'
import type { Figure, Row } from './row.ts'

const IDLE_MS = 10_000
const PARTITIONS_OF_A_TOPIC = 1_000
/** Until what a start leaves to do has been done. */
const SETTLE_MS = 5_000
const CONNECTIONS = 5_000
const GROUPS = 500

const percent = (name: string): Figure => ({ name, unit: '% of a core', digits: 2 })

function partitionsRow(id: string, count: number): Row {
  return ownRow({
    id,
    title: `${count} partitions: created topic by topic, until all have leaders; stopped and started; idle`,
    figures: [
      seconds('create'),
      seconds('stop'),
      seconds('start'),
      percent('idle CPU'),
      { name: 'RSS', unit: 'KiB a partition', digits: 1 },
    ],
    quick: false,
    measure: async contender => {
      const empty = contender.residentMiB.now
      const create = await secondsOf(async () => {
        for (let made = 0; made < count; made += PARTITIONS_OF_A_TOPIC) await contender.newTopic(PARTITIONS_OF_A_TOPIC)
        await untilLeaders(contender.broker.port, count, START_TIMEOUT_MS)
      })
      const stop = await secondsOf(() => contender.broker.stop())
      const start = await restart(contender, count)
      await sleep(SETTLE_MS)
      const idle = await cpuPercent(contender, () => sleep(IDLE_MS))
      return [create, stop, start, idle, ((contender.residentMiB.now - empty) * 1_024) / count]
    },
  })
}

/** Opens connections that say nothing, some at a time. */
async function openIdle(contender: Contender, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: 200 }, () => connect({ host: '127.0.0.1', port: contender.broker.port }))
    await Promise.all(
      some.map(
        socket =>
          new Promise((resolve, reject) => {
            socket.once('connect', resolve).once('error', reject)
          }),
      ),
    )
    sockets.push(...some)
  }
  return sockets
}

const connectionsRow = ownRow({
  id: 'idle-connections',
  title: `${CONNECTIONS} idle connections`,
  figures: [{ name: 'RSS', unit: 'KiB a connection', digits: 1 }, percent('idle CPU')],
  quick: false,
  measure: async contender => {
    await sleep(SETTLE_MS)
    const before = contender.residentMiB.now
    const sockets = await openIdle(contender, CONNECTIONS)
    await sleep(SETTLE_MS)
    const idle = await cpuPercent(contender, () => sleep(IDLE_MS))
    const grown = ((contender.residentMiB.now - before) * 1_024) / CONNECTIONS
    for (const socket of sockets) socket.destroy()
    return [grown, idle]
  },
})

const groupsRow = ownRow({
  id: 'groups',
  title: `${GROUPS} groups of one member, each with a heartbeat and a commit a second`,
  figures: [seconds('until all are stable'), percent('CPU')],
  quick: false,
  measure: async contender => {
    const topic = await contender.newTopic(1)
    const groups = startGroups(contender.broker.port, topic, GROUPS)
    try {
      const joining = await secondsOf(() => groups.stable)
      const busy = await cpuPercent(contender, () => groups.live(IDLE_MS))
      return [joining, busy]
    } finally {
      groups.close()
    }
  },
})

/** Every measurement of many. */
export const manyRows: readonly Row[] = [
  partitionsRow('restart', 3_000),
  partitionsRow('partitions-10000', 10_000),
  connectionsRow,
  groupsRow,
]
