import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../platform/index.ts'
import * as protocol from './everything.ts'
import { sampleMessage } from './sample-message.ts'
import type { Fields, Schema } from './schema.ts'

const { ByteReader, ByteWriter, decodeMessage, defaultsOf, encodeMessageBytes, KafkaError, MalformedError } = protocol
const { piecewiseEncoderOf } = protocol

/** Every schema that the layer exports. */
const exported: readonly unknown[] = Object.values(protocol)
const schemas = exported.filter(
  (value): value is Schema => typeof value === 'object' && value !== null && 'flexibleFrom' in value,
)

function* versionsOf(schema: Schema): Iterable<number> {
  for (let version = schema.versions.min; version <= schema.versions.max; version++) yield version
}

/** Views of other buffers compare equal when their bytes are. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

test('every message survives the wire in each of its versions', () => {
  const random = seededRandom(1)
  for (const schema of schemas) {
    for (const version of versionsOf(schema)) {
      for (let sample = 0; sample < 3; sample++) {
        const message = sampleMessage(schema, version, random)
        const bytes = encodeMessageBytes(schema, version, message)
        const reader = new ByteReader(bytes)
        const decoded = decodeMessage(schema, version, reader)
        assert.equal(reader.remaining, 0, `${schema.name} ${schema.kind} v${version} is not read to its end`)
        assert.deepEqual(plain(decoded), plain(message), `${schema.name} ${schema.kind} v${version}`)
      }
    }
  }
})

test('a message that is written piece by piece is what it is when it is written at once', () => {
  const random = seededRandom(5)
  for (const schema of schemas) {
    for (const version of versionsOf(schema)) {
      const message = sampleMessage(schema, version, random)
      const writer = new ByteWriter()
      for (const _ of piecewiseEncoderOf(schema, version)(writer, message));
      const whole = encodeMessageBytes(schema, version, message)
      assert.deepEqual(writer.finish(), whole, `${schema.name} ${schema.kind} v${version}`)
    }
  }
})

test('an absent field is encoded as its default', () => {
  for (const schema of schemas) {
    for (const version of versionsOf(schema)) {
      const short = encodeMessageBytes(schema, version, {})
      assert.deepEqual(short, encodeMessageBytes(schema, version, defaultsOf(schema)), `${schema.name} v${version}`)
    }
  }
})

test('a message that is cut short anywhere is malformed, never a shorter message', () => {
  const random = seededRandom(2)
  for (const schema of schemas) {
    const version = schema.versions.max
    const bytes = encodeMessageBytes(schema, version, sampleMessage(schema, version, random))
    const step = Math.max(1, Math.floor(bytes.length / 40))
    for (let end = 0; end < bytes.length; end += step) {
      assert.throws(
        () => decodeMessage(schema, version, new ByteReader(bytes, 0, end)),
        MalformedError,
        `${schema.name} v${version} of ${end} bytes`,
      )
    }
  }
})

test('flipped bits make another message or a malformed one, and nothing else', () => {
  const random = seededRandom(3)
  for (const schema of schemas) {
    for (const version of versionsOf(schema)) {
      const bytes = Buffer.from(encodeMessageBytes(schema, version, sampleMessage(schema, version, random)))
      for (let flip = 0; flip < 8 && bytes.length > 0; flip++) {
        const hostile = Buffer.from(bytes)
        const at = random.below(hostile.length)
        hostile[at] = hostile[at]! ^ (1 << random.below(8))
        try {
          decodeMessage(schema, version, new ByteReader(hostile))
        } catch (error) {
          if (!(error instanceof MalformedError)) throw error
        }
      }
    }
  }
})

test('a count beyond what the bytes can hold is refused before anything is allocated', () => {
  const request = Buffer.alloc(4)
  request.writeInt32BE(0x7fff_ffff)
  assert.throws(() => decodeMessage(protocol.MetadataRequest, 1, new ByteReader(request)), MalformedError)
  const compact = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0])
  assert.throws(() => decodeMessage(protocol.MetadataRequest, 9, new ByteReader(compact)), MalformedError)
})

test('a frame of tiny elements does not become millions of objects', () => {
  const topics = 2 ** 23 + 1
  const writer = new protocol.ByteWriter()
  writer.compactArrayLength(topics)
  writer.bytes(Buffer.alloc(2 * topics + 3, 1))
  assert.throws(() => decodeMessage(protocol.MetadataRequest, 9, new ByteReader(writer.finish())), /too many/)
  const reader = new ByteReader(encodeMessageBytes(protocol.MetadataRequest, 9, { topics: [{}, {}, {}] }))
  reader.limitElements(2)
  assert.throws(() => decodeMessage(protocol.MetadataRequest, 9, reader), MalformedError)
})

test('a count is weighed with the least that its elements take', () => {
  // 26 bytes are left for 2 partitions of Fetch v0, which take 16 each.
  const body = Buffer.concat([
    Buffer.from('ffffffff0000000000000000', 'hex'),
    Buffer.from('00000001000161', 'hex'),
    Buffer.from('00000002', 'hex'),
    Buffer.alloc(26),
  ])
  assert.throws(() => decodeMessage(protocol.FetchRequest, 0, new ByteReader(body)), /array of 2 elements in 26 bytes/)
})

test('tags that nobody knows are skipped', () => {
  const known = encodeMessageBytes(protocol.HeartbeatRequest, 4, { groupId: 'g', memberId: 'm', generationId: 3 })
  const withTag = Buffer.concat([known.subarray(0, -1), Buffer.from([1, 99, 3, 1, 2, 3])])
  const decoded = decodeMessage(protocol.HeartbeatRequest, 4, new ByteReader(withTag))
  assert.deepEqual(decoded, { groupId: 'g', memberId: 'm', generationId: 3, groupInstanceId: null })
})

test('a tagged field that does not fill its size is malformed', () => {
  const bytes = encodeMessageBytes(protocol.FetchRequest, 12, {})
  const clusterId = Buffer.from([1, 0, 4, 3, 0x61, 0x62, 0])
  const reader = new ByteReader(Buffer.concat([bytes.subarray(0, -1), clusterId]))
  assert.throws(() => decodeMessage(protocol.FetchRequest, 12, reader), /tagged field/)
})

test('a tagged field at its default is left off the wire', () => {
  const plainRequest = encodeMessageBytes(protocol.FetchRequest, 17, {})
  assert.deepEqual(encodeMessageBytes(protocol.FetchRequest, 17, { replicaState: { replicaId: -1 } }), plainRequest)
  assert.notDeepEqual(encodeMessageBytes(protocol.FetchRequest, 17, { replicaState: { replicaId: 1 } }), plainRequest)
  const decoded = decodeMessage(protocol.FetchRequest, 17, new ByteReader(plainRequest))
  assert.deepEqual(encodeMessageBytes(protocol.FetchRequest, 17, decoded), plainRequest)
})

test('a value that the version cannot carry is refused unless it may be ignored', () => {
  const unsupported = (error: unknown): boolean => error instanceof KafkaError && error.code === 'UNSUPPORTED_VERSION'
  assert.throws(() => encodeMessageBytes(protocol.HeartbeatRequest, 2, { groupInstanceId: 'static' }), unsupported)
  encodeMessageBytes(protocol.HeartbeatRequest, 2, { groupInstanceId: null })
  encodeMessageBytes(protocol.FetchRequest, 0, { rackId: 'r1' })
  assert.throws(() => encodeMessageBytes(protocol.HeartbeatRequest, 99, {}), unsupported)
  assert.throws(() => decodeMessage(protocol.HeartbeatRequest, -1, new ByteReader(new Uint8Array(9))), unsupported)
})

test('null where the version has none is an error on both sides', () => {
  const hostile = { groupId: null } as unknown as { groupId: string }
  assert.throws(() => encodeMessageBytes(protocol.HeartbeatRequest, 0, hostile), TypeError)
  assert.throws(
    () => decodeMessage(protocol.HeartbeatRequest, 0, new ByteReader(Buffer.from('ffff', 'hex'))),
    MalformedError,
  )
  assert.throws(
    () => decodeMessage(protocol.MetadataRequest, 0, new ByteReader(Buffer.from('ffffffff', 'hex'))),
    MalformedError,
  )
  assert.equal(decodeMessage(protocol.MetadataRequest, 1, new ByteReader(Buffer.from('ffffffff', 'hex'))).topics, null)
})

test('record batches pass through by reference', () => {
  const batch = Buffer.alloc(10_000, 7)
  const message = { topicData: [{ name: 't', partitionData: [{ index: 0, records: batch }] }] }
  const chunks = protocol.encodeMessage(protocol.ProduceRequest, 9, message)
  assert.ok(chunks.includes(batch))
  const whole = Buffer.concat(chunks)
  const decoded = decodeMessage(protocol.ProduceRequest, 9, new ByteReader(whole))
  const records = decoded.topicData[0]?.partitionData[0]?.records
  assert.equal(records?.buffer, whole.buffer)
})

test('the largest int64 of Java passes through the fields in which clients write it, and no other', () => {
  const partition = (values: { highWatermark?: number; fetchOffset?: number }) =>
    decodeMessage(
      protocol.FetchRequest,
      18,
      new ByteReader(encodeMessageBytes(protocol.FetchRequest, 18, { topics: [{ partitions: [values] }] })),
    ).topics[0]?.partitions[0]
  assert.equal(partition({})?.highWatermark, protocol.INT64_MAX)
  assert.equal(partition({ highWatermark: 5 })?.highWatermark, 5)
  assert.equal(partition({ fetchOffset: protocol.INT64_MAX })?.fetchOffset, protocol.INT64_MAX)
  const commit = { topics: [{ partitions: [{ committedOffset: protocol.INT64_MAX }] }] }
  const bytes = encodeMessageBytes(protocol.OffsetCommitRequest, 8, commit)
  assert.throws(() => decodeMessage(protocol.OffsetCommitRequest, 8, new ByteReader(bytes)), MalformedError)
})

test('every API has a request and a response of the same key and versions', () => {
  assert.equal(new Set(protocol.apis.map(api => api.key)).size, protocol.apis.length)
  for (const { key, name, request, response } of protocol.apis) {
    assert.deepEqual([request.apiKey, response.apiKey, response.name], [key, key, name])
    assert.deepEqual(request.versions, response.versions, name)
    assert.equal(protocol.ApiKey[name as protocol.ApiName], key)
  }
})

test('headers follow the flexible versions, but for ApiVersions and the oldest ControlledShutdown', () => {
  const { requestHeaderVersion, responseHeaderVersion } = protocol
  assert.equal(requestHeaderVersion(protocol.HeartbeatRequest, 3), 1)
  assert.equal(requestHeaderVersion(protocol.HeartbeatRequest, 4), 2)
  assert.equal(responseHeaderVersion(protocol.HeartbeatResponse, 4), 1)
  assert.equal(requestHeaderVersion(protocol.ApiVersionsRequest, 3), 2)
  assert.equal(responseHeaderVersion(protocol.ApiVersionsResponse, 3), 0)
  assert.equal(requestHeaderVersion(protocol.ControlledShutdownRequest, 0), 0)
})

test('field names and messages have nothing in them that could change compiled code', () => {
  const names = (fields: Fields): string[] =>
    Object.entries(fields).flatMap(
      ([
        name,
        {
          spec: { type },
        },
      ]) => {
        const inner = type.kind === 'array' ? type.element : type
        return [name, ...(inner.kind === 'struct' ? names(inner.fields) : [])]
      },
    )
  assert.deepEqual(
    schemas
      .flatMap(schema => [schema.name, ...names(schema.fields)])
      .filter(name => !/^[A-Za-z][A-Za-z0-9]*$/.test(name)),
    [],
  )
})
