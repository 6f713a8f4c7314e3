/** What a transactional producer does when something goes wrong in the middle of a transaction. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type Producer, type ProducerOptions, string } from '../../src/client/index.ts'
import { ErrorCode } from '../../src/protocol/index.ts'
import { type ControlledRequest, KafkaError, startCluster, type TestCluster } from '../../src/testing/index.ts'
import { IN_TIME, LONG_MS, movableTime, NEVER_MS } from './client-time.ts'

/** Has the broker do the next request of an API, and answer it only when the result is called. */
function withholdAnswer(cluster: TestCluster, api: string, onDone?: () => void): () => void {
  let answer = (): void => undefined
  const answering = new Promise<void>(resolve => {
    answer = resolve
  })
  const withhold = async (request: ControlledRequest) => {
    const done = await request.proceed()
    onDone?.()
    await answering
    return done
  }
  cluster.control(api, withhold, { times: 1 })
  return answer
}

/** Has the next request of an API come only when the result is called, and its sender believe that the connection broke. */
function holdUp(cluster: TestCluster, api: string): () => Promise<{ readonly errorCode?: number } | undefined> {
  let held: ControlledRequest | undefined
  const hold = (request: ControlledRequest) => {
    held = request
    return 'disconnect' as const
  }
  cluster.control(api, hold, { times: 1 })
  return async () => held?.proceed()
}

const NOBODY = { groupId: 'readers' }

const refusals: readonly [string, (producer: Producer) => Promise<unknown>, ProducerOptions?][] = [
  ['by an aborted signal', producer => producer.send('orders', { value: 'no' }, { signal: AbortSignal.abort() })],
  [
    'with its batch by an aborted signal',
    producer => producer.sendBatch('orders', [{ value: 'no' }], { signal: AbortSignal.abort() }),
  ],
  ['because it came in no list', producer => producer.sendBatch('orders', 'no' as never)],
  [
    'by an interceptor',
    producer => producer.send('orders', { value: 'no' }),
    {
      interceptors: [
        {
          onSend(record) {
            if (record.value === 'no') throw new Error('not this one')
            return record
          },
        },
      ],
    },
  ],
]
for (const [how, send, options] of refusals) {
  test(`a transaction is not committed without a record that was refused ${how}`, async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a', ...options })
    let refusal: Error | undefined
    const committed = producer.transaction(async () => {
      await producer.send('orders', { value: 'yes' })
      await send(producer).catch(error => {
        refusal = error
      })
    })
    await assert.rejects(committed, failure => failure instanceof Error && failure.message.includes(refusal!.message))
    await producer.transaction(() => producer.send('orders', { value: 'next' }))
  })
}

test('a partition whose addition was not answered in time does not leave a transaction open at the coordinator', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  const { clock, platform } = movableTime()
  await using producer = kafka.producer({ transactionalId: 'a', maxBlockMs: LONG_MS, platform })
  await using admin = kafka.admin()
  await producer.initTransactions()
  const answer = withholdAnswer(cluster, 'AddPartitionsToTxn', () => clock.advance(LONG_MS))
  producer.beginTransaction()
  await assert.rejects(producer.send('orders', { value: 'one' }), { code: 'REQUEST_TIMED_OUT' })
  answer()
  await producer.abortTransaction()
  const [left] = await admin.describeTransactions(['a'])
  assert.notEqual(left?.state, 'Ongoing')
  await producer.transaction(() => producer.send('orders', { value: 'two' }))
})

test('an addition that never reached the coordinator is no reason to give up the producer', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const { clock, platform } = movableTime()
  const options = { transactionalId: 'a', maxBlockMs: LONG_MS, platform }
  await using producer = connect(cluster.bootstrapServers).producer(options)
  await producer.transaction(() => producer.send('orders', { value: 'one' }))
  cluster.control('AddPartitionsToTxn', () => {
    clock.advance(LONG_MS)
    throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
  })
  const late = producer.transaction(() => producer.send('orders', { value: 'two' }))
  await assert.rejects(late, { code: 'REQUEST_TIMED_OUT' })
  cluster.clearFaults()
  await producer.transaction(() => producer.send('orders', { value: 'three' }))
})

