/** A broker with a healthy log directory and one that a fault will strike, and a topic with partitions in both. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { IdempotentLoad } from './idempotent-load.ts'
import { withBroker } from './with-broker.ts'

const TOPIC = { name: 'numbers', partitions: 4 }

export interface TwoDirectories {
  readonly broker: BrokerProcess
  readonly load: IdempotentLoad
  /** Partitions in the directory that the fault will strike, and the others. */
  readonly struck: readonly number[]
  readonly healthy: readonly number[]
  /** Absolute paths of the files of the struck partitions whose names end so. */
  files(ending: string): string[]
}

/** Runs `body` with a load under way on all partitions, audits it afterwards, and gives the audit. */
export async function withTwoDirectories(
  frail: string,
  properties: Readonly<Record<string, string>>,
  body: (parts: TwoDirectories) => Promise<void>,
): Promise<{ acknowledged: number; stored: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'monedula-two-'))
  const dirs = { 'log.dirs': `${join(directory, 'logs')},${frail}` }
  let audit = { acknowledged: 0, stored: 0 }
  try {
    await withBroker({ directory, properties: { ...dirs, ...properties } }, async broker => {
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
      try {
        await body({ broker, load, struck, healthy, files })
      } finally {
        await load.stop()
      }
      audit = await load.audit()
      assert.ok(audit.acknowledged > 0, 'something was acknowledged')
    })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return audit
}

/** How many records of these partitions are acknowledged. */
export function acknowledged(load: IdempotentLoad, partitions: readonly number[]): number {
  return partitions.reduce((sum, partition) => sum + load.acknowledgedIn(partition), 0)
}
