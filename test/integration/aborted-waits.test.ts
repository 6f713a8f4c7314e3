/** What becomes of a call whose signal is aborted. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { connect } from '../../src/client/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'
import { IN_TIME } from './client-time.ts'
import { FROM_START, publish, read, TEXT } from './consumer-records.ts'

const STOP = new Error('stop')

/** A moment that somebody waits for and somebody else tells of. */
class Moment {
  come = (): void => undefined
  readonly done = new Promise<void>(resolve => {
    this.come = resolve
  })
}

/** Lets the next request of an API wait before anything is done for it. */
function held(cluster: TestCluster, api: string): { readonly arrived: Promise<void>; readonly release: () => void } {
  const arrival = new Moment()
  const end = new Moment()
  cluster.control(
    api,
    async () => {
      arrival.come()
      await end.done
      return undefined
    },
    { times: 1 },
  )
  return { arrived: arrival.done, release: () => end.come() }
}

test(
  'a commit of a transaction whose wait was aborted can be asked for again, and not be taken back',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'shop' })
    const { arrived, release } = held(cluster, 'EndTxn')
    const abort = new AbortController()
    const committing = producer.transaction(tx => tx.send('orders', { value: '0' }), { signal: abort.signal })
    committing.catch(() => undefined)
    await arrived
    abort.abort(STOP)
    await assert.rejects(committing, STOP)
    await assert.rejects(producer.abortTransaction(), { code: 'INVALID_TXN_STATE' })
    release()
    await producer.commitTransaction()
    await producer.transaction(tx => tx.send('orders', { value: '1' }))
    const consumer = connect(cluster.bootstrapServers).consumer({ ...FROM_START, isolationLevel: 'read_committed' })
    await using _ = consumer
    consumer.assign([{ topic: 'orders', partition: 0, offset: 0 }])
    assert.deepEqual(
      (await read(consumer, 2)).map(({ value }) => value),
      ['0', '1'],
    )
  },
)

test(
  'after a transaction whose offsets may still be on their way the producer goes on in another epoch',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'shop' })
    await producer.initTransactions()
    producer.beginTransaction()
    const { arrived, release } = held(cluster, 'TxnOffsetCommit')
    const abort = new AbortController()
    const offsets = [{ topic: 'orders', partition: 0, offset: 7 }]
    const late = producer.sendOffsets(offsets, { groupId: 'readers' }, { signal: abort.signal })
    late.catch(() => undefined)
    await arrived
    abort.abort(STOP)
    await assert.rejects(late, STOP)
    release()
    const epochs: unknown[] = []
    for (const api of ['InitProducerId', 'EndTxn']) {
      cluster.control(api, ({ body }) => {
        epochs.push([api, body.producerEpoch])
        return undefined
      })
    }
    await producer.abortTransaction()
    await producer.transaction(tx => tx.send('orders', { value: '0' }))
    assert.deepEqual(epochs, [
      ['EndTxn', 0],
      ['InitProducerId', 0],
      ['EndTxn', 1],
    ])
  },
)

test('a record is not taken once its signal is aborted, and the send is rejected, not thrown', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer()
  const signal = AbortSignal.abort(STOP)
  await assert.rejects(producer.send('orders', { value: '0' }, { signal }), STOP)
  await assert.rejects(producer.sendBatch('orders', [{ value: '0' }], { signal }), STOP)
  assert.equal((await producer.send('orders', { value: '1' })).offset, 0)
})

test('what fails after its signal was aborted is not an unhandled rejection', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'], config: { 'auto.create.topics.enable': false } })
  const unhandled: unknown[] = []
  const hear = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', hear)
  try {
    await using producer = connect(cluster.bootstrapServers).producer()
    await producer.connect(['orders'])
    const { arrived, release } = held(cluster, 'Produce')
    const abort = new AbortController()
    const options = { signal: abort.signal }
    const sends = [
      producer.send('orders', { value: '0' }, options),
      producer.sendBatch('orders', [{ value: '1' }], options),
      producer.send('nowhere', { value: '2' }, options),
      producer.flush(options),
      producer.connect(['nowhere'], options),
    ]
    const settled = Promise.allSettled(sends)
    await arrived
    abort.abort(STOP)
    for (const result of await settled) assert.equal(result.status === 'rejected' && result.reason, STOP)
    await using consumer = connect(cluster.bootstrapServers).consumer(TEXT)
    await assert.rejects(consumer.endOffsets([{ topic: 'orders', partition: 0 }], options), STOP)
    // Whoever waits fails now.
    await producer.close({ timeoutMs: 1 })
    release()
    await turn()
    assert.deepEqual(unhandled, [])
  } finally {
    process.off('unhandledRejection', hear)
  }
})

test('thousands of sends may share a signal: no warning, and no listener stays', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const warnings: Error[] = []
  const hear = (warning: Error): void => void warnings.push(warning)
  process.on('warning', hear)
  try {
    // A buffer that is soon full, so that most of them wait for memory.
    await using producer = connect(cluster.bootstrapServers).producer({ bufferMemory: 20_000, batchSize: 2_000 })
    const abort = new AbortController()
    const options = { signal: abort.signal }
    const value = 'x'.repeat(100)
    await Promise.all(Array.from({ length: 3_000 }, () => producer.send('orders', { value }, options)))
    assert.equal(getEventListeners(abort.signal, 'abort').length, 0)
    const { arrived, release } = held(cluster, 'Produce')
    const given = Array.from({ length: 3_000 }, () => producer.send('orders', { value }, options))
    const settled = Promise.allSettled(given)
    await arrived
    abort.abort(STOP)
    await settled
    assert.equal(getEventListeners(abort.signal, 'abort').length, 0)
    release()
    await producer.flush()
    assert.deepEqual([producer.metrics.waiting, producer.metrics.bufferBytes], [0, 0])
    await turn()
    assert.deepEqual(warnings, [])
  } finally {
    process.off('warning', hear)
  }
})

test('a commit of offsets whose wait was aborted takes nothing back that is committed after it', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 3 })
  const kafka = connect(cluster.bootstrapServers)
  await using consumer = kafka.consumer({ ...FROM_START, enableAutoCommit: false })
  consumer.subscribe('orders')
  const place = { topic: 'orders', partition: 0 }
  await read(consumer, 2)
  const { arrived, release } = held(cluster, 'OffsetCommit')
  const abort = new AbortController()
  const aborted = consumer.commit(undefined, { signal: abort.signal })
  aborted.catch(() => undefined)
  await arrived
  abort.abort(STOP)
  await assert.rejects(aborted, STOP)
  release()
  await read(consumer, 2)
  await consumer.commit()
  assert.equal((await consumer.committed([place]))[0]!.offset, consumer.position(place))
})

test(
  'a commit that is tried again commits what was worked on since, not less than others did meanwhile',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    await publish(cluster, 'orders', { count: 3 })
    await using consumer = connect(cluster.bootstrapServers).consumer({ ...FROM_START, enableAutoCommit: false })
    consumer.subscribe('orders')
    const place = { topic: 'orders', partition: 0 }
    const records = consumer[Symbol.asyncIterator]()
    for (let count = 0; count < 2; count++) await records.next()
    cluster.failNext('OffsetCommit', 'COORDINATOR_LOAD_IN_PROGRESS')
    const first = consumer.commit()
    await records.next()
    await consumer.commit()
    assert.equal((await consumer.committed([place]))[0]!.offset, 2)
    await first
    assert.equal((await consumer.committed([place]))[0]!.offset, 2)
  },
)
