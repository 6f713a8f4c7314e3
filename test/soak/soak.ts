/**
 * A broker that is killed and stopped in turns, every twenty seconds, while the clients of `monedula` go on: `npm run soak`
 * for ten minutes, `npm run soak -- --minutes 2` for two. At the end as many records have to be in the log as were
 * acknowledged, each read, and memory has to be where it was.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect, type Kafka, string } from '../../src/client/index.ts'
import { BrokerProcess } from '../compat/broker-process.ts'
import { FlatMemory, mebibytes } from './flat-memory.ts'

const RESTART_EVERY_MS = 20_000
const BATCH = 40
const BATCH_EVERY_MS = 20
/** Batches that may wait for their acknowledgement before the producer pauses. */
const MAX_WAITING = 250
const CATCH_UP_MS = 60_000
const [TOPIC, PARTITIONS] = ['soak', 4]

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } })
const lastsMs = Number(values.minutes) * 60_000
if (!(lastsMs > 0)) throw new Error(`--minutes ${values.minutes}: give a number above 0`)

/** What was sent, acknowledged and read; records are numbered from 0. */
class Tally {
  sent = 0
  acknowledged = 0
  /** Records read at least once, and readings beyond the first. */
  read = 0
  again = 0
  readonly #isRead = new Uint8Array(Math.ceil((lastsMs / BATCH_EVERY_MS) * BATCH))

  get isFull(): boolean {
    return this.sent + BATCH > this.#isRead.length
  }

  noteRead(number: number): void {
    if (this.#isRead[number] === 1) this.again += 1
    else this.read += 1
    this.#isRead[number] = 1
  }

  toString(): string {
    return `sent ${this.sent}, acknowledged ${this.acknowledged}, read ${this.read} and ${this.again} again`
  }
}

async function produce(kafka: Kafka, tally: Tally, signal: AbortSignal): Promise<void> {
  await using producer = kafka.producer({ acks: 'all', deliveryTimeoutMs: 120_000 })
  const waiting = new Set<Promise<unknown>>()
  while (!signal.aborted && !tally.isFull) {
    await sleep(BATCH_EVERY_MS)
    if (waiting.size >= MAX_WAITING) continue
    const records = Array.from({ length: BATCH }, (_, index) => {
      const number = tally.sent + index
      return { key: `${number}`, value: `${number} ${'x'.repeat(80)}` }
    })
    tally.sent += BATCH
    const sending = producer.sendBatch(TOPIC, records).then(() => {
      tally.acknowledged += BATCH
      waiting.delete(sending)
    })
    waiting.add(sending)
  }
  await Promise.all(waiting)
}

async function consume(kafka: Kafka, tally: Tally, signal: AbortSignal): Promise<void> {
  const options = { groupId: 'soak', autoOffsetReset: 'earliest', autoCommitIntervalMs: 1_000 } as const
  await using consumer = kafka.consumer({ ...options, value: string })
  consumer.subscribe(TOPIC)
  signal.addEventListener('abort', () => void consumer.close())
  for await (const { value } of consumer) tally.noteRead(Number.parseInt(value!, 10))
}

/** Restarts the broker again and again; returns how often each way. */
async function restart(broker: BrokerProcess, look: () => void, signal: AbortSignal) {
  const counts = { kills: 0, stops: 0 }
  const endsAt = Date.now() + lastsMs
  while (Date.now() + RESTART_EVERY_MS <= endsAt && !signal.aborted) {
    await sleep(RESTART_EVERY_MS)
    look()
    if (counts.kills > counts.stops) {
      await broker.stop()
      counts.stops += 1
    } else {
      await broker.killHard()
      counts.kills += 1
    }
    await broker.restart()
  }
  await sleep(Math.max(0, endsAt - Date.now()))
  return counts
}

async function soak(): Promise<string[]> {
  const broker = await BrokerProcess.start({ target: 'monedula', properties: { 'num.partitions': `${PARTITIONS}` } })
  const kafka = connect(broker.bootstrap)
  const tally = new Tally()
  const client = new FlatMemory('heap of the clients')
  const server = new FlatMemory('the broker, resident')
  const [producing, consuming] = [new AbortController(), new AbortController()]
  try {
    await using admin = kafka.admin()
    await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 1 }])
    const begin = Date.now()
    const clients = [produce(kafka, tally, producing.signal), consume(kafka, tally, consuming.signal)] as const
    const look = (): void => {
      globalThis.gc?.()
      const { rss, heapUsed } = process.memoryUsage()
      client.note(heapUsed)
      server.note(residentBytes(broker.pid))
      const seconds = Math.round((Date.now() - begin) / 1_000)
      const memory = `clients ${mebibytes(heapUsed)} MiB heap, ${mebibytes(rss)} resident; broker ${mebibytes(server.last)}`
      console.log(`${seconds} s: ${tally}; ${memory}`)
    }
    const counts = await Promise.race([restart(broker, look, producing.signal), Promise.all(clients)])
    producing.abort()
    await clients[0]
    for (const endsAt = Date.now() + CATCH_UP_MS; tally.read < tally.acknowledged && Date.now() < endsAt; )
      await sleep(50)
    consuming.abort()
    await clients[1]
    const ends = await admin.listOffsets(
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition, at: 'latest' as const })),
    )
    const inLog = ends.reduce((sum, { offset }) => sum + offset, 0)
    if (Array.isArray(counts)) return ['the clients came to an end before their time']
    console.log(`${counts.kills} times kill -9, ${counts.stops} times SIGTERM; ${tally}; ${inLog} in the log`)
    return [...wrong(tally, inLog), ...client.growth(), ...server.growth()]
  } finally {
    producing.abort()
    consuming.abort()
    await broker.dispose()
  }
}

function wrong({ sent, acknowledged, read }: Tally, inLog: number): string[] {
  const all = { sent, acknowledged, read, 'in the log': inLog }
  const others = Object.entries(all).filter(([, count]) => count !== sent || count === 0)
  return others.map(([what, count]) => `${sent} records were sent, ${count} are ${what}`)
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

const failures = await soak()
for (const failure of failures) console.log(`FAILED: ${failure}`)
console.log(failures.length === 0 ? 'counts are equal, memory is flat' : `${failures.length} failures`)
process.exitCode = failures.length === 0 ? 0 : 1
