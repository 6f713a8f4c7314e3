/** Start, memory, a large topic and recovery: each with one broker alone on the machine. */
import { sleep } from '../../test/compat/process.ts'
import { mebibytes, ownRow, restart, START_TIMEOUT_MS, seconds, secondsOf } from './own-row.ts'
import { untilLeaders } from './partition-leaders.ts'
import { consume, produce } from './rdkafka-performance.ts'
import { GB, type Row } from './row.ts'

const IDLE_MS = 5_000
const MANY_PARTITIONS = 1_000
/** Longer than the session that ZooKeeper still holds of a killed broker. */
const SESSION_MS = 6_000

const startRow = ownRow({
  id: 'start',
  title: 'start on the data of a clean stop, to the first Metadata answer; memory when idle',
  figures: [seconds('start'), mebibytes('RSS idle')],
  quick: true,
  measure: async contender => {
    await contender.broker.stop()
    const start = await restart(contender, 0)
    await sleep(IDLE_MS)
    return [start, contender.residentMiB.now]
  },
})

const memoryRow = ownRow({
  id: 'memory',
  title: 'memory after 1 KiB records were produced and consumed, 6 partitions',
  figures: [mebibytes('RSS'), mebibytes('peak RSS')],
  quick: true,
  measure: async (contender, scale) => {
    const topic = await contender.newTopic(6)
    const records = Math.round(1_000_000 * scale.load)
    const load = { bootstrap: contender.bootstrap, topic, partitions: 6, records, recordBytes: 1_024 }
    await produce(load)
    await consume(load)
    const { now, peak } = contender.residentMiB
    return [now, peak]
  },
})

const createRow = ownRow({
  id: 'partitions',
  title: `create a topic of ${MANY_PARTITIONS} partitions, until all have leaders`,
  figures: [seconds('time')],
  quick: true,
  measure: async contender => [
    await secondsOf(async () => {
      await contender.newTopic(MANY_PARTITIONS)
      await untilLeaders(contender.broker.port, MANY_PARTITIONS, START_TIMEOUT_MS)
    }),
  ],
})

/** Kafka ends with NodeExists until ZooKeeper has given up the killed broker; it is started again until it stays. */
const killedRow: Row = {
  id: 'killed',
  title: 'start one second after kill -9, tried until it stays up',
  figures: [seconds('until it answers')],
  ownsBroker: true,
  warmUps: 0,
  quick: false,
  measure: async contender => {
    await contender.start({ 'zookeeper.session.timeout.ms': '18000' })
    try {
      await contender.newTopic(1)
      await contender.broker.killHard()
      await sleep(1_000)
      return [await secondsOf(() => contender.broker.restart())]
    } finally {
      await contender.dispose()
    }
  },
}

const recoveryRow = ownRow({
  id: 'recovery',
  title: 'recovery of one partition after kill -9, start included',
  figures: [{ name: 'rate', unit: 'MB/s', digits: 0 }, seconds('time')],
  quick: true,
  measure: async (contender, scale) => {
    const topic = await contender.newTopic(1)
    // Just below the size of one segment: what was rolled has been flushed and needs no recovery.
    const records = Math.round(900_000 * scale.load)
    const recordBytes = 1_024
    await produce({ bootstrap: contender.bootstrap, topic, partitions: 1, records, recordBytes })
    await contender.broker.killHard()
    if (contender.target === 'kafka') await sleep(SESSION_MS + 1_500)
    const time = await restart(contender, 1)
    return [((records * recordBytes) / GB) * (1_000 / time), time]
  },
})

/** Every measurement that needs a broker of its own. */
export const lifecycleRows: readonly Row[] = [startRow, memoryRow, createRow, killedRow, recoveryRow]
