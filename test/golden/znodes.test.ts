/** Our znodes against those of Apache Kafka 3.9.1: read, and written again byte for byte. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  configEntity,
  decodeBroker,
  decodeClusterId,
  decodeConfig,
  decodeConfigChange,
  decodeController,
  decodeControllerEpoch,
  decodePartitionState,
  decodeProducerIdBlock,
  decodeTopic,
  encodeBroker,
  encodeClusterId,
  encodeConfig,
  encodeConfigChange,
  encodeController,
  encodeControllerEpoch,
  encodeFeatures,
  encodePartitionState,
  encodeProducerIdBlock,
  encodeTopic,
  PERSISTENT_PATHS,
  ZnodePath,
} from '../../src/metadata/index.ts'

interface Znode {
  readonly path: string
  readonly data: string | null
  readonly ephemeral: boolean
}

const fixture = fileURLToPath(new URL('../../../test/golden/znodes/kafka-3.9.1.json', import.meta.url))
const znodes = JSON.parse(readFileSync(fixture, 'utf8')) as readonly Znode[]

/** Reads a znode and writes it again; undefined for one without data. */
function rewritten(path: string, data: Uint8Array): Uint8Array | undefined {
  const parts = path.split('/').slice(1)
  const [first, second, third = '', , partition] = parts
  if (path === ZnodePath.controller) return encodeController(decodeController(data))
  if (path === ZnodePath.controllerEpoch) return encodeControllerEpoch(decodeControllerEpoch(data))
  if (path === ZnodePath.clusterId) return encodeClusterId(decodeClusterId(data))
  if (path === ZnodePath.feature) return encodeFeatures(new Map())
  if (path === ZnodePath.producerIdBlock) {
    const block = decodeProducerIdBlock(data)
    return block && encodeProducerIdBlock(block)
  }
  if (first === 'config') {
    const entity = parts.slice(1).join('/')
    return second === 'changes'
      ? encodeConfigChange(decodeConfigChange(path, data))
      : encodeConfig(decodeConfig(entity, data))
  }
  if (second === 'ids') return encodeBroker(decodeBroker(Number(third), data, { epoch: 1 }))
  if (parts.length === 3) return encodeTopic(decodeTopic(third, data))
  return encodePartitionState(decodePartitionState(third, Number(partition), data))
}

for (const { path, data } of znodes.filter(({ data }) => data !== null)) {
  test(`${path} is read and written as Kafka writes it`, () => {
    const again = Buffer.from(rewritten(path, Buffer.from(data ?? '')) ?? []).toString()
    // Kafka writes more than ten partitions in the order of a hash table.
    if (path.endsWith('/twelve') && path.startsWith('/brokers')) {
      assert.deepEqual(JSON.parse(again), JSON.parse(data ?? ''))
    } else assert.equal(again, data)
  })
}

test('every path without data that Kafka makes is known', () => {
  const empty = znodes.filter(({ path, data }) => data === null && !path.includes('/partitions'))
  const made = new Set(
    [...PERSISTENT_PATHS, '/config/users/x/clients/y', '/admin/delete_topics/manual', '/cluster/id'].flatMap(path =>
      path.split('/').map((_, index, names) => names.slice(0, index + 1).join('/')),
    ),
  )
  const unknown = empty.filter(({ path }) => !made.has(path) && !path.startsWith('/config/users/'))
  assert.deepEqual(unknown, [])
})

test('names of users and clients are escaped as Kafka escapes them', () => {
  assert.equal(`${configEntity('users', 'a b@c')}/${configEntity('clients', 'c/1')}`, 'users/a%20b%40c/clients/c%2F1')
})
