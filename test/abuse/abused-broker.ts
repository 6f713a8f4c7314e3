/** A broker process that is abused while a bystander uses it and its metrics are watched. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { framed, requestFrame, type WireClient } from '../../scripts/fuzz/wire-client.ts'
import * as p from '../../src/protocol/everything.ts'
import { BrokerProcess } from '../compat/broker-process.ts'
import { connectTo } from '../compat/connect-to.ts'
import { freePort } from '../compat/metadata-probe.ts'
import { sleep, until } from '../compat/process.ts'
import type { Experience, Percentiles } from './bystander.ts'
import { LineAnswers } from './line-answers.ts'
import type { Turns } from './turn-watch.ts'

export const API_VERSIONS = [p.ApiVersionsRequest, p.ApiVersionsResponse] as const
export const CREATE_TOPICS = [p.CreateTopicsRequest, p.CreateTopicsResponse] as const
export const DELETE_TOPICS = [p.DeleteTopicsRequest, p.DeleteTopicsResponse] as const
export const METADATA = [p.MetadataRequest, p.MetadataResponse] as const
export const FETCH = [p.FetchRequest, p.FetchResponse] as const
export const PRODUCE = [p.ProduceRequest, p.ProduceResponse] as const

/**
 * Latencies below this are no harm, whatever they are a multiple of: nothing may hold the event loop for longer than 200
 * ms, and a request may have to wait twice. On a machine that others use the p99 of a quiet broker is a hundredth of it,
 * and twice that is noise. What the machine gave to others while the broker was ready does not count.
 */
const HARMLESS_MS = 400
/**
 * CPU time is no longer on a machine that others use. For an answer of the bystander the loop does no more work than this, however many
 * others ask for some, and no client can make one turn longer.
 */
const MOST_WORK_MS = 300
/** The unit of `/proc/PID/stat`. */
const TICK_MS = 10
const BASELINE_MS = 2_000
/** From so many answers on the bystander has something to tell. */
const ENOUGH_ANSWERS = 20
const MIB = 1024 * 1024
const QUEUED = 'kafka_network_socketserver_queuedbytes'

export interface AbuseOptions {
  readonly properties?: Readonly<Record<string, string>>
  /** Flags of Node. */
  readonly flags?: readonly string[]
  /** `ulimit -n` of the broker. */
  readonly descriptors?: number
}

/** What an attack did to others. */
export interface Harm {
  readonly baseline: Experience
  readonly during: Experience
}

export class AbusedBroker {
  readonly #broker: BrokerProcess
  readonly #metricsPort: number
  readonly #bystander: ChildProcess
  readonly #experiences: LineAnswers
  readonly #turns: LineAnswers

  private constructor(parts: { broker: BrokerProcess; metricsPort: number; watch: Socket }) {
    this.#broker = parts.broker
    this.#metricsPort = parts.metricsPort
    this.#turns = new LineAnswers(parts.watch, parts.watch)
    const program = fileURLToPath(new URL('bystander.js', import.meta.url))
    this.#bystander = spawn(process.execPath, [program, `${parts.broker.port}`, 'bystander', `${parts.broker.pid}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#experiences = new LineAnswers(this.#bystander.stdin!, this.#bystander.stdout!)
  }

  /** Runs `body` with a broker that has a topic `bystander`, and ends everything after it. */
  static async run(options: AbuseOptions, body: (broker: AbusedBroker) => Promise<void>): Promise<void> {
    const metricsPort = await freePort()
    const watches = createServer()
    const watched = once(watches, 'connection')
    await once(watches.listen(0, '127.0.0.1'), 'listening')
    const broker = await BrokerProcess.start({
      target: 'monedula',
      properties: {
        'monedula.metrics.port': `${metricsPort}`,
        'offsets.topic.num.partitions': '2',
        'log.segment.delete.delay.ms': '100',
        ...options.properties,
      },
      flags: ['--import', new URL('turn-watch.js', import.meta.url).href, ...(options.flags ?? [])],
      env: { TURN_WATCH_PORT: `${(watches.address() as AddressInfo).port}` },
      ...(options.descriptors !== undefined && { descriptors: options.descriptors }),
    })
    try {
      const client = await connectTo(broker.port)
      await createTopics(client, [{ name: 'bystander' }])
      client.close()
      const [watch] = (await watched) as [Socket]
      const abused = new AbusedBroker({ broker, metricsPort, watch })
      try {
        await body(abused)
      } finally {
        abused.#bystander.kill('SIGKILL')
      }
    } finally {
      watches.close()
      await broker.dispose()
    }
  }

  get port(): number {
    return this.#broker.port
  }

  get pid(): number {
    return this.#broker.pid
  }

  get log(): string {
    return this.#broker.log
  }

  connect(): Promise<WireClient> {
    return connectTo(this.port)
  }

  /** Resident memory in MiB: now, and the most it ever was. */
  get residentMiB(): { readonly now: number; readonly peak: number } {
    const status = readFileSync(`/proc/${this.#broker.pid}/status`, 'utf8')
    const mebibytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
    return { now: mebibytes('VmRSS'), peak: mebibytes('VmHWM') }
  }

