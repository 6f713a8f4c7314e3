import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SimulatedClock, silentLogger } from '../../platform/index.ts'
import { createLogger } from '../../platform/pino-logger.ts'
import { encodeBatch, KafkaError } from '../../protocol/index.ts'
import { CoordinatorRuntime, type StateMachine } from './coordinator-runtime.ts'
import { MemoryTopic } from './memory-topic.ts'

/** A counter a partition: the least state machine there is. */
class Counter {
  value = 0
  readonly inTransactions = new Map<number, number>()
  isLoaded = false
}

const machine: StateMachine<Counter, number> = {
  create: () => new Counter(),
  replay(counter, add, { transactionOf }) {
    if (transactionOf === undefined) counter.value += add
    else counter.inTransactions.set(transactionOf, (counter.inTransactions.get(transactionOf) ?? 0) + add)
  },
  endTransaction(counter, producerId, result) {
    if (result === 'commit') counter.value += counter.inTransactions.get(producerId) ?? 0
    counter.inTransactions.delete(producerId)
  },
  loaded(counter) {
    counter.isLoaded = true
  },
  unloaded(counter) {
    counter.isLoaded = false
  },
  encode: add => {
    if (add > 255) throw new RangeError('too large')
    return { key: Buffer.from('add'), value: Buffer.from([add]) }
  },
  decode: (key, value) => (String(key) === 'add' ? (value?.[0] ?? 0) : undefined),
}

function fixture() {
  const clock = new SimulatedClock()
  const topic = new MemoryTopic()
  const options = { topic: 'counters', machine, clock, logger: silentLogger, writer: topic, loader: topic }
  return { clock, topic, runtime: new CoordinatorRuntime(options), another: () => new CoordinatorRuntime(options) }
}

const add = (value: number) => (counter: Counter) => ({ records: [value], response: counter.value })
const code = (expected: string) => (error: unknown) => error instanceof KafkaError && error.code === expected

