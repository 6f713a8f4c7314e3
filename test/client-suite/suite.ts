/** What our clients promise of every Kafka: scenarios that know nothing but an address. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Consumer, type ConsumerRecord, connect, ItemsFailed, type Kafka, string } from '../../src/client/index.ts'
import { PATIENCE_MS } from '../compat/process.ts'

/** For topics with records of long ago, which a broker would delete some time after its start. */
export const KEPT = { 'retention.ms': '-1' }
export const TEXT = { key: string, value: string }
export const SCENARIO_TIMEOUT_MS = PATIENCE_MS

/** What a cluster is of: Monedula, Apache Kafka 3.9.1 with ZooKeeper, or 4.3.0 in KRaft mode. */
export type SuiteTarget = 'monedula' | 'kafka' | 'kafka43'

/** A cluster as a scenario sees it: one broker, whose id is 0, with two log directories. */
export class SuiteCluster {
  readonly bootstrap: string
  readonly target: SuiteTarget
  readonly kafka: Kafka
  #names = 0

  constructor(bootstrap: string, target: SuiteTarget) {
    this.bootstrap = bootstrap
    this.target = target
    this.kafka = connect(bootstrap)
  }

  /** A name that nothing on this cluster has yet. */
  name(kind: string): string {
    this.#names += 1
    return `${kind}-${this.#names}`
  }

  /** A new topic. */
  async topic(partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = this.name('topic')
    await using admin = this.kafka.admin()
    await admin.createTopics([{ name, partitions, configs }])
    return name
  }

  /** Publishes values `prefix0` and on, spread over a topic's partitions by turns, each with one of seven keys and a header. */
  async publish(
    topic: string,
    { count, prefix = '', partitions = 1 }: { count: number; prefix?: string; partitions?: number },
  ): Promise<void> {
    await using producer = this.kafka.producer()
    const records = Array.from({ length: count }, (_, index) => ({
      value: `${prefix}${index}`,
      key: `k${index % 7}`,
      partition: index % partitions,
      headers: { at: String(index) },
    }))
    await producer.sendBatch(topic, records)
  }

  /** The first `count` records of partition 0 of a topic, as those see it who read committed records. */
  async committed(topic: string, count: number): Promise<ConsumerRecord<string, string>[]> {
    await using consumer: Consumer<string, string> = this.kafka.consumer({ ...TEXT, isolationLevel: 'read_committed' })
    consumer.assign([{ topic, partition: 0, offset: 0 }])
    return await read(consumer, count)
  }

  async values(topic: string, count: number): Promise<(string | null)[]> {
    return (await this.committed(topic, count)).map(({ value }) => value)
  }
}

export interface Scenario {
  /** A promise. */
  readonly name: string
  /** Why a target cannot keep it. */
  readonly lacking?: { readonly [T in SuiteTarget]?: string }
  readonly run: (cluster: SuiteCluster) => Promise<void>
}

/** Whether a call of Admin failed for exactly these, the first of them for this reason. */
export const failsWith =
  (code: string, ...names: string[]) =>
  (error: unknown): true => {
    assert(error instanceof ItemsFailed, String(error))
    assert.equal(error.code, code)
    assert.deepEqual([...error.failures.keys()], names)
    return true
  }

/** The first `count` records that a consumer gives. */
export async function read<K, V>(
  consumer: AsyncIterable<ConsumerRecord<K, V>>,
  count: number,
): Promise<ConsumerRecord<K, V>[]> {
  const records: ConsumerRecord<K, V>[] = []
  if (count === 0) return records
  for await (const record of consumer) if (records.push(record) === count) break
  return records
}

/** `'0'` to `'count - 1'`. */
export const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))

export const sorted = (values: Iterable<string | null>): (string | null)[] =>
  [...values].sort((a, b) => Number(a) - Number(b))

/** Other brokers hear of a change a moment after the controller has answered; the test's time is the limit. */
export async function eventually<T>(look: () => Promise<T>, wanted: T): Promise<void> {
  while ((await look().catch(() => undefined)) !== wanted) await new Promise(resolve => setTimeout(resolve, 10))
}

/** Lets the loop turn until something holds; the test's time is the limit. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 1))
}

/** Runs scenarios as tests against Monedula, each with a cluster that `open` gives. */
export function runScenarios(
  scenarios: readonly Scenario[],
  open: () => Promise<{ readonly cluster: SuiteCluster; readonly close: () => Promise<void> }>,
): void {
  for (const { name, lacking, run } of scenarios) {
    test(name, { timeout: SCENARIO_TIMEOUT_MS, skip: lacking?.monedula ?? false }, async () => {
      const { cluster, close } = await open()
      try {
        await run(cluster)
      } finally {
        await close()
      }
    })
  }
}
