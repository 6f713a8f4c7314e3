/** Who moves from another client finds every name of it in the guide, and his keys where they were. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { partitionForKey } from '../../src/client/producer/murmur2.ts'
import { fromRoot } from './broker-process.ts'
import { compileForeign } from './foreign-code.ts'
import { membersWithoutRow, tableNames } from './guide-tables.ts'

/** Types whose every member has a row of its own, under a heading that names the type. */
const WITH_MEMBERS = [
  'KafkaConfig',
  'RetryOptions',
  'ProducerConfig',
  'Producer',
  'Transaction',
  'Sender',
  'ProducerRecord',
  'ProducerBatch',
  'TopicMessages',
  'Message',
  'RecordMetadata',
  'ConsumerConfig',
  'Consumer',
  'ConsumerRunConfig',
  'EachMessagePayload',
  'EachBatchPayload',
  'Batch',
  'Admin',
  'AdminConfig',
  'ProducerEvents',
  'ConsumerEvents',
  'AdminEvents',
]

test('each name of kafkajs has a row that says what it is here', () => {
  const types = readFileSync(fromRoot('node_modules/kafkajs/types/index.d.ts'), 'utf8')
  const tables = tableNames('from-kafkajs')
  const exported = [...types.matchAll(/^export (?:class|type|interface|enum|const|var) (\w+)/gm)].map(
    ([, name = '']) => name,
  )
  const named = (name: string): boolean => tables.some(({ heading, rows }) => heading.has(name) || rows.has(name))
  assert.deepEqual(membersWithoutRow(tables, types, WITH_MEMBERS), [])
  assert.deepEqual(
    exported.filter(name => !named(name)),
    [],
  )
})

test('what the guide shows of kafkajs compiles with its types', async () => {
  const declared = `
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import {
  type Admin, AssignerProtocol, CompressionTypes, type Consumer, Kafka, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError, type Producer,
  type ProducerRecord,
} from 'kafkajs'
declare const kafka: Kafka, producer: Producer, consumer: Consumer, admin: Admin, batch: ProducerRecord
declare const bill: (order: object) => Promise<void>, park: (batch: ProducerRecord) => Promise<void>
declare const drop: (batch: ProducerRecord) => void
declare const encoded: (partitions: [string, number][], index: number, members: number) => Buffer`
  await compileForeign('from-kafkajs', fromRoot('dist'), declared)
})

test("a key goes to the partition where kafkajs's default partitioner puts it", () => {
  const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 0,
    replicas: [0],
    isr: [0],
  }))
  const theirs = kafkajs.Partitioners.DefaultPartitioner()
  for (let n = 0; n < 2_000; n++) {
    const key = `ключ-${n * 7919}`.slice(-1 - (n % 12))
    assert.equal(partitionForKey(key, 7), theirs({ topic: 'orders', partitionMetadata, message: { key, value: null } }))
  }
})

test('a program of CommonJS gets the package by require', () => {
  const require = createRequire(fromRoot('package.json'))
  for (const [name, what] of [
    ['monedula', 'connect'],
    ['monedula/testing', 'startCluster'],
  ] as const) {
    const exported = require(name) as Readonly<Record<string, unknown>>
    assert.equal(typeof exported[what], 'function', name)
  }
})