describe('CoordinatorRuntime', () => {
  it('tells of partitions that are loaded together in one line', async () => {
    const lines: string[] = []
    const clock = new SimulatedClock()
    const topic = new MemoryTopic()
    const logger = createLogger({ level: 'info', format: 'json', write: line => lines.push(JSON.parse(line).msg) })
    const runtime = new CoordinatorRuntime({ topic: 'counters', machine, clock, logger, writer: topic, loader: topic })
    await Promise.all([0, 1, 2].map(partition => runtime.onElected(partition, 1)))
    await runtime.onElected(3, 1)
    assert.deepEqual(lines, [
      'Finished loading 3 partitions of counters in 0 milliseconds',
      'Finished loading 1 partitions of counters in 0 milliseconds',
    ])
  })

  it('decides, writes, and applies what was committed, in that order', async () => {
    const { runtime, topic } = fixture()
    await runtime.onElected(3, 1)
    topic.holdCommits = true
    const writing = runtime.write(3, add(5))
    assert.equal(runtime.read(3).value, 0)
    assert.equal(topic.log(3).length, 1)
    topic.commitAll()
    assert.equal(await writing, 0)
    assert.equal(runtime.read(3).value, 5)
  })

  it('applies nothing of what was refused', async () => {
    const { runtime, topic } = fixture()
    await runtime.onElected(0, 1)
    topic.failNext('NOT_ENOUGH_REPLICAS')
    await assert.rejects(runtime.write(0, add(5)), code('NOT_ENOUGH_REPLICAS'))
    await assert.rejects(runtime.write(0, add(256)), code('UNKNOWN_SERVER_ERROR'))
    assert.equal(runtime.read(0).value, 0)
    assert.equal(await runtime.write(0, () => ({ records: [], response: 'nothing to write' })), 'nothing to write')
  })

  it('loads what it wrote', async () => {
    const { runtime, another } = fixture()
    await runtime.onElected(0, 1)
    for (let value = 1; value <= 10; value++) await runtime.write(0, add(value))
    runtime.close()
    const next = another()
    await next.onElected(0, 2)
    assert.equal(next.read(0).value, 55)
    assert.equal(next.read(0).isLoaded, true)
  })

  it('loads transactions as their markers say, and passes over what it does not know', async () => {
    const { runtime, topic } = fixture()
    const inTransaction = { producerId: 7, producerEpoch: 0, isTransactional: true }
    await topic.append(
      0,
      encodeBatch({ records: [{ key: Buffer.from('add'), value: Buffer.from([1]) }], ...inTransaction }),
    )
    await topic.append(
      0,
      encodeBatch({ records: [{ key: Buffer.from('what'), value: null }, { value: Buffer.from([9]) }] }),
    )
    await runtime.onElected(0, 1)
    assert.equal(runtime.read(0).value, 0)
    await runtime.appendMarker(0, { producerId: 7, producerEpoch: 0, result: 'commit', coordinatorEpoch: 0 })
    assert.equal(runtime.read(0).value, 1)
  })

  it('gives other work its turn while it loads', async () => {
    const { topic, clock, runtime } = fixture()
    const batch = encodeBatch({ records: [{ key: Buffer.from('add'), value: Buffer.from([1]) }] })
    for (let count = 0; count < 5; count++) await topic.append(0, batch)
    let turns = 0
    const slow = { ...clock, now: () => 0, monotonicMs: () => (turns += 4), schedule: () => ({ cancel() {} }) }
    let waited = 0
    const options = { topic: 'counters', machine, logger: silentLogger, writer: topic, loader: topic }
    const yielding = new CoordinatorRuntime({
      ...options,
      clock: {
        ...slow,
        soon(callback: () => void) {
          waited += 1
          queueMicrotask(callback)
        },
      },
    })
    await yielding.onElected(0, 1)
    assert.equal(yielding.read(0).value, 5)
    assert.ok(waited > 0)
    runtime.close()
  })

  it('applies a marker after what stands before it, however late that is committed', async () => {
    const { runtime, topic } = fixture()
    await runtime.onElected(0, 1)
    topic.holdCommits = true
    const producer = { producerId: 7, producerEpoch: 0 }
    const writing = [
      runtime.append(0, [3], producer),
      runtime.appendMarker(0, { ...producer, result: 'commit', coordinatorEpoch: 0 }),
      runtime.append(0, [4], producer),
    ]
    topic.commitAll()
    await Promise.all(writing)
    assert.equal(runtime.read(0).value, 3)
    assert.deepEqual([...runtime.read(0).inTransactions], [[7, 4]])
  })

  it('misses no marker that is written while it loads', async () => {
    const { runtime, topic } = fixture()
    const producer = { producerId: 7, producerEpoch: 0 }
    await topic.append(
      0,
      encodeBatch({
        ...producer,
        records: [{ key: Buffer.from('add'), value: Buffer.from([1]) }],
        isTransactional: true,
      }),
    )
    const loading = runtime.onElected(0, 1)
    await runtime.appendMarker(0, { ...producer, result: 'commit', coordinatorEpoch: 0 })
    await loading
    assert.equal(runtime.read(0).value, 1)
  })

  it('begins anew, in any epoch, with a partition that is there again after it was gone', async () => {
    const { runtime, topic } = fixture()
    await runtime.onElected(0, 4)
    await runtime.write(0, add(5))
    runtime.onResigned(0)
    topic.log(0).length = 0
    await runtime.onElected(0, 0)
    assert.equal(runtime.read(0).value, 0)
    assert.equal(runtime.epochOf(0), 0)
  })

  it('says why a partition cannot be asked', async () => {
    const { runtime, topic } = fixture()
    assert.equal(runtime.errorOf(0), 'NOT_COORDINATOR')
    assert.throws(() => runtime.read(0), code('NOT_COORDINATOR'))
    await assert.rejects(runtime.append(0, [1]), code('NOT_COORDINATOR'))
    const loading = runtime.onElected(0, 1)
    assert.equal(runtime.errorOf(0), 'COORDINATOR_LOAD_IN_PROGRESS')
    assert.equal(runtime.isLoading, true)
    await assert.rejects(runtime.write(0, add(1)), code('COORDINATOR_LOAD_IN_PROGRESS'))
    await loading
    assert.equal(runtime.errorOf(0), undefined)
    topic.log(1).push(Buffer.alloc(61, 9))
    await runtime.onElected(1, 1)
    assert.equal(runtime.errorOf(1), 'COORDINATOR_NOT_AVAILABLE', 'its log cannot be read')
    topic.log(1).length = 0
    await runtime.onElected(1, 2)
    assert.equal(runtime.errorOf(1), undefined, 'a later election tries again')
    runtime.close()
    assert.equal(runtime.errorOf(0), 'COORDINATOR_NOT_AVAILABLE')
  })

  it('refuses a batch with a wrong checksum', async () => {
    const { runtime, topic } = fixture()
    const batch = encodeBatch({ records: [{ key: Buffer.from('add'), value: Buffer.from([1]) }] })
    await topic.append(0, batch)
    const stored = topic.log(0)[0]
    assert.ok(stored)
    stored[stored.length - 2] = 77
    await runtime.onElected(0, 1)
    assert.equal(runtime.errorOf(0), 'COORDINATOR_NOT_AVAILABLE')
  })

  it('keeps its state over elections that it wins again, and goes by the newest epoch', async () => {
    const { runtime } = fixture()
    await runtime.onElected(0, 5)
    const state = runtime.read(0)
    const writing = runtime.write(0, add(1))
    await runtime.onElected(0, 6)
    await writing
    assert.equal(runtime.read(0), state)
    runtime.onResigned(0, 5)
    assert.equal(runtime.errorOf(0), undefined, 'old news')
    runtime.onResigned(0, 7)
    assert.equal(runtime.errorOf(0), 'NOT_COORDINATOR')
    await runtime.onElected(0, 6)
    assert.equal(runtime.errorOf(0), 'NOT_COORDINATOR', 'old news')
    await runtime.onElected(0, 8)
    assert.equal(runtime.read(0).value, 1)
  })

  it('drops a load that it resigns from', async () => {
    const { runtime, topic } = fixture()
    await topic.append(0, encodeBatch({ records: [{ key: Buffer.from('add'), value: Buffer.from([1]) }] }))
    const loading = runtime.onElected(0, 1)
    runtime.onResigned(0, 2)
    const again = runtime.onElected(0, 3)
    await Promise.all([loading, again])
    assert.equal(runtime.read(0).value, 1)
  })
})
