/** What a transactional producer does when something goes wrong in the middle of a transaction. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type Producer, type ProducerOptions } from '../../src/client/index.ts'
import { type ControlledRequest, KafkaError, startCluster, type TestCluster } from '../../src/testing/index.ts'
import { LONG_MS, movableTime } from './client-time.ts'

/** Has the broker do the next request of an API, and answer it only when the result is called. */
function withholdAnswer(cluster: TestCluster, api: string, onDone: () => void = () => undefined): () => void {
  let answer = (): void => undefined
  const answering = new Promise<void>(resolve => {
    answer = resolve
  })
  const withhold = async (request: ControlledRequest) => {
    const done = await request.proceed()
    onDone()
    await answering
    return done
  }
  cluster.control(api, withhold, { times: 1 })
  return answer
}

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
