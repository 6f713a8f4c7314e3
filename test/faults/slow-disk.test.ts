/** A disk that dawdles while producers send as fast as they can: they are held back, memory is not, and others go on. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { framed, requestFrame } from '../../scripts/fuzz/wire-client.ts'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { until } from '../compat/process.ts'
import { withFrailDirectory } from './frail-directory.ts'
import { GroupClient } from './group-client.ts'
import { FaultInForce } from './system-call-faults.ts'
import { acknowledged, type TwoDirectories, withTwoDirectories } from './two-directories.ts'

const SYNCED = { 'log.flush.interval.messages': '1', 'offsets.topic.num.partitions': '1' }
const FLOOD = 'flood'
const PRODUCERS = 6
/** Of each request. */
const RECORD_BYTES = 100_000
const SLOW_CALLS = 30
/** More than the requests of all connections that may be in work, and far less than what is sent. */
const MEMORY_MIB = 150
const HEALTHY_RECORDS = 50

/** Sends whole requests for as long as the socket takes them, and does not wait for answers. */
class Flood {
  readonly #sockets: Socket[]
  /** Requests answered. */
  answered = 0

  constructor(port: number, partitions: readonly number[]) {
    const record = { value: Buffer.alloc(RECORD_BYTES, 7) }
    this.#sockets = Array.from({ length: PRODUCERS }, (_, index) => {
      const partitionData = [
        { index: partitions[index % partitions.length]!, records: p.encodeBatch({ records: [record] }) },
      ]
      const body = { acks: -1, timeoutMs: 60_000, topicData: [{ name: FLOOD, partitionData }] }
      return this.#send(port, framed(requestFrame(p.ProduceRequest, 8, { body })))
    })
  }

  #send(port: number, request: Uint8Array): Socket {
    const socket = connect(port, '127.0.0.1')
    const sendMore = (): void => {
      while (socket.write(request));
    }
    let received = Buffer.alloc(0)
    return socket
      .on('connect', sendMore)
      .on('drain', sendMore)
      .on('error', () => undefined)
      .on('data', bytes => {
        received = Buffer.concat([received, bytes])
        while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
          received = received.subarray(4 + received.readInt32BE(0))
          this.answered++
        }
      })
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

function residentMib({ pid }: BrokerProcess): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
}

/** Partitions of the flood whose logs are in the directory that the fault strikes, and their files. */
async function floodIn(frail: string, broker: BrokerProcess): Promise<{ partitions: number[]; files: string[] }> {
  await createTopics(broker, [{ topic: FLOOD, numPartitions: 4 }])
  const names = readdirSync(frail).filter(name => name.startsWith(`${FLOOD}-`))
  const partitions = names.map(name => Number(name.slice(FLOOD.length + 1)))
  return { partitions, files: names.map(name => join(frail, name, `${'0'.repeat(20)}.log`)) }
}

test('while each fsync of a directory takes 300 ms, producers at full speed are held back, and memory and others are not touched', async context => {
  await withFrailDirectory(context, async frail => {
    let counts: Record<string, number> = {}
    const audit = await withTwoDirectories(frail, SYNCED, async parts => {
      counts = await flooded(frail, parts)
    })
    return { ...counts, ...audit }
  })
})

async function flooded(frail: string, parts: TwoDirectories): Promise<Record<string, number>> {
  const { broker, load, healthy } = parts
  const { partitions, files } = await floodIn(frail, broker)
  const member = new GroupClient(broker.port, { groupId: 'beside', sessionTimeoutMs: 10_000 })
  await member.enter()
  const before = residentMib(broker)
  const struck = [...files, ...parts.files('.log'), ...parts.filesToCome('log')]
  const what = { calls: ['fsync', 'fdatasync'], effect: 'delay_enter=300000', files: struck }
  const fault = await FaultInForce.on(broker.pid, what)
  const healthyBefore = acknowledged(load, healthy)
  const flood = new Flood(broker.port, partitions)
  const healthyDone = (): number => acknowledged(load, healthy) - healthyBefore
  let [most, beats] = [0, 0]
  const goesOn = (): boolean =>
    fault.fired < SLOW_CALLS || healthyDone() < HEALTHY_RECORDS || flood.answered < SLOW_CALLS
  const done = (): string =>
    `${fault.fired} slow calls, ${healthyDone()} records in the other directory, ${flood.answered} answers`
  await until(done, async () => {
    assert.equal(await member.heartbeat(), 'NONE')
    beats++
    most = Math.max(most, residentMib(broker))
    return !goesOn()
  })
  const slow = fault.fired
  flood.stop()
  member.close()
  await fault.lift()
  assert.ok(most < before + MEMORY_MIB, `${before} MiB became ${most}`)
  return {
    'slow calls': slow,
    'requests of the flood answered': flood.answered,
    'records acknowledged beside it': healthyDone(),
    heartbeats: beats,
    'MiB resident before': Math.round(before),
    'at most': Math.round(most),
  }
}
