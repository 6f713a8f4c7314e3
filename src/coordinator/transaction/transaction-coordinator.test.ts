import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_PARTITIONS } from './topic-partitions.ts'
import { producerOf, TransactionFixture } from './transaction-fixture.ts'

const first = producerOf('1000/0')

const a0 = new Map([['a', new Set([0])]])

describe('a transaction', () => {
  it('leaves these records, and a marker in each partition', async () => {
    const fixture = await TransactionFixture.started()
    assert.equal(await fixture.init(), '1000/0')
    assert.deepEqual(await fixture.add(first, ['a-0', 'b-1']), ['NONE', 'NONE'])
    await fixture.clock.advance(5)
    assert.deepEqual(await fixture.add(first, ['a-0', 'a-1']), ['NONE', 'NONE'])
    assert.equal(fixture.state(), 'Ongoing 1000/0 a-0 a-1 b-1')
    assert.equal(await fixture.end(first, 'commit'), 'NONE')
    await fixture.clock.settle()
    assert.deepEqual(fixture.markers.written, [
      'commit 1000/0 a-0 by 3',
      'commit 1000/0 a-1 by 3',
      'commit 1000/0 b-1 by 3',
    ])
    const common = {
      producerId: 1000,
      producerEpoch: 0,
      previousProducerId: -1,
      nextProducerId: -1,
      lastProducerEpoch: -1,
      clientVersion: 0,
      timeoutMs: 60_000,
    }
    const all = new Map([
      ['a', new Set([0, 1])],
      ['b', new Set([1])],
    ])
    const two = new Map([
      ['a', new Set([0])],
      ['b', new Set([1])],
    ])
    const [began, later] = [1_000_000, 1_000_005]
    assert.deepEqual(fixture.records(), [
      { ...common, state: 'Empty', partitions: new Map(), startTimestamp: -1, lastUpdateTimestamp: began },
      { ...common, state: 'Ongoing', partitions: two, startTimestamp: began, lastUpdateTimestamp: began },
      { ...common, state: 'Ongoing', partitions: all, startTimestamp: began, lastUpdateTimestamp: later },
      { ...common, state: 'PrepareCommit', partitions: all, startTimestamp: began, lastUpdateTimestamp: later },
      { ...common, state: 'CompleteCommit', partitions: new Map(), startTimestamp: began, lastUpdateTimestamp: later },
    ])
  })

  it('that is aborted tells the partitions so, and the id goes on', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    assert.equal(await fixture.end(first, 'abort'), 'NONE')
    await fixture.clock.settle()
    assert.equal(fixture.state(), 'CompleteAbort 1000/0')
    await fixture.add(first, ['b-0'])
    assert.equal(fixture.state(), 'Ongoing 1000/0 b-0')
  })

  it('is ended once, the same way each time it is asked for', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    assert.equal(await fixture.end(first, 'commit'), 'INVALID_TXN_STATE')
    await fixture.add(first, ['a-0'])
    fixture.markers.isHeld = true
    assert.equal(await fixture.end(first, 'commit'), 'NONE')
    assert.equal(await fixture.end(first, 'commit'), 'CONCURRENT_TRANSACTIONS')
    assert.deepEqual(await fixture.add(first, ['a-0']), ['CONCURRENT_TRANSACTIONS'])
    assert.equal(await fixture.init(), 'CONCURRENT_TRANSACTIONS')
    fixture.markers.release()
    await fixture.clock.settle()
    assert.equal(await fixture.end(first, 'commit'), 'NONE')
    assert.equal(await fixture.end(first, 'abort'), 'INVALID_TXN_STATE')
    assert.deepEqual(fixture.markers.written, ['commit 1000/0 a-0 by 3'])
  })

  it('takes a group by the partition that the group lives in', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    const request = { transactionalId: 'id', ...first, groupId: 'group' }
    assert.deepEqual(await fixture.coordinator.addOffsetsToTxn(request, { apiVersion: 3 }), { errorCode: 0 })
    assert.equal(fixture.state(), 'Ongoing 1000/0 __consumer_offsets-7')
  })

  it('takes all partitions or none', async () => {
    const fixture = await TransactionFixture.started()
    fixture.missingTopics.add('gone')
    await fixture.init()
    const errors = await fixture.add(first, ['a-0', 'gone-0'])
    assert.deepEqual(errors, ['OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION'])
    assert.equal(fixture.state(), 'Empty 1000/0')
  })

  it('takes no topics of the brokers from clients', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    for (const topic of ['__transaction_state', '__consumer_offsets']) {
      const errors = await fixture.add(first, ['a-0', `${topic}-0`])
      assert.deepEqual(errors, ['OPERATION_NOT_ATTEMPTED', 'TOPIC_AUTHORIZATION_FAILED'])
    }
    assert.equal(fixture.state(), 'Empty 1000/0')
  })

  it('verifies what was added, and nothing while or after it ends', async () => {
    const fixture = await TransactionFixture.started()
    const verify = (producer = first, partition = 0) =>
      fixture.coordinator.verify('id', producer, { topic: 'a', partition })
    assert.equal(verify(), 'INVALID_PRODUCER_ID_MAPPING')
    await fixture.init()
    await fixture.add(first, ['a-0'])
    assert.equal(verify(), 'NONE')
    assert.equal(verify(first, 1), 'TRANSACTION_ABORTABLE')
    assert.equal(verify({ producerId: 1000, producerEpoch: 1 }), 'PRODUCER_FENCED')
    fixture.markers.isHeld = true
    await fixture.end(first, 'commit')
    assert.equal(verify(), 'CONCURRENT_TRANSACTIONS')
    fixture.markers.release()
    await fixture.clock.settle()
    assert.equal(verify(), 'TRANSACTION_ABORTABLE')
  })

  it('verifies for other brokers, several at once, and adds nothing', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    const asked = { transactionalId: 'id', ...first, verifyOnly: true, topics: [{ name: 'a', partitions: [0, 1] }] }
    const request = {
      transactions: [asked, { ...asked, transactionalId: 'other' }],
      v3AndBelowTransactionalId: '',
      v3AndBelowProducerId: -1,
      v3AndBelowProducerEpoch: -1,
      v3AndBelowTopics: [],
    }
    const { resultsByTransaction } = await fixture.coordinator.addPartitionsToTxn(request, { apiVersion: 5 })
    const codes = resultsByTransaction?.map(({ topicResults = [] }) =>
      topicResults.flatMap(({ resultsByPartition = [] }) => resultsByPartition.map(r => r.partitionErrorCode)),
    )
    assert.deepEqual(codes, [
      [0, 120],
      [49, 49],
    ])
    assert.equal(fixture.state(), 'Ongoing 1000/0 a-0')
  })
})

