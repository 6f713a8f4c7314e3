import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inlineWorkers, type Job, nodeWorkers, systemRandom, type Workers } from '../platform/index.ts'
import { batches, ErrorCode, encodeBatch, encodeMessageSet } from '../protocol/index.ts'
import { batchOf, type OneBroker, openOneBroker, params, wanted } from './one-broker.fixture.ts'

const GZIP = { topicConfig: { compressionType: 'gzip' } } as const
const PACKED = { compression: 'gzip' } as const

/** Workers whose jobs run when a test lets them, in the order that it says. */
class HeldWorkers implements Workers {
  readonly #held: (() => void)[] = []

  get count(): number {
    return this.#held.length
  }

  run<Input extends object, Output extends object>(job: Job<Input, Output>, input: Input): Promise<Output> {
    const own = structuredClone(input)
    return new Promise((resolve, reject) => {
      this.#held.push(() => void inlineWorkers.run(job, own).then(resolve, reject))
    })
  }

  release(index: number): void {
    this.#held[index]?.()
  }

  async close(): Promise<void> {}
}

async function storedBatches(broker: OneBroker): Promise<string[]> {
  const [result] = await broker.fetch([wanted('a', 0)], params({ maxWaitMs: 0 }))
  const headers = [...batches(Buffer.concat(result!.records))]
  return headers.map(({ compression, recordCount }) => `${recordCount} ${compression}`)
}

test('records that a topic stores in another codec are converted in a worker; others are appended in the same turn', async () => {
  const workers = new HeldWorkers()
  const broker = await openOneBroker({ a: 1 }, { ...GZIP, workers })
  const late = broker.produce('a', 0, batchOf(1))
  assert.ok(late instanceof Promise)
  assert.equal(workers.count, 1)
  workers.release(0)
  assert.equal((await late).baseOffset, 0)
  await broker.clock.settle()
  assert.ok(!(broker.produce('a', 0, batchOf(2, 10, PACKED)) instanceof Promise))
  assert.deepEqual(await storedBatches(broker), ['1 gzip', '2 gzip'])
  await broker.close()
})

test('large compressed batches of a topic that looks into records are unpacked in a worker, and refused as others are', async () => {
  const workers = new HeldWorkers()
  const broker = await openOneBroker({ a: 1 }, { topicConfig: { cleanupPolicy: ['compact'] }, workers })
  const packed = (key: Uint8Array | null): Uint8Array =>
    encodeBatch({ records: [{ key, value: systemRandom.bytes(20_000) }], compression: 'gzip' })
  const refused = broker.produce('a', 0, packed(null))
  const accepted = broker.produce('a', 0, packed(Uint8Array.of(1)))
  assert.equal(workers.count, 2)
  workers.release(1)
  workers.release(0)
  const { errorCode, recordErrors } = await refused
  assert.equal(errorCode, ErrorCode.INVALID_RECORD)
  assert.deepEqual(
    recordErrors.map(({ batchIndex }) => batchIndex),
    [0],
  )
  assert.equal((await accepted).baseOffset, 0)
  await broker.clock.settle()
  assert.ok(!(broker.produce('a', 0, batchOf(1)) instanceof Promise), 'what is not compressed is looked into at once')
  await broker.close()
})

test('a partition keeps the order in which requests came, whichever is converted first, and others do not wait', async () => {
  const workers = new HeldWorkers()
  const broker = await openOneBroker({ a: 2 }, { ...GZIP, workers })
  const first = broker.produce('a', 0, batchOf(1))
  const second = broker.produce('a', 0, batchOf(2, 10, PACKED))
  const third = broker.produce('a', 0, batchOf(3))
  assert.ok(!(broker.produce('a', 1, batchOf(1, 10, PACKED)) instanceof Promise))
  workers.release(1)
  await broker.clock.settle()
  assert.equal(broker.replicas.partition('a', 0).log?.logEndOffset, 0)
  workers.release(0)
  const results = await Promise.all([first, second, third])
  assert.deepEqual(
    results.map(({ baseOffset }) => baseOffset),
    [0, 1, 3],
  )
  await broker.clock.settle()
  assert.equal(broker.replicas.partition('a', 0).lastAppend, undefined)
  await broker.close()
})

test('an idempotent producer with requests under way finds no gap, and its repeats are known', async () => {
  const workers = new HeldWorkers()
  const broker = await openOneBroker({ a: 1 }, { ...GZIP, workers })
  const batch = (baseSequence: number) => batchOf(1, 10, { producerId: 5, producerEpoch: 0, baseSequence })
  const sent = [0, 1, 2, 2].map(sequence => broker.produce('a', 0, batch(sequence)))
  for (const index of [3, 2, 1, 0]) workers.release(index)
  const results = await Promise.all(sent)
  assert.deepEqual(
    results.map(({ errorCode, baseOffset }) => [errorCode, baseOffset]),
    [0, 1, 2, 2].map(offset => [0, offset]),
  )
  await broker.close()
})

test('what cannot be converted is refused when its turn comes, and what follows is appended', async () => {
  const broker = await openOneBroker({ a: 1 }, GZIP)
  const messages = [{ offset: 0, timestamp: 1, value: null }]
  const set = encodeMessageSet({ magic: 1, messages, compression: 'gzip' })
  const produce = async (records: Uint8Array) => {
    const request = { acks: 1, timeoutMs: 1000, origin: 'client', apiVersion: 2 } as const
    const entries = [{ topic: 'a', partition: 0, records }]
    const [result] = await broker.replicas.appendRecords({ ...request, entries })
    return result!.errorCode
  }
  const [refused, stored] = await Promise.all([produce(Buffer.concat([set, set])), produce(set)])
  assert.equal(refused, ErrorCode.INVALID_RECORD)
  assert.equal(stored, ErrorCode.NONE)
  assert.deepEqual(await storedBatches(broker), ['1 gzip'])
  await broker.close()
})

test('a worker that fails costs the request that it worked for, and no other', async () => {
  const workers: Workers = { run: () => Promise.reject(new Error('thread died')), close: async () => {} }
  const broker = await openOneBroker({ a: 1 }, { ...GZIP, workers })
  const lost = broker.produce('a', 0, batchOf(1))
  const next = broker.produce('a', 0, batchOf(1, 10, PACKED))
  assert.equal((await lost).errorCode, ErrorCode.UNKNOWN_SERVER_ERROR)
  assert.equal((await next).baseOffset, 0)
  await broker.close()
})

test('closing waits for what is being converted', async () => {
  const workers = new HeldWorkers()
  const broker = await openOneBroker({ a: 1 }, { ...GZIP, workers })
  const produced = broker.produce('a', 0, batchOf(1))
  const closing = broker.close()
  workers.release(0)
  await closing
  assert.equal((await produced).errorCode, ErrorCode.NONE)
})

test('packing a batch anew leaves the event loop free', async () => {
  const workers = nodeWorkers(1)
  const topicConfig = { ...GZIP.topicConfig, compressionLevel: 9, maxMessageBytes: 2 ** 23 }
  const broker = await openOneBroker({ a: 1 }, { topicConfig, workers })
  const value = Buffer.from(Array.from({ length: 4 * 2 ** 20 }, (_, i) => (i * i) % 251))
  const records = encodeBatch({ records: [{ value }] })
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const { errorCode } = await broker.produce('a', 0, records)
  clearInterval(timer)
  assert.equal(errorCode, 0)
  assert.ok(turns >= 3, `the loop turned ${turns} times`)
  await broker.close()
  await workers.close()
})
