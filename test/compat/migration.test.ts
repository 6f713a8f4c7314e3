/** Who moves from node-rdkafka finds every name of it in the guide, and his keys where librdkafka put them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { connect, string } from '../../src/client/index.ts'
import { startCluster } from '../../src/testing/index.ts'
import { compileForeign } from '../integration/foreign-code.ts'
import { membersWithoutRow, tableNames } from '../integration/guide-tables.ts'
import { NODE_RDKAFKA_VERSION } from './client-peers.ts'
import { run } from './process.ts'
import { kcat, npmPackage, toolOrSkip } from './tools.ts'

const WITH_MEMBERS = [
  'Client',
  'Producer',
  'HighLevelProducer',
  'ProducerStream',
  'KafkaConsumer',
  'ConsumerStream',
  'AdminClient',
  'IAdminClient',
]

test('each name, event, setting and error of node-rdkafka has a row that says what it is here', async context => {
  const specifier = `node-rdkafka@${NODE_RDKAFKA_VERSION}`
  const installed = await toolOrSkip(context, specifier, () => npmPackage(specifier))
  if (installed === undefined) return
  const read = (file: string): string =>
    readFileSync(join(dirname(installed), 'node_modules/node-rdkafka', `${file}.d.ts`), 'utf8')
  const tables = tableNames('from-node-rdkafka')
  const api = read('index')
  const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name = '']) => name)
  const names = [
    ...all(api, /^ {4}'([\w.-]+)': \(/gm),
    ...all(read('config'), /"([a-z0-9._]+)"\?:/g),
    ...all(read('errors'), /\b(ERR__\w+): number/g),
  ]
  assert.ok(names.length > 200)
  assert.deepEqual(membersWithoutRow(tables, api, WITH_MEMBERS), [])
  assert.deepEqual(
    [...new Set(names)].filter(name => !tables.some(({ rows }) => rows.has(name))),
    [],
  )
})

test('what the guide shows of node-rdkafka compiles with its types', async context => {
  const specifier = `node-rdkafka@${NODE_RDKAFKA_VERSION}`
  const installed = await toolOrSkip(context, specifier, () => npmPackage(specifier))
  if (installed === undefined) return
  const declared = `
import type { Duplex } from 'node:stream'
import * as Kafka from 'node-rdkafka'
declare const opaque: object, transform: Duplex
declare const consumerConf: Kafka.ConsumerGlobalConfig, topicConf: Kafka.ConsumerTopicConfig
declare const producerConf: Kafka.ProducerGlobalConfig`
  await compileForeign('from-node-rdkafka', dirname(installed), declared)
})

test('a key goes to the partition where librdkafka puts it, by the function that the guide shows', async context => {
  if ((await toolOrSkip(context, 'kcat', kcat)) === undefined) return
  await using cluster = await startCluster({ topics: { orders: 7 } })
  const keys = Array.from({ length: 500 }, (_, n) => `ключ-${n * 7919}`.slice(-1 - (n % 12)))
  const produce = ['-P', '-b', cluster.bootstrapServers, '-t', 'orders', '-K', ':']
  await run('kcat', produce, { input: keys.map(key => `${key}:x\n`).join('') })
  await using consumer = connect(cluster.bootstrapServers).consumer({ key: string, autoOffsetReset: 'earliest' })
  consumer.assign(Array.from({ length: 7 }, (_, partition) => ({ topic: 'orders', partition })))
  let left = keys.length
  for await (const { key, keyBytes, partition } of consumer) {
    assert.equal(partition, crc32(keyBytes!) % 7, `key ${key}`)
    if (--left === 0) break
  }
})