describe('the end of a transaction', () => {
  it('KAFKA-16352: is told again to partitions that could not take it, until all have', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0', 'b-0', 'c-0'])
    fixture.markers.answers.push('NONE', 'NOT_LEADER_OR_FOLLOWER', 'REQUEST_TIMED_OUT', 'UNKNOWN_TOPIC_OR_PARTITION')
    await fixture.end(first, 'commit')
    await fixture.clock.settle()
    assert.equal(fixture.state(), 'PrepareCommit 1000/0 b-0 c-0')
    await fixture.clock.advance(10_000)
    assert.equal(fixture.state(), 'CompleteCommit 1000/0')
    assert.equal(fixture.markers.written.filter(line => line.startsWith('commit 1000/0 a-0')).length, 1)
  })

  it('does not wait for a partition that was deleted', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0', 'gone-0'])
    fixture.missingTopics.add('gone')
    fixture.markers.answers.push('NONE', 'UNKNOWN_TOPIC_OR_PARTITION')
    await fixture.end(first, 'commit')
    await fixture.clock.settle()
    assert.equal(fixture.state(), 'CompleteCommit 1000/0')
  })

  it('KAFKA-9777, KAFKA-10080: is written again until the log has it, and once', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    fixture.markers.isHeld = true
    await fixture.end(first, 'commit')
    fixture.topic.failNext('NOT_ENOUGH_REPLICAS', 'REQUEST_TIMED_OUT')
    fixture.markers.release()
    await fixture.clock.settle()
    assert.equal(fixture.state(), 'PrepareCommit 1000/0')
    await fixture.clock.advance(10_000)
    assert.equal(fixture.state(), 'CompleteCommit 1000/0')
    assert.deepEqual(fixture.history().slice(2), ['PrepareCommit 1000/0 a-0', 'CompleteCommit 1000/0'])
    assert.equal(fixture.markers.written.length, 1)
  })

  it('stops where a newer coordinator or producer has spoken', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    fixture.markers.answers.push('TRANSACTION_COORDINATOR_FENCED')
    await fixture.end(first, 'commit')
    await fixture.clock.advance(60_000)
    assert.equal(fixture.markers.written.length, 1)
    assert.equal(await fixture.init(), 'CONCURRENT_TRANSACTIONS')
  })

  it('is refused with what the client can do about it when the log refuses it', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    fixture.topic.failNext('NOT_ENOUGH_REPLICAS', 'NOT_LEADER_OR_FOLLOWER', 'MESSAGE_TOO_LARGE')
    assert.equal(await fixture.end(first, 'commit'), 'COORDINATOR_NOT_AVAILABLE')
    assert.equal(await fixture.end(first, 'commit'), 'NOT_COORDINATOR')
    assert.equal(await fixture.end(first, 'commit'), 'UNKNOWN_SERVER_ERROR')
    assert.equal(fixture.state(), 'Ongoing 1000/0 a-0')
    assert.equal(await fixture.end(first, 'commit'), 'NONE')
  })
})