  /** The value of a metric now. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`)
    const found = new RegExp(`^${name} (\\S+)`, 'm').exec(await response.text())
    assert.ok(found, `no metric ${name}`)
    return Number(found[1])
  }

  /** How the bystander has fared since it was last asked. */
  async bystander(): Promise<Experience> {
    return JSON.parse(await this.#experiences.ask('experience'))
  }

  /** Whether the bystander has had answers enough since it was last asked: on a slow machine an attack has to be longer for that. */
  async canTell(): Promise<boolean> {
    return Number(await this.#experiences.ask('count')) > ENOUGH_ANSWERS
  }

  /** Waits, in the midst of an attack that goes on by itself, for this long, and until there is something to tell. */
  async lets(ms: number): Promise<void> {
    await sleep(ms)
    await until('the bystander has answers enough', () => this.canTell(), 50)
  }

  /** What turns the event loop has had since this was last asked. */
  async turns(): Promise<Turns> {
    return JSON.parse(await this.#turns.ask('turns'))
  }

  /**
   * Runs an attack and asserts that the bystander was not kept from its work: 99 of 100 answers took less than twice as
   * long as before, or less than {@link HARMLESS_MS}; for 99 of 100 the event loop worked for less than {@link MOST_WORK_MS}, on whatever it
   * put first; and no turn of the loop was longer than that. Then that the broker is well and nothing of the
   * attack is left in its queues.
   */
  async endures(what: string, attack: () => Promise<void>): Promise<void> {
    await this.bystander()
    await this.lets(BASELINE_MS)
    const baseline = await this.bystander()
    await this.turns()
    const [startMs, brokerMs, attackersMs] = [performance.now(), processMs(this.pid), processMs(process.pid)]
    await attack()
    const tookMs = performance.now() - startMs
    const during = await this.bystander()
    const turns = await this.turns()
    const share = (ms: number): string => `${((100 * ms) / tookMs).toFixed(0)} %`
    const { now, peak } = this.residentMiB
    console.log(
      `# ${what}, ${tookMs.toFixed(0)} ms: bystander ${during.answered} answers, waits ${text(baseline.clock)} -> ${text(during.clock)} ms ` +
        `(${baseline.p99Ms.toFixed(1)} -> ${during.p99Ms.toFixed(1)} without what the machine took), ` +
        `work of the loop meanwhile ${text(baseline.work)} -> ${text(during.work)} ms, longest turn ${turns.longestMs.toFixed(1)} ms; ` +
        `CPU of the loop ${share(turns.sumMs)}, of the broker ${share(processMs(this.pid) - brokerMs)}, ` +
        `of the attackers ${share(processMs(process.pid) - attackersMs)}; RSS ${now.toFixed(0)} MiB, peak ${peak.toFixed(0)} MiB`,
    )
    assert.ok(during.answered > ENOUGH_ANSWERS, `the attack was too short to tell: ${during.answered} answers`)
    assert.ok(
      during.p99Ms < Math.max(2 * baseline.p99Ms, HARMLESS_MS),
      `${what}: p99 of the bystander was ${during.p99Ms} ms, before ${baseline.p99Ms}`,
    )
    assert.ok(during.work.p99Ms < MOST_WORK_MS, `${what}: for 1 of 100 answers the loop worked ${during.work.p99Ms} ms`)
    assert.ok(turns.longestMs < MOST_WORK_MS, `${what}: a turn of the loop took ${turns.longestMs} ms of CPU time`)
    await this.assertWell()
  }

  /** The broker serves, holds no request's memory, and has nothing to complain of. */
  async assertWell(): Promise<void> {
    const client = await this.connect()
    assert.equal((await client.call(API_VERSIONS, 0, {})).errorCode, 0)
    client.close()
    // The bystander's own request may be in progress at any moment.
    await until('the queues are empty', async () => (await this.metric(QUEUED)) < 10_000, 50)
    assert.doesNotMatch(this.log, /^\[.*\] (ERROR|FATAL)/m)
  }

  /** Waits until no more than `limitMiB` are resident. */
  async untilResident(limitMiB: number): Promise<void> {
    await until(`at most ${limitMiB.toFixed(0)} MiB are resident`, () => this.residentMiB.now <= limitMiB, 50)
  }
}

/** CPU time of all threads of a process so far. */
function processMs(pid: number): number {
  const [userTicks, systemTicks] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ').slice(11)
  return (Number(userTicks) + Number(systemTicks)) * TICK_MS
}

function text({ p50Ms, p99Ms }: Percentiles): string {
  return `${p50Ms.toFixed(1)}/${p99Ms.toFixed(1)}`
}

export interface WantedTopic {
  readonly name: string
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

/** Creates topics in one request and asserts that each came to be. */
export async function createTopics(client: WireClient, topics: readonly WantedTopic[]): Promise<void> {
  const created = await client.call(CREATE_TOPICS, 4, {
    topics: topics.map(({ name, partitions = 1, configs = {} }) => ({
      name,
      numPartitions: partitions,
      replicationFactor: 1,
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    })),
    timeoutMs: 60_000,
  })
  assert.deepEqual(
    created.topics.filter(({ errorCode }) => errorCode !== 0),
    [],
  )
}

/** Produce with acks=1 of these records to partition 0. */
export function produceBody(topic: string, records: Uint8Array): p.MessageInput<typeof p.ProduceRequest> {
  return { acks: 1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] }
}

/** Fetch of these partitions from offset 0. */
export function fetchBody(
  topic: string,
  partitions: readonly number[],
  partitionMaxBytes = 50 * MIB,
): p.MessageInput<typeof p.FetchRequest> {
  return {
    maxWaitMs: 0,
    minBytes: 0,
    sessionId: 0,
    sessionEpoch: 0,
    topics: [{ topic, partitions: partitions.map(partition => ({ partition, fetchOffset: 0, partitionMaxBytes })) }],
  }
}

export { framed, requestFrame }
