/** What a client may do to a broker over a real socket without harm to it or to others. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { framed, requestFrame, type WireClient } from '../../scripts/fuzz/wire-client.ts'
import * as p from '../../src/protocol/everything.ts'
import { until } from '../compat/process.ts'
import { TestBroker } from './test-broker.ts'

const API_VERSIONS = [p.ApiVersionsRequest, p.ApiVersionsResponse] as const
const CREATE_TOPICS = [p.CreateTopicsRequest, p.CreateTopicsResponse] as const
const FIND_COORDINATOR = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const LIST_GROUPS = [p.ListGroupsRequest, p.ListGroupsResponse] as const
const JOIN_GROUP = [p.JoinGroupRequest, p.JoinGroupResponse] as const
const OFFSET_COMMIT = [p.OffsetCommitRequest, p.OffsetCommitResponse] as const
const FETCH = [p.FetchRequest, p.FetchResponse] as const
const PRODUCE = [p.ProduceRequest, p.ProduceResponse] as const

let broker: TestBroker
before(async () => {
  broker = await TestBroker.start()
  await broker.createTopics({ bystander: {} })
})
after(() => broker.stop())

/** A client that does nothing wrong is served as if nothing had happened, and nothing of the attack is still held. */
async function assertUnharmed(): Promise<void> {
  const client = await broker.connect()
  const records = p.encodeBatch({ records: [{ value: Buffer.from('unharmed') }] })
  const topicData = [{ name: 'bystander', partitionData: [{ index: 0, records }] }]
  const { responses } = await client.call(PRODUCE, 8, { acks: 1, timeoutMs: 1_000, topicData })
  assert.equal(responses[0]?.partitionResponses[0]?.errorCode, 0)
  await client.until(() => broker.server.queuedBytes === 0, 'memory of requests to return')
  client.close()
  assert.deepEqual(broker.logged(/ERROR|HALT/), [])
}

async function assertCloses(bytes: Uint8Array, what: string): Promise<void> {
  const client = await broker.connect()
  const linesBefore = broker.logged(/WARN.*Clos/).length
  client.write(bytes)
  await client.until(() => client.isClosed, `the end of the connection after ${what}`)
  assert.deepEqual(client.frames, [], what)
  assert.equal(broker.logged(/WARN.*Clos/).length, linesBefore + 1, `one line in the log about ${what}`)
}

test('a frame size that cannot be closes the connection at once', async () => {
  for (const size of [-1, 0, -0x8000_0000, 0x7fff_ffff, 104_857_601]) {
    const bytes = Buffer.alloc(12)
    bytes.writeInt32BE(size)
    await assertCloses(bytes, `a frame of ${size} bytes`)
  }
  await assertUnharmed()
})

test('a frame that claims the largest size allowed takes memory for what arrives, not for what it claims', async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => broker.connect()))
  const bytes = Buffer.alloc(1004)
  bytes.writeInt32BE(104_857_600)
  for (const client of clients) client.write(bytes)
  await clients[0]!.until(() => broker.server.queuedBytes > 0, 'the frames to begin')
  assert.ok(broker.server.queuedBytes <= 20 * 1024 * 1024, `${broker.server.queuedBytes} bytes`)
  for (const client of clients) client.close()
  await assertUnharmed()
})

test('a body that is no such request closes the connection with one line in the log', async () => {
  const metadata = requestFrame(p.MetadataRequest, 1, { body: { topics: [{ name: 'bystander' }] } })
  const compact = requestFrame(p.MetadataRequest, 9, { body: { topics: [] } })
  const hugeCount = Buffer.from(metadata)
  hugeCount.writeInt32BE(0x7fff_ffff, hugeCount.length - 15)
  const hugeVarint = Buffer.concat([compact.subarray(0, -5), Buffer.from('ffffffff0f', 'hex')])
  const endlessVarint = Buffer.concat([compact.subarray(0, -5), Buffer.from('ffffffffffffffffff01', 'hex')])
  const otherKey = Buffer.from(metadata)
  otherKey.writeInt16BE(999, 0)
  const otherVersion = Buffer.from(metadata)
  otherVersion.writeInt16BE(77, 2)
  const cases: [Buffer, string][] = [
    [hugeCount, 'a count of 2^31-1'],
    [hugeVarint, 'a compact count of 2^32-1'],
    [endlessVarint, 'a varint that does not end'],
    [metadata.subarray(0, -3), 'a body that is cut'],
    [metadata.subarray(0, 5), 'a header that is cut'],
    [otherKey, 'an unknown API key'],
    [otherVersion, 'an unknown version'],
  ]
  for (const [frame, what] of cases) await assertCloses(framed(frame), what)
  await assertUnharmed()
})