describe('a coordinator that loads', () => {
  for (const result of ['Commit', 'Abort'] as const) {
    it(`goes on with a transaction in Prepare${result}`, async () => {
      const fixture = new TransactionFixture()
      await fixture.written({ state: `Prepare${result}`, partitions: a0, startTimestamp: 5 })
      await fixture.coordinator.onElected(0, 9)
      await fixture.clock.settle()
      assert.deepEqual(fixture.markers.written, [`${result.toLowerCase()} 1000/0 a-0 by 9`])
      assert.equal(fixture.state(), `Complete${result} 1000/0`)
    })
  }

  for (const state of ['Empty', 'Ongoing', 'CompleteCommit', 'CompleteAbort'] as const) {
    it(`leaves a transaction in ${state} as it is`, async () => {
      const fixture = new TransactionFixture()
      const partitions = state === 'Ongoing' ? a0 : NO_PARTITIONS
      await fixture.written({ state, partitions, startTimestamp: fixture.clock.now() })
      await fixture.coordinator.onElected(0, 9)
      await fixture.clock.settle()
      assert.deepEqual(fixture.markers.written, [])
      assert.equal(fixture.state(), state === 'Ongoing' ? 'Ongoing 1000/0 a-0' : `${state} 1000/0`)
      assert.equal(await fixture.init(), state === 'Ongoing' ? 'CONCURRENT_TRANSACTIONS' : '1000/1')
    })
  }

  it('KAFKA-9307: knows all or nothing of a partition, whatever happens meanwhile', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    const next = new TransactionFixture(fixture)
    const loading = next.coordinator.onElected(0, 4)
    assert.equal(await next.init(), 'COORDINATOR_LOAD_IN_PROGRESS')
    next.coordinator.onResigned(0, 5)
    assert.equal(await next.init(), 'NOT_COORDINATOR')
    const again = next.coordinator.onElected(0, 6)
    await Promise.all([loading, again])
    assert.equal(next.state(), 'Ongoing 1000/0 a-0')
  })

  it('KAFKA-7286: takes records of any size', async () => {
    const fixture = new TransactionFixture()
    const many = new Map([['a', new Set(Array.from({ length: 50_000 }, (_, index) => index))]])
    await fixture.written({ state: 'Ongoing', partitions: many, startTimestamp: fixture.clock.now() })
    await fixture.coordinator.onElected(0, 1)
    assert.deepEqual(await fixture.add(first, ['a-9']), ['NONE'])
  })

  it('writes nothing more for a partition that it has given up', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    fixture.markers.isHeld = true
    await fixture.end(first, 'commit')
    fixture.coordinator.onResigned(0, 4)
    fixture.markers.release()
    await fixture.clock.advance(60_000)
    assert.equal(fixture.history().at(-1), 'PrepareCommit 1000/0 a-0')
    assert.equal(fixture.state(), 'NOT_COORDINATOR')
  })
})