test('a transaction that could be neither done nor taken back throws what its work threw, and the next one works', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  const { clock, platform } = movableTime()
  await using producer = kafka.producer({ transactionalId: 'a', maxBlockMs: LONG_MS, platform })
  await producer.transaction(() => producer.send('orders', { value: 'one' }))
  const answer = withholdAnswer(cluster, 'EndTxn', () => clock.advance(LONG_MS))
  const failed = producer.transaction(async () => {
    await producer.send('orders', { value: 'two' })
    throw new Error('mine')
  })
  await assert.rejects(failed, { message: 'mine' })
  answer()
  await producer.transaction(() => producer.send('orders', { value: 'three' }))
})

test('a transaction that begins while another is taken back is refused', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  await producer.initTransactions()
  producer.beginTransaction()
  await producer.send('orders', { value: 'one' })
  const answer = withholdAnswer(cluster, 'EndTxn')
  const aborted = producer.abortTransaction()
  await assert.rejects(
    producer.transaction(async () => {}),
    { code: 'INVALID_TXN_STATE' },
  )
  answer()
  await aborted
})

test('the end of a transaction that comes late does not end the next one', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ transactionalId: 'a' })
  await producer.transaction(() => producer.send('orders', { value: 'one' }))
  const arrive = holdUp(cluster, 'EndTxn')
  await producer.transaction(() => producer.send('orders', { value: 'two' }))
  producer.beginTransaction()
  await producer.send('orders', { value: 'three' })
  const answer = await arrive()
  assert.equal(answer?.errorCode, ErrorCode.PRODUCER_FENCED)
  await producer.abortTransaction()
  await producer.transaction(() => producer.send('orders', { value: 'four' }))

  await using consumer = kafka.consumer({
    ...{ groupId: 'readers', autoOffsetReset: 'earliest', isolationLevel: 'read_committed', value: string },
  })
  consumer.subscribe(['orders'])
  const values: (string | null)[] = []
  for await (const { value } of consumer) {
    values.push(value)
    if (value === 'four') break
  }
  assert.deepEqual(values, ['one', 'two', 'four'])
})

test('offsets of a transaction that come late do not take the place of those of the next one', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ transactionalId: 'a' })
  await using admin = kafka.admin()
  const commit = (offset: number) =>
    producer.transaction(() => producer.sendOffsets([{ topic: 'orders', partition: 0, offset }], NOBODY))
  const arrive = holdUp(cluster, 'TxnOffsetCommit')
  await commit(1)
  producer.beginTransaction()
  await producer.sendOffsets([{ topic: 'orders', partition: 0, offset: 2 }], NOBODY)
  await arrive()
  await producer.commitTransaction()
  const [committed] = await admin.listConsumerGroupOffsets('readers')
  assert.equal(committed?.offset, 2)
})

test('a record that is sent when its transaction is being committed is refused, and does not go with the next one', async () => {
  await using cluster = await startCluster({ topics: ['orders', 'bills'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ transactionalId: 'a' })
  await producer.transaction(() => producer.send('bills', { value: 'one' }))
  producer.beginTransaction()
  let answer = (): void => undefined
  const written = new Promise<void>(resolve => {
    answer = withholdAnswer(cluster, 'Produce', resolve)
  })
  const sent = producer.send('orders', { value: 'two' })
  await written
  const committed = producer.commitTransaction()
  // A turn later the commit has counted what it waits for.
  await new Promise(setImmediate)
  const refusal = { code: 'INVALID_TXN_STATE', message: /committing/ }
  const refused = assert.rejects(producer.send('bills', { value: 'late' }), refusal)
  answer()
  await Promise.all([sent, committed])
  await Promise.all([refused, producer.transaction(async () => undefined)])
})

for (const end of ['committed', 'aborted'] as const) {
  test(`offsets on their way when their transaction is ${end} are ${end} with it, and the next one works`, async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    const kafka = connect(cluster.bootstrapServers)
    await using producer = kafka.producer({ transactionalId: 'a' })
    await using admin = kafka.admin()
    await producer.initTransactions()
    producer.beginTransaction()
    const sent = producer.sendOffsets([{ topic: 'orders', partition: 0, offset: 1 }], NOBODY)
    const ended = end === 'committed' ? producer.commitTransaction() : producer.abortTransaction()
    await Promise.all([sent, ended])
    const offsets = await admin.listConsumerGroupOffsets('readers')
    assert.deepEqual(
      offsets.map(({ offset }) => offset),
      end === 'committed' ? [1] : [],
    )
    await producer.transaction(() => producer.send('orders', { value: 'next' }))
  })
}

test('a producer all of whose requests are answered keeps its epoch', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ transactionalId: 'a' })
  let asked = 0
  cluster.control('InitProducerId', () => {
    asked += 1
    return undefined
  })
  for (const value of ['one', 'two']) await producer.transaction(() => producer.send('orders', { value }))
  assert.equal(asked, 1)
})