test('requests after one that closes the connection are not carried out', async () => {
  const client = await broker.connect()
  const bad = requestFrame(p.MetadataRequest, 1, { body: {} }).subarray(0, -2)
  const body = { topics: [{ name: 'after-the-end', numPartitions: 1, replicationFactor: 1 }], timeoutMs: 1_000 }
  client.write(Buffer.concat([framed(bad), framed(requestFrame(p.CreateTopicsRequest, 4, { body }))]))
  await client.until(() => client.isClosed, 'the end of the connection')
  const other = await broker.connect()
  const topics = [{ name: 'after-the-end' }]
  const metadata = await other.call([p.MetadataRequest, p.MetadataResponse], 4, {
    topics,
    allowAutoTopicCreation: false,
  })
  assert.equal(metadata.topics[0]?.errorCode, p.ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  other.close()
})

test('ApiVersions in a version of the future is answered in version 0 with what there is (KIP-511)', async () => {
  const client = await broker.connect()
  const request = requestFrame(p.ApiVersionsRequest, 3, {
    body: { clientSoftwareName: 'future', clientSoftwareVersion: '9' },
    correlationId: 4711,
  })
  request.writeInt16BE(99, 2)
  client.send(request)
  await client.until(() => client.frames.length > 0, 'an answer')
  const reader = new p.ByteReader(client.frames.shift()!)
  assert.equal(reader.int32(), 4711)
  const answer = p.decodeMessage(p.ApiVersionsResponse, 0, reader)
  assert.equal(answer.errorCode, p.ErrorCode.UNSUPPORTED_VERSION)
  assert.deepEqual(
    answer.apiKeys.map(({ apiKey }) => apiKey),
    [18],
  )
  const { errorCode } = await client.call(API_VERSIONS, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
  assert.equal(errorCode, 0)
  client.close()
})

test('names, ids and metadata of absurd length get an error and do not forge log lines', async () => {
  const client = await broker.connect()
  const long = 'x'.repeat(0x7fff)
  const forged = 'name\n[2026-01-01 00:00:00,000] INFO forged (kafka.server.KafkaServer)'
  client.send(requestFrame(p.ListGroupsRequest, 0, { body: {}, clientId: long }))
  await client.until(() => client.frames.length > 0, 'an answer to a client of a long name')
  client.frames.length = 0
  const { topics } = await client.call(CREATE_TOPICS, 4, {
    topics: [long, 'n'.repeat(250), forged, '', '.', 'a/b', '../../etc'].map(name => ({
      name,
      numPartitions: 1,
      replicationFactor: 1,
    })),
    timeoutMs: 1_000,
  })
  for (const { errorCode } of topics) assert.equal(errorCode, p.ErrorCode.INVALID_TOPIC_EXCEPTION)
  const [counted] = (
    await client.call(CREATE_TOPICS, 4, {
      topics: [{ name: 'countless', numPartitions: 0x7fff_ffff, replicationFactor: 1 }],
      timeoutMs: 1_000,
    })
  ).topics
  assert.notEqual(counted?.errorCode, 0)
  const coordinator = (): Promise<number> =>
    client.call(FIND_COORDINATOR, 1, { key: 'committer', keyType: 0 }).then(({ errorCode }) => errorCode)
  await until('the coordinator is there', async () => (await coordinator()) === 0)
  const joined = await client.call(JOIN_GROUP, 5, {
    groupId: forged,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 1_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(1000) }],
  })
  assert.equal(joined.errorCode, p.ErrorCode.MEMBER_ID_REQUIRED)
  const committed = await client.call(OFFSET_COMMIT, 2, {
    groupId: 'committer',
    topics: [
      {
        name: 'bystander',
        partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: 'm'.repeat(5000) }],
      },
    ],
  })
  assert.equal(committed.topics[0]?.partitions[0]?.errorCode, p.ErrorCode.OFFSET_METADATA_TOO_LARGE)
  await client.call(LIST_GROUPS, 0, {})
  assert.deepEqual(broker.logged(/^\[2026-01-01 00:00:00,000\]/), [])
  client.close()
  await assertUnharmed()
})

