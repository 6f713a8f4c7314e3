/** A broker process that is abused while a bystander uses it and its metrics are watched. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { framed, requestFrame, type WireClient } from '../../scripts/fuzz/wire-client.ts'
import * as p from '../../src/protocol/everything.ts'
import { BrokerProcess } from '../compat/broker-process.ts'
import { connectTo } from '../compat/connect-to.ts'
import { freePort } from '../compat/metadata-probe.ts'
import { sleep, until } from '../compat/process.ts'
import type { Experience } from './bystander.ts'

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
  readonly #answers: Interface

  private constructor(parts: { broker: BrokerProcess; metricsPort: number }) {
    this.#broker = parts.broker
    this.#metricsPort = parts.metricsPort
    const program = fileURLToPath(new URL('bystander.js', import.meta.url))
    this.#bystander = spawn(process.execPath, [program, `${parts.broker.port}`, 'bystander', `${parts.broker.pid}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#answers = createInterface({ input: this.#bystander.stdout! })
  }

  /** Runs `body` with a broker that has a topic `bystander`, and ends everything after it. */
  static async run(options: AbuseOptions, body: (broker: AbusedBroker) => Promise<void>): Promise<void> {
    const metricsPort = await freePort()
    const broker = await BrokerProcess.start({
      target: 'monedula',
      properties: {
        'monedula.metrics.port': `${metricsPort}`,
        'offsets.topic.num.partitions': '2',
        'log.segment.delete.delay.ms': '100',
        ...options.properties,
      },
      ...(options.flags && { flags: options.flags }),
      ...(options.descriptors !== undefined && { descriptors: options.descriptors }),
    })
    try {
      const client = await connectTo(broker.port)
      await createTopics(client, [{ name: 'bystander' }])
      client.close()
      const abused = new AbusedBroker({ broker, metricsPort })
      try {
        await body(abused)
      } finally {
        abused.#bystander.kill('SIGKILL')
      }
    } finally {
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
    return JSON.parse(await this.#ask('experience'))
  }

  /** Whether the bystander has had answers enough since it was last asked: on a slow machine an attack has to be longer for that. */
  async canTell(): Promise<boolean> {
    return Number(await this.#ask('count')) > ENOUGH_ANSWERS
  }

  /** Waits, in the midst of an attack that goes on by itself, for this long, and until there is something to tell. */
  async lets(ms: number): Promise<void> {
    await sleep(ms)
    await until('the bystander has answers enough', () => this.canTell(), 50)
  }

  #ask(question: 'experience' | 'count'): Promise<string> {
    const line = new Promise<string>((resolve, reject) => {
      const lost = (): void => reject(new Error('the bystander lost its connection'))
      this.#answers.once('close', lost)
      this.#answers.once('line', answer => {
        this.#answers.off('close', lost)
        resolve(answer)
      })
    })
    this.#bystander.stdin!.write(`${question}\n`)
    return line
  }

  /**
   * Runs an attack and asserts that the bystander was not kept from its work: 99 of 100 answers took less than twice as
   * long as before, or less than {@link HARMLESS_MS}. Then that the broker is well and nothing of the attack is left in
   * its queues.
   */
  async endures(what: string, attack: () => Promise<void>): Promise<void> {
    await this.bystander()
    await this.lets(BASELINE_MS)
    const baseline = await this.bystander()
    await this.metric('nodejs_eventloop_lag_max_seconds')
    const startMs = performance.now()
    await attack()
    const tookMs = performance.now() - startMs
    const during = await this.bystander()
    const stallMs = 1_000 * (await this.metric('nodejs_eventloop_lag_max_seconds'))
    const { now, peak } = this.residentMiB
    console.log(
      `# ${what}, ${tookMs.toFixed(0)} ms: bystander ${during.answered} answers, ` +
        `p99 ${during.p99Ms.toFixed(1)} ms (by the clock ${during.p99WallMs.toFixed(1)}, before ${baseline.p99Ms.toFixed(1)}), ` +
        `longest stall ${stallMs.toFixed(0)} ms, RSS ${now.toFixed(0)} MiB, peak ${peak.toFixed(0)} MiB`,
    )
    assert.ok(during.answered > ENOUGH_ANSWERS, `the attack was too short to tell: ${during.answered} answers`)
    assert.ok(
      during.p99Ms < Math.max(2 * baseline.p99Ms, HARMLESS_MS),
      `${what}: p99 of the bystander was ${during.p99Ms} ms, before ${baseline.p99Ms}`,
    )
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