test('an abort that was left while it took another epoch can be asked for again', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  await producer.initTransactions()
  producer.beginTransaction()
  await producer.send('orders', { value: 'one' })
  holdUp(cluster, 'EndTxn')
  const left = new AbortController()
  const answer = withholdAnswer(cluster, 'InitProducerId', () => left.abort())
  await assert.rejects(producer.abortTransaction({ signal: left.signal }), { name: 'AbortError' })
  answer()
  await producer.abortTransaction()
  await producer.transaction(() => producer.send('orders', { value: 'two' }))
})

test('offsets of records whose partition went while they were worked on are refused, also when the member is back', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ transactionalId: 'a' })
  await using admin = kafka.admin()
  await producer.transaction(() => producer.send('orders', { value: 'one' }))
  let isBack = (): void => undefined
  await using consumer = kafka.consumer({
    ...{ groupId: 'readers', autoOffsetReset: 'earliest', enableAutoCommit: false, heartbeatIntervalMs: 50 },
    onAssigned: () => isBack(),
  })
  consumer.subscribe(['orders'])
  for await (const { topic, partition, offset } of consumer) {
    const back = new Promise<void>(resolve => {
      isBack = resolve
    })
    await admin.removeMembersFromConsumerGroup('readers')
    await back
    const done = producer.transaction(() =>
      producer.sendOffsets([{ topic, partition, offset: offset + 1 }], consumer.groupMetadata),
    )
    await assert.rejects(done, { code: 'UNKNOWN_MEMBER_ID' })
    break
  }
  assert.deepEqual(await admin.listConsumerGroupOffsets('readers'), [])
})

test('a consumer that has left its group commits no offsets in a transaction', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ transactionalId: 'a' })
  await producer.transaction(() => producer.send('orders', { value: 'one' }))
  await using consumer = kafka.consumer({ groupId: 'readers', autoOffsetReset: 'earliest', enableAutoCommit: false })
  consumer.subscribe(['orders'])
  for await (const _ of consumer) break
  await consumer.close()
  const done = producer.transaction(() =>
    producer.sendOffsets([{ topic: 'orders', partition: 0, offset: 1 }], consumer.groupMetadata),
  )
  await assert.rejects(done, { code: 'UNKNOWN_MEMBER_ID' })
})

test('a batch of an old epoch aborts its transaction, and only the coordinator says that the producer is fenced', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  const send = () => producer.transaction(() => producer.send('orders', { value: 'a' }))
  await send()
  cluster.failNext('Produce', 'INVALID_PRODUCER_EPOCH')
  await assert.rejects(send(), { code: 'INVALID_PRODUCER_EPOCH', fatal: false })
  await send()
  for (const api of ['AddPartitionsToTxn', 'EndTxn']) {
    await using fenced = connect(cluster.bootstrapServers).producer({ transactionalId: `fenced at ${api}` })
    cluster.failNext(api, 'INVALID_PRODUCER_EPOCH')
    const sent = fenced.transaction(() => fenced.send('orders', { value: 'a' }))
    await assert.rejects(sent, { code: 'PRODUCER_FENCED', fatal: true })
  }
})

test(
  'what comes back to a producer that has been fenced meanwhile is given up, and its close does not wait for it',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    const options = { transactionalId: 'a', deliveryTimeoutMs: NEVER_MS }
    await using producer = connect(cluster.bootstrapServers).producer(options)
    await producer.transaction(() => producer.send('orders', { value: 'one' }))
    producer.beginTransaction()
    const fence = async () => {
      cluster.failNext('AddOffsetsToTxn', 'PRODUCER_FENCED')
      const offsets = [{ topic: 'orders', partition: 0, offset: 1 }]
      await assert.rejects(producer.sendOffsets(offsets, NOBODY), { code: 'PRODUCER_FENCED' })
      throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
    }
    cluster.control('Produce', fence, { times: 1 })
    await assert.rejects(producer.send('orders', { value: 'two' }), { code: 'PRODUCER_FENCED' })
    await producer.close()
  },
)

test('a producer that turns out to be fenced when its transaction is taken back says so', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a' })
  const failing = producer.transaction(async () => {
    await producer.send('orders', { value: 'a' })
    cluster.failNext('EndTxn', 'PRODUCER_FENCED')
    throw new Error('changed my mind')
  })
  await assert.rejects(failing, { code: 'PRODUCER_FENCED', fatal: true })
})