describe('time', () => {
  it('aborts a transaction past its timeout, and fences its producer', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init({ timeoutMs: 15_000 })
    await fixture.add(first, ['a-0'])
    await fixture.clock.advance(10_000)
    assert.equal(fixture.state(), 'Ongoing 1000/0 a-0')
    await fixture.clock.advance(10_000)
    assert.deepEqual(fixture.markers.written, ['abort 1000/1 a-0 by 3'])
    assert.equal(fixture.state(), 'CompleteAbort 1000/1')
    assert.equal(await fixture.end(first, 'commit'), 'PRODUCER_FENCED')
    assert.equal(await fixture.end(first, 'commit', 1), 'INVALID_PRODUCER_EPOCH')
    assert.equal(await fixture.init({ as: first }), 'PRODUCER_FENCED')
    assert.equal(await fixture.init(), '1000/2')
  })

  it('goes by the time that has passed, however the wall clock jumps', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init({ timeoutMs: 15_000 })
    await fixture.add(first, ['a-0'])
    fixture.clock.jumpWallClock(3_600_000)
    await fixture.clock.advance(10_000)
    assert.equal(fixture.state(), 'Ongoing 1000/0 a-0')
    fixture.clock.jumpWallClock(-7_200_000)
    await fixture.clock.advance(10_000)
    assert.equal(fixture.state(), 'CompleteAbort 1000/1')
  })

  it('goes by the wall clock for what passed before a load, and from the load on where that went back', async () => {
    for (const jumpMs of [0, -3_600_000]) {
      const fixture = await TransactionFixture.started()
      await fixture.init({ timeoutMs: 25_000 })
      await fixture.add(first, ['a-0'])
      await fixture.clock.advance(9_000)
      fixture.coordinator.close()
      fixture.clock.jumpWallClock(jumpMs)
      const next = await TransactionFixture.started(fixture, 4)
      await fixture.clock.advance(20_000)
      assert.equal(next.state().split(' ')[0], jumpMs === 0 ? 'CompleteAbort' : 'Ongoing')
      await fixture.clock.advance(10_000)
      assert.equal(next.state().split(' ')[0], 'CompleteAbort')
    }
  })

  it('counts from the first partition, not from the last', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init({ timeoutMs: 15_000 })
    await fixture.add(first, ['a-0'])
    await fixture.clock.advance(9_000)
    await fixture.add(first, ['b-0'])
    await fixture.clock.advance(11_000)
    assert.equal(fixture.state(), 'CompleteAbort 1000/1')
  })

  it('forgets ids that had no transaction for long, and no others', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.init({ transactionalId: 'open', timeoutMs: 900_000 })
    await fixture.clock.advance(7 * 24 * 3600 * 1000 - 3_600_000)
    assert.equal(fixture.state(), 'Empty 1000/0')
    await fixture.init({ transactionalId: 'open', timeoutMs: 900_000 })
    await fixture.clock.advance(3_600_000)
    assert.equal(fixture.state(), 'TRANSACTIONAL_ID_NOT_FOUND')
    assert.equal(fixture.state('open'), 'Empty 1001/1')
    assert.equal(fixture.history().at(-1), 'tombstone')
    const next = await TransactionFixture.started(fixture)
    assert.equal(next.state(), 'TRANSACTIONAL_ID_NOT_FOUND')
  })
})

describe('an id with a transaction', () => {
  it('is not forgotten, however far the wall clock jumps', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    fixture.clock.jumpWallClock(30 * 24 * 3600 * 1000)
    await fixture.coordinator.forgetExpired()
    assert.equal(fixture.state(), 'Ongoing 1000/0 a-0')
    assert.equal(await fixture.end(first, 'commit'), 'NONE')
    await fixture.clock.settle()
    assert.deepEqual(fixture.markers.written, ['commit 1000/0 a-0 by 3'])
  })
})

describe('an administrator', () => {
  it('lists transactions by state, producer and age', async () => {
    const fixture = await TransactionFixture.started()
    await fixture.init()
    await fixture.add(first, ['a-0'])
    await fixture.clock.advance(5_000)
    await fixture.init({ transactionalId: 'other' })
    const list = (filters: object) => {
      const all = { stateFilters: [], producerIdFilters: [], durationFilter: -1, transactionalIdPattern: null }
      const { unknownStateFilters, transactionStates } = fixture.coordinator.listTransactions({ ...all, ...filters })
      return [
        ...(transactionStates ?? []).map(({ transactionalId }) => transactionalId),
        ...(unknownStateFilters ?? []),
      ]
    }
    assert.deepEqual(list({}), ['id', 'other'])
    assert.deepEqual(list({ stateFilters: ['Ongoing', 'Sleeping'] }), ['id', 'Sleeping'])
    assert.deepEqual(list({ producerIdFilters: [1001] }), ['other'])
    assert.deepEqual(list({ stateFilters: ['Ongoing'], durationFilter: 4_999 }), ['id'])
    assert.deepEqual(list({ stateFilters: ['Ongoing'], durationFilter: 5_000 }), [])
  })

  it('is told that ids are unknown, or none', async () => {
    const fixture = await TransactionFixture.started()
    assert.equal(fixture.state('nobody'), 'TRANSACTIONAL_ID_NOT_FOUND')
    assert.equal(fixture.state(''), 'INVALID_REQUEST')
    fixture.coordinator.close()
    assert.equal(fixture.state(), 'COORDINATOR_NOT_AVAILABLE')
    assert.equal(fixture.clock.pendingTimers, 0)
  })
})