test('a client that sends 100,000 requests and reads nothing is made to wait, at no cost to others', async () => {
  const greedy = await broker.connect()
  greedy.pause()
  const one = framed(requestFrame(p.ApiVersionsRequest, 0, { body: {} }))
  const many = Buffer.concat(Array.from({ length: 1_000 }, () => one))
  const rssBefore = process.memoryUsage().rss
  for (let sent = 0; sent < 100; sent++) greedy.write(many)
  const other = await broker.connect()
  for (let turn = 0; turn < 50; turn++) {
    assert.equal((await other.call(API_VERSIONS, 0, {})).errorCode, 0)
    assert.ok(broker.server.queuedBytes < 2 * 1024 * 1024, `${broker.server.queuedBytes} bytes are held`)
  }
  other.close()
  const grown = process.memoryUsage().rss - rssBefore
  assert.ok(grown < 150 * 1024 * 1024, `memory grew by ${grown} bytes`)
  greedy.resume()
  await greedy.until(() => greedy.frames.length === 100_000, 'all answers once it reads')
  greedy.abort()
  await assertUnharmed()
})

test('a client that asks for many fetches and reads none of them does not make the broker hold them', async () => {
  const client = await broker.connect()
  const value = Buffer.alloc(900_000, 7)
  const topicData = [
    { name: 'bystander', partitionData: [{ index: 0, records: p.encodeBatch({ records: [{ value }] }) }] },
  ]
  for (let round = 0; round < 4; round++) await client.call(PRODUCE, 8, { acks: 1, timeoutMs: 1_000, topicData })
  client.close()
  const greedy = await broker.connect()
  greedy.pause()
  const body = {
    maxWaitMs: 0,
    minBytes: 1,
    topics: [{ topic: 'bystander', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 50 << 20 }] }],
  }
  const fetch = framed(requestFrame(p.FetchRequest, 11, { body }))
  const rssBefore = process.memoryUsage().rss
  for (let round = 0; round < 200; round++) greedy.write(fetch)
  const other = await broker.connect()
  for (let turn = 0; turn < 50; turn++) await other.call(API_VERSIONS, 0, {})
  const { responses } = await other.call(FETCH, 11, body)
  assert.equal(responses[0]?.partitions[0]?.errorCode, 0)
  other.close()
  const grown = process.memoryUsage().rss - rssBefore
  assert.ok(grown < 200 * 1024 * 1024, `memory grew by ${grown} bytes where 700 MB were asked for`)
  greedy.abort()
  await assertUnharmed()
})

test('limits of connections, in all, of one address and of one listener, hold and give way again', async () => {
  for (const [key, limit] of [
    ['max.connections', 4],
    ['max.connections.per.ip', 3],
    ['listener.name.plaintext.max.connections', 3],
  ] as const) {
    const small = await TestBroker.start({ [key]: String(limit) })
    try {
      const clients: WireClient[] = []
      for (let index = 0; index < limit; index++) clients.push(await small.connect())
      for (const client of clients) assert.equal((await client.call(API_VERSIONS, 0, {})).errorCode, 0)
      const refused = await small.connect()
      await refused.until(() => refused.isClosed, `the end of a connection beyond ${key}`)
      assert.equal(small.logged(new RegExp(`Rejected connection.*${key}=${limit}`)).length, 1)
      assert.equal((await clients[0]!.call(API_VERSIONS, 0, {})).errorCode, 0)
      clients.pop()!.close()
      let served = false
      for (let attempt = 0; attempt < 50 && !served; attempt++) {
        const again = await small.connect()
        served = await again.call(API_VERSIONS, 0, {}).then(
          () => true,
          () => false,
        )
        again.close()
      }
      assert.ok(served, `a connection after one of ${key}=${limit} is gone`)
      for (const client of clients) client.close()
    } finally {
      await small.stop()
    }
  }
})
