import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../platform/index.ts'
import { KafkaError } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import { type Patience, Patient } from '../deadline.ts'
import { Idempotence } from './idempotence.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { Transactions } from './transactions.ts'

const PRODUCER_ID = 7
const queue = { topic: 'orders', partition: 0 } as PartitionQueue
const offsets = [{ topic: 'orders', partition: 0, offset: 1 }]

/** A promise, and what resolves it. */
interface Gate {
  readonly opened: Promise<void>
  readonly open: () => void
}

function gate(): Gate {
  let open = (): void => undefined
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open }
}

/** Transactions of a producer in a cluster that answers everything well, and what it was asked: the API, its epoch, its newest version. */
function transactionsAt(transactionVersion: number) {
  const clock = new SimulatedClock()
  const heard: string[] = []
  const silent = new Set<string>()
  /** The next request of a name opens `came`, and is answered when `answer` is opened. */
  const held = new Map<string, { readonly came: Gate; readonly answer: Gate }>()
  const hold = (name: string) => {
    const both = { came: gate(), answer: gate() }
    held.set(name, both)
    return both
  }
  const idempotence = new Idempotence(true)
  let epoch = 0
  const cluster = {
    settings: { clock },
    features: { epoch: 1, transactionVersion },
    patience: (wanted: Patience) => new Patient(clock, wanted),
    withCoordinator: (
      _type: string,
      _key: string,
      { what, patience }: { readonly what: string; readonly patience: Patient },
      attempt: (broker: number) => Promise<unknown>,
    ) => patience.within(attempt(0), what),
    request: async (
      _to: object,
      api: { readonly request: { readonly name: string } },
      body: (version: number) => unknown,
      { maxVersion }: { readonly maxVersion?: number },
    ) => {
      const { name } = api.request
      body(maxVersion ?? 0)
      heard.push(
        `${name} ${idempotence.identity?.producerEpoch ?? '-'}${maxVersion === undefined ? '' : ` v${maxVersion}`}`,
      )
      const holding = held.get(name)
      held.delete(name)
      holding?.came.open()
      await holding?.answer.opened
      if (silent.delete(name)) throw new KafkaError('REQUEST_TIMED_OUT')
      if (name === 'EndTxn' && maxVersion === 5)
        return { errorCode: 0, producerId: PRODUCER_ID, producerEpoch: ++epoch }
      if (name === 'EndTxn') return { errorCode: 0, producerId: -1, producerEpoch: -1 }
      return { errorCode: 0, producerId: PRODUCER_ID, producerEpoch: epoch }
    },
  }
  const transactions = new Transactions({
    cluster: cluster as unknown as Cluster,
    transactionalId: 'shop',
    timeoutMs: 1_000,
    maxBlockMs: 1_000,
    idempotence,
    wake: () => undefined,
    dropUnsent: () => undefined,
    flush: async () => undefined,
    onFatal: error => assert.fail(error),
  })
  return { cluster, heard, hold, idempotence, silent, transactions }
}

test('where the brokers have agreed on it, nothing is added to a transaction, and each has its own epoch (KIP-890)', async () => {
  const { heard, idempotence, transactions } = transactionsAt(2)
  await transactions.init()
  transactions.begin()
  assert.equal(transactions.maxProduceVersion, 12)
  assert.ok(transactions.isAllowed(queue))
  await transactions.sendOffsets(offsets, { groupId: 'g' })
  await transactions.commit()
  assert.deepEqual(idempotence.identity, { producerId: PRODUCER_ID, producerEpoch: 1 })
  transactions.begin()
  assert.ok(transactions.isAllowed(queue))
  transactions.recordFailed(new Error('no'))
  await transactions.abort()
  assert.deepEqual(heard, ['InitProducerId - v5', 'TxnOffsetCommit 0 v5', 'EndTxn 0 v5', 'EndTxn 1 v5'])
  assert.equal(idempotence.identity?.producerEpoch, 2)
})

test('a transaction without records is not ended, and goes on with its epoch', async () => {
  const { heard, transactions } = transactionsAt(2)
  await transactions.init()
  transactions.begin()
  await transactions.commit()
  assert.deepEqual(heard, ['InitProducerId - v5'])
})

