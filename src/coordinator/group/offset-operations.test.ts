import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode, encodeBatch, encodeEndTxnMarker } from '../../protocol/index.ts'
import { CoordinatorFixture } from './coordinator-fixture.ts'
import { encodeGroupRecord } from './group-record.ts'

describe('OffsetCommit', () => {
  it('writes exactly what Kafka would', async () => {
    const fixture = await CoordinatorFixture.started()
    const partitions = [{ partitionIndex: 3, committedOffset: 42, committedLeaderEpoch: 7, committedMetadata: 'note' }]
    await fixture.commit({}, { topics: [{ name: 'topic', partitions }] })
    await fixture.commit({ 4: 1 }, { retentionTimeMs: 1000 }, 4)
    const now = fixture.clock.now()
    const key = { kind: 'offsetCommit', groupId: 'group', topic: 'topic' }
    assert.deepEqual(fixture.records(), [
      {
        ...key,
        partition: 3,
        value: { offset: 42, leaderEpoch: 7, metadata: 'note', commitTimestamp: now, expireTimestamp: -1 },
      },
      {
        ...key,
        partition: 4,
        value: { offset: 1, leaderEpoch: -1, metadata: '', commitTimestamp: now, expireTimestamp: now + 1000 },
      },
    ])
  })

  it('takes a time of its own from version 1', async () => {
    const fixture = await CoordinatorFixture.started()
    const partitions = [{ partitionIndex: 0, committedOffset: 1, commitTimestamp: 12345, committedMetadata: null }]
    await fixture.commit({}, { topics: [{ name: 'topic', partitions }] }, 1)
    const [record] = fixture.records()
    assert.ok(record?.kind === 'offsetCommit')
    assert.equal(record.value?.commitTimestamp, 12345)
  })

  it('refuses, partition by partition, long notes and partitions that do not exist', async () => {
    const fixture = await CoordinatorFixture.started({ config: { maxMetadataLength: 3 } })
    fixture.missingTopics.add('missing')
    const partition = (partitionIndex: number, committedMetadata: string) => ({ partitionIndex, committedMetadata })
    const topics = [
      { name: 'missing', partitions: [partition(0, '')] },
      { name: 'topic', partitions: [partition(0, '1234'), partition(1, '123')] },
    ]
    const { NONE, OFFSET_METADATA_TOO_LARGE, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode
    const expected = [UNKNOWN_TOPIC_OR_PARTITION, OFFSET_METADATA_TOO_LARGE, NONE]
    assert.deepEqual(await fixture.commit({}, { topics }), expected)
    assert.deepEqual(fixture.offsets(), { 'topic-1': 0 })
  })

  it('is for members of the generation, and for others while there are none', async () => {
    const fixture = await CoordinatorFixture.started()
    const commit = async (request: object) => (await fixture.commit({ 0: 1 }, request))[0]
    const { NONE, UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID, REBALANCE_IN_PROGRESS } = ErrorCode
    assert.equal(await commit({ generationIdOrMemberEpoch: 1, memberId: 'm' }), ILLEGAL_GENERATION)
    assert.equal(await commit({}), NONE)
    assert.equal(await commit({ memberId: 'm', generationIdOrMemberEpoch: 0 }), UNKNOWN_MEMBER_ID)
    const { memberId, generationId } = await fixture.stableMember({ groupInstanceId: 'a' })
    const asMember = { memberId, generationIdOrMemberEpoch: generationId }
    assert.equal(await commit({}), UNKNOWN_MEMBER_ID)
    assert.equal(await commit({ ...asMember, generationIdOrMemberEpoch: -1 }), ILLEGAL_GENERATION)
    assert.equal(await commit({ ...asMember, generationIdOrMemberEpoch: 0 }), ILLEGAL_GENERATION)
    assert.equal(await commit({ ...asMember, memberId: 'x', groupInstanceId: 'a' }), FENCED_INSTANCE_ID)
    assert.equal(await commit({ ...asMember, groupInstanceId: 'a' }), NONE)
    const joining = fixture.join({ memberId, groupInstanceId: 'a' })
    assert.equal((await joining).generationId, generationId + 1)
    assert.equal(await commit({ ...asMember, generationIdOrMemberEpoch: generationId + 1 }), REBALANCE_IN_PROGRESS)
    assert.equal(await commit(asMember), ILLEGAL_GENERATION)
  })

  it('keeps the session of a member that commits', async () => {
    const fixture = await CoordinatorFixture.started()
    const { memberId, generationId } = await fixture.stableMember()
    for (let round = 0; round < 3; round++) {
      await fixture.clock.advance(9000)
      assert.deepEqual(await fixture.commit({ 0: round }, { memberId, generationIdOrMemberEpoch: generationId }), [0])
    }
  })

  it('shows an offset when it is committed and not before, and tells what the log refused', async () => {
    const fixture = await CoordinatorFixture.started()
    fixture.topic.holdCommits = true
    const committing = fixture.commit({ 0: 5 })
    assert.deepEqual(fixture.offsets(), {})
    const stable = {
      groups: [{ groupId: 'group', topics: [{ name: 'topic', partitionIndexes: [0] }] }],
      requireStable: true,
    }
    const [fetched] = fixture.fetch(stable).groups?.[0]?.topics?.[0]?.partitions ?? []
    assert.deepEqual(fetched, {
      partitionIndex: 0,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT,
    })
    fixture.topic.commitAll()
    assert.deepEqual(await committing, [0])
    assert.deepEqual(fixture.offsets(), { 'topic-0': 5 })
    const refused = fixture.commit({ 0: 6 })
    fixture.topic.commit('REQUEST_TIMED_OUT')
    assert.deepEqual(await refused, [ErrorCode.REQUEST_TIMED_OUT])
    fixture.topic.failNext('NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'MESSAGE_TOO_LARGE')
    assert.deepEqual(await fixture.commit({ 0: 6 }), [ErrorCode.NOT_COORDINATOR])
    assert.deepEqual(await fixture.commit({ 0: 6 }), [ErrorCode.COORDINATOR_NOT_AVAILABLE])
    assert.deepEqual(await fixture.commit({ 0: 6 }), [ErrorCode.INVALID_COMMIT_OFFSET_SIZE])
    assert.deepEqual(fixture.offsets(), { 'topic-0': 5 })
  })
})

describe('OffsetFetch', () => {
  it('has the shape of each version', async () => {
    const fixture = await CoordinatorFixture.started()
    await fixture.commit({ 0: 5 })
    const topics = [{ name: 'topic', partitionIndexes: [0, 9] }]
    const offset = (partitionIndex: number, committedOffset: number, errorCode = 0) => ({
      partitionIndex,
      committedOffset,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode,
    })
    const ask = (version: number, groupId = 'group') => fixture.fetch({ groupId, topics }, version)
    assert.deepEqual(ask(0).topics?.[0]?.partitions, [
      offset(0, 5),
      offset(9, -1, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ])
    assert.deepEqual(ask(1).topics?.[0]?.partitions, [offset(0, 5), offset(9, -1)])
    assert.deepEqual(ask(1, 'nobody').topics?.[0]?.partitions, [offset(0, -1), offset(9, -1)])
    assert.equal(ask(7).errorCode, 0)
    assert.deepEqual(fixture.fetch({ groupId: 'group', topics: null }, 2).topics?.[0]?.partitions, [offset(0, 5)])
    const groups = [
      { groupId: 'group', topics: null },
      { groupId: 'nobody', topics },
    ]
    const response = fixture.fetch({ groups }, 8)
    assert.deepEqual(
      response.groups?.map(group => [group.groupId, group.errorCode, group.topics?.[0]?.partitions]),
      [
        ['group', 0, [offset(0, 5)]],
        ['nobody', 0, [offset(0, -1), offset(9, -1)]],
      ],
    )
    fixture.coordinator.onResigned(0)
    assert.deepEqual(ask(1).topics?.[0]?.partitions?.[0], offset(0, -1, ErrorCode.NOT_COORDINATOR))
    assert.deepEqual(ask(5), { errorCode: ErrorCode.NOT_COORDINATOR, topics: [] })
    assert.deepEqual(fixture.fetch({ groups }, 9).groups?.[0], {
      groupId: 'group',
      errorCode: ErrorCode.NOT_COORDINATOR,
      topics: [],
    })
  })
})

describe('OffsetDelete', () => {
  const partitions = [{ partitionIndex: 0 }, { partitionIndex: 1 }]

  it('deletes what nobody reads, and says of the rest why not', async () => {
    const fixture = await CoordinatorFixture.started()
    fixture.missingTopics.add('missing')
    const member = await fixture.stableMember()
    const asMember = { memberId: member.memberId, generationIdOrMemberEpoch: member.generationId }
    await fixture.commit({ 0: 1 }, asMember)
    await fixture.commit({ 0: 1, 1: 1 }, { ...asMember, topic: 'former' })
    const names = ['topic', 'former', 'missing']
    const request = { groupId: 'group', topics: names.map(name => ({ name, partitions })) }
    const response = await fixture.coordinator.offsetDelete(request)
    const errors = response.topics?.map(topic => topic.partitions?.map(({ errorCode }) => errorCode))
    const { GROUP_SUBSCRIBED_TO_TOPIC, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode
    const expected = [GROUP_SUBSCRIBED_TO_TOPIC, 0, UNKNOWN_TOPIC_OR_PARTITION].map(code => [code, code])
    assert.deepEqual(errors, expected)
    assert.deepEqual(fixture.offsets(), { 'topic-0': 1 })
  })

  it('takes an empty group away with its last offset', async () => {
    const fixture = await CoordinatorFixture.started()
    await fixture.commit({ 0: 1, 1: 1 })
    const request = { groupId: 'group', topics: [{ name: 'topic', partitions: [...partitions, ...partitions] }] }
    await fixture.coordinator.offsetDelete(request)
    assert.equal(fixture.records().length, 4)
    assert.equal((await fixture.coordinator.offsetDelete(request)).errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
  })

  it('is not for groups with members that are no consumers', async () => {
    const fixture = await CoordinatorFixture.started()
    void fixture.join({ memberId: '', protocolType: 'connect' }, 3)
    const request = { groupId: 'group', topics: [{ name: 'topic', partitions }] }
    assert.equal((await fixture.coordinator.offsetDelete(request)).errorCode, ErrorCode.NON_EMPTY_GROUP)
  })
})

describe('offsets of transactions', () => {
  const record = (offset: number) =>
    encodeGroupRecord({
      kind: 'offsetCommit',
      groupId: 'group',
      topic: 'topic',
      partition: 0,
      value: { offset, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1 },
    })
  const transactional = (offset: number, producerId: number) =>
    encodeBatch({ records: [{ ...record(offset), timestamp: 1 }], producerId, producerEpoch: 0, isTransactional: true })
  const markerOf = (producerId: number, result: 'commit' | 'abort') =>
    ({ producerId, producerEpoch: 0, result, coordinatorEpoch: 0 }) as const
  const marker = (producerId: number, result: 'commit' | 'abort') =>
    encodeEndTxnMarker({ ...markerOf(producerId, result), timestamp: 1 })

  it('count when the transaction is committed, unless a later commit is in the log', async () => {
    const fixture = new CoordinatorFixture()
    await fixture.topic.append(0, transactional(1, 100))
    await fixture.topic.append(0, encodeBatch({ records: [{ ...record(2), timestamp: 1 }] }))
    await fixture.topic.append(0, transactional(3, 101))
    await fixture.topic.append(0, transactional(4, 102))
    await fixture.topic.append(0, marker(102, 'abort'))
    await fixture.topic.append(0, marker(100, 'commit'))
    await fixture.coordinator.onElected(0, 0)
    assert.deepEqual(fixture.offsets(), { 'topic-0': 2 })
    const stable = {
      groups: [{ groupId: 'group', topics: [{ name: 'topic', partitionIndexes: [0] }] }],
      requireStable: true,
    }
    const unstable = fixture.fetch(stable).groups?.[0]?.topics?.[0]?.partitions?.[0]?.errorCode
    assert.equal(unstable, ErrorCode.UNSTABLE_OFFSET_COMMIT)
    await fixture.coordinator.appendMarker(0, markerOf(101, 'commit'))
    assert.deepEqual(fixture.offsets(), { 'topic-0': 3 })
    assert.equal(fixture.fetch(stable).groups?.[0]?.topics?.[0]?.partitions?.[0]?.errorCode, 0)
  })

  it('leave no group behind when the only one is aborted', async () => {
    const fixture = new CoordinatorFixture()
    await fixture.topic.append(0, transactional(1, 100))
    await fixture.coordinator.onElected(0, 0)
    assert.equal(fixture.state(), 'Empty')
    await fixture.coordinator.appendMarker(0, markerOf(100, 'abort'))
    assert.equal(fixture.state(), 'Dead')
  })
})
