/** A broker with a healthy log directory and one that a fault will strike, and a topic with partitions in both. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { until } from '../compat/process.ts'
import { IdempotentLoad, RECORDS_A_BATCH } from './idempotent-load.ts'
import { withBroker } from './with-broker.ts'

const TOPIC = { name: 'numbers', partitions: 4 }
/** In which the load makes new segments for sure. */
const OFFSETS_AHEAD = 1_000
const STORAGE_ERRORS = ['KAFKA_STORAGE_ERROR', 'NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_TOPIC_OR_PARTITION']

export interface TwoDirectories {
  readonly broker: BrokerProcess
  readonly topic: string
  readonly load: IdempotentLoad
  /** Partitions in the directory that the fault will strike, and the others. */
  readonly struck: readonly number[]
  readonly healthy: readonly number[]
  /** Absolute paths of the files of the struck partitions whose names end so. */
  files(ending: string): string[]
  /** Of the segments that the load will roll to, the files of a kind, as `log`. */
  filesToCome(kind: string): string[]
}

export interface TwoDirectoriesOptions {
  /** False where the records of the struck directory are gone for good. */
  readonly isAudited?: boolean
  /** See `BrokerOptions`. */
  readonly launcher?: readonly string[]
}

/** Runs `body` with a load under way on all partitions, audits it afterwards, and gives the audit. */
export async function withTwoDirectories(
  frail: string,
  properties: Readonly<Record<string, string>>,
  body: (parts: TwoDirectories) => Promise<void>,
  { isAudited = true, launcher = [] }: TwoDirectoriesOptions = {},
): Promise<{ acknowledged: number; stored: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'monedula-two-'))
  const dirs = { 'log.dirs': `${join(directory, 'logs')},${frail}` }
  let audit = { acknowledged: 0, stored: 0 }
  try {
    await withBroker({ directory, launcher, properties: { ...dirs, ...properties } }, async broker => {
      const configEntries = [{ name: 'segment.bytes', value: '65536' }]
      await createTopics(broker, [{ topic: TOPIC.name, numPartitions: TOPIC.partitions, configEntries }])
      const load = new IdempotentLoad(broker.port, TOPIC, 1_000)
      await load.start()
      await load.more(100)
      const all = Array.from({ length: TOPIC.partitions }, (_, index) => index)
      const struck = all.filter(index => readdirSync(frail).includes(`${TOPIC.name}-${index}`))
      const healthy = all.filter(index => !struck.includes(index))
      assert.ok(struck.length > 0 && healthy.length > 0, 'each directory has partitions')
      const files = (ending: string): string[] =>
        struck.flatMap(index => {
          const partition = join(frail, `${TOPIC.name}-${index}`)
          return readdirSync(partition)
            .filter(name => name.endsWith(ending))
            .map(name => join(partition, name))
        })
      /** It writes batches of five records, and goes on while somebody prepares a fault. */
      const filesToCome = (kind: string): string[] =>
        struck.flatMap(index => {
          const end = load.acknowledgedIn(index)
          return Array.from({ length: OFFSETS_AHEAD / RECORDS_A_BATCH }, (_, batch) => {
            const name = `${String(end + (batch + 1) * RECORDS_A_BATCH).padStart(20, '0')}.${kind}`
            return join(frail, `${TOPIC.name}-${index}`, name)
          })
        })
      try {
        await body({ broker, topic: TOPIC.name, load, struck, healthy, files, filesToCome })
      } finally {
        await load.stop()
      }
      if (!isAudited) return
      audit = await load.audit()
      assert.ok(audit.acknowledged > 0, 'something was acknowledged')
    })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return audit
}

/** Waits until appends to every struck partition stop; returns how many storage errors there were. */
export async function untilRefused({ load, struck }: TwoDirectories): Promise<number> {
  const errors = (): number => STORAGE_ERRORS.reduce((sum, name) => sum + (load.errors.get(name) ?? 0), 0)
  const before = errors()
  await until(
    () => `no storage error came: ${JSON.stringify([...load.errors])}`,
    () => errors() >= before + 10 * struck.length,
  )
  return errors() - before
}

/** Waits until the directory that no fault strikes has taken more appends. */
export async function otherDirectoryLives({ load, healthy }: TwoDirectories): Promise<void> {
  await progress(load, healthy, 'the other directory')
}

/** Waits until the directory that a fault struck takes appends again. */
export async function comesBack({ load, struck }: TwoDirectories): Promise<void> {
  await progress(load, struck, 'the struck directory')
}

async function progress(load: IdempotentLoad, partitions: readonly number[], what: string): Promise<void> {
  const before = acknowledged(load, partitions)
  await until(
    () => `${what} takes no appends: ${JSON.stringify([...load.errors])}`,
    () => acknowledged(load, partitions) >= before + 50,
  )
}

/** How many records of these partitions are acknowledged. */
export function acknowledged(load: IdempotentLoad, partitions: readonly number[]): number {
  return partitions.reduce((sum, partition) => sum + load.acknowledgedIn(partition), 0)
}