test('a transaction ends by the protocol that it began with', async () => {
  const { cluster, heard, idempotence, transactions } = transactionsAt(1)
  await transactions.init()
  transactions.begin()
  assert.equal(transactions.maxProduceVersion, 11)
  cluster.features.transactionVersion = 2
  assert.equal(transactions.isAllowed(queue), false)
  await transactions.sendOffsets(offsets, { groupId: 'g' })
  await transactions.commit()
  const first = ['AddPartitionsToTxn 0 v3', 'AddOffsetsToTxn 0', 'TxnOffsetCommit 0 v4', 'EndTxn 0 v4']
  assert.deepEqual(heard, ['InitProducerId - v5', ...first])
  assert.equal(idempotence.identity?.producerEpoch, 0)
  transactions.begin()
  assert.ok(transactions.isAllowed(queue))
})

test('what is not answered is left behind with the epoch of its transaction, by either protocol', async () => {
  const { cluster, heard, idempotence, silent, transactions } = transactionsAt(2)
  await transactions.init()
  transactions.begin()
  silent.add('TxnOffsetCommit')
  await assert.rejects(transactions.sendOffsets(offsets, { groupId: 'g' }), { code: 'REQUEST_TIMED_OUT' })
  await transactions.abort()
  assert.equal(idempotence.identity?.producerEpoch, 1)
  cluster.features.transactionVersion = 1
  transactions.begin()
  await transactions.sendOffsets(offsets, { groupId: 'g' })
  silent.add('EndTxn')
  await assert.rejects(transactions.commit(), { code: 'REQUEST_TIMED_OUT' })
  await transactions.commit()
  cluster.features.transactionVersion = 2
  heard.length = 0
  transactions.begin()
  assert.equal(transactions.isAllowed(queue), false)
  await transactions.sendOffsets(offsets, { groupId: 'g' })
  assert.ok(transactions.isAllowed(queue))
  assert.deepEqual(heard, ['InitProducerId 1 v5', 'TxnOffsetCommit 1 v5'])
})

for (const end of ['commit', 'abort'] as const) {
  test(`a transaction whose ${end} is asked for twice at once ends once, and the next one is left alone`, async () => {
    const { heard, transactions } = transactionsAt(2)
    await transactions.init()
    transactions.begin()
    transactions.isAllowed(queue)
    const next = transactions[end]().then(() => transactions.begin())
    await Promise.all([transactions[end](), next])
    assert.equal(transactions.state, 'in-transaction')
    assert.deepEqual(heard, ['InitProducerId - v5', 'EndTxn 0 v5'])
  })
}

const ENOUGH = new Error('enough')

test('whose initTransactions is ended by its signal asks again for the same identity, and does not fence itself', async () => {
  const { heard, hold, transactions } = transactionsAt(2)
  const { answer } = hold('InitProducerId')
  const ending = new AbortController()
  const first = assert.rejects(transactions.init(ending.signal), ENOUGH)
  ending.abort(ENOUGH)
  await first
  const second = transactions.init()
  answer.open()
  await second
  transactions.begin()
  assert.deepEqual(heard, ['InitProducerId - v5'])
})

test('initTransactions asked for twice at once gets one identity, and ends no transaction that began meanwhile', async () => {
  const { heard, transactions } = transactionsAt(2)
  const first = transactions.init().then(() => transactions.begin())
  await Promise.all([first, transactions.init()])
  assert.equal(transactions.state, 'in-transaction')
  assert.deepEqual(heard, ['InitProducerId - v5'])
})

test('an initTransactions that failed is asked for anew', async () => {
  const { heard, silent, transactions } = transactionsAt(2)
  silent.add('InitProducerId')
  await assert.rejects(transactions.init(), { code: 'REQUEST_TIMED_OUT' })
  await transactions.init()
  assert.deepEqual(heard, ['InitProducerId - v5', 'InitProducerId - v5'])
})

for (const end of ['commit', 'abort'] as const) {
  test(`who joins the ${end} of a transaction that is under way does not hear that the first one's signal ended its wait`, async () => {
    const { heard, hold, transactions } = transactionsAt(2)
    await transactions.init()
    transactions.begin()
    transactions.isAllowed(queue)
    const { came, answer } = hold('EndTxn')
    const ending = new AbortController()
    const first = assert.rejects(transactions[end](ending.signal), ENOUGH)
    await came.opened
    const others = [transactions[end](), transactions[end]()]
    ending.abort(ENOUGH)
    await first
    answer.open()
    await Promise.all(others)
    assert.equal(transactions.state, 'ready')
    assert.ok(heard.filter(name => name.startsWith('EndTxn')).length <= 2, heard.join(', '))
  })
}
