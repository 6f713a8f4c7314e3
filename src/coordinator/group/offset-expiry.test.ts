import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode, encodeBatch } from '../../protocol/index.ts'
import { CoordinatorFixture, subscription } from './coordinator-fixture.ts'
import { encodeGroupRecord } from './group-record.ts'

const HOUR_MS = 3_600_000
const CHECK_MS = 600_000
const config = { offsetsRetentionMs: HOUR_MS }

/** Lets a member live while time passes. */
async function live(fixture: CoordinatorFixture, member: { memberId: string; generationId: number }, ms: number) {
  for (let passed = 0; passed < ms; passed += 9000) {
    await fixture.clock.advance(9000)
    assert.equal(fixture.heartbeat(member.memberId, member.generationId), ErrorCode.NONE)
  }
}

describe('offset expiry', () => {
  it('takes the offsets of a simple consumer away one retention after their commit, and then the group', async () => {
    const fixture = await CoordinatorFixture.started({ config })
    await fixture.commit({ 0: 1 })
    await fixture.clock.advance(HOUR_MS / 2)
    await fixture.commit({ 1: 1 })
    await fixture.clock.advance(HOUR_MS / 2)
    assert.deepEqual(fixture.offsets(), { 'topic-1': 1 })
    await fixture.clock.advance(HOUR_MS / 2)
    assert.equal(fixture.state(), 'Dead')
    assert.deepEqual(fixture.records().slice(2), [
      { kind: 'offsetCommit', groupId: 'group', topic: 'topic', partition: 0, value: null },
      { kind: 'offsetCommit', groupId: 'group', topic: 'topic', partition: 1, value: null },
    ])
  })

  it('keeps the offsets of an empty group until one retention after it became empty', async () => {
    const fixture = await CoordinatorFixture.started({ config })
    const member = await fixture.stableMember()
    await fixture.commit({ 0: 1 }, { memberId: member.memberId, generationIdOrMemberEpoch: member.generationId })
    await live(fixture, member, 3 * HOUR_MS)
    fixture.leave({ members: [{ memberId: member.memberId }] })
    await fixture.clock.advance(HOUR_MS - 1)
    assert.deepEqual(fixture.offsets(), { 'topic-0': 1 })
    await fixture.clock.advance(1 + CHECK_MS)
    assert.deepEqual(fixture.offsets(), {})
    assert.deepEqual(fixture.records().at(-1), { kind: 'groupMetadata', groupId: 'group', value: null })
    assert.equal(fixture.coordinator.counts().groups, 0)
  })

  it('expires topics that the members of a stable group do not read, and no others', async () => {
    const fixture = await CoordinatorFixture.started({ config })
    const member = await fixture.stableMember()
    const asMember = { memberId: member.memberId, generationIdOrMemberEpoch: member.generationId }
    await fixture.commit({ 0: 1 }, asMember)
    await fixture.commit({ 0: 1 }, { ...asMember, topic: 'former' })
    await live(fixture, member, HOUR_MS + CHECK_MS)
    assert.deepEqual(fixture.offsets(), { 'topic-0': 1 })
    assert.equal(fixture.state(), 'Stable')
  })

  it('expires nothing of a group whose members it does not understand', async () => {
    const fixture = await CoordinatorFixture.started({ config })
    const hostile = [
      Buffer.alloc(0),
      Buffer.from([0]),
      Buffer.from([0, 0, 127, 255, 255, 255]),
      Buffer.from([255, 255]),
    ]
    for (const [index, metadata] of hostile.entries()) {
      const groupId = `group-${index}`
      const joining = fixture.join({ groupId, memberId: '', protocols: [{ name: 'range', metadata }] }, 3)
      await fixture.clock.advance(3000)
      const { memberId = '', generationId = 0 } = await joining
      await fixture.sync({ groupId, memberId, generationId })
      assert.deepEqual(await fixture.commit({ 0: 1 }, { groupId, memberId, generationIdOrMemberEpoch: 1 }), [0])
      const { errorCode, topics } = await fixture.coordinator.offsetDelete({
        groupId,
        topics: [{ name: 'other', partitions: [{ partitionIndex: 0 }] }],
      })
      assert.equal(errorCode ?? 0, 0)
      assert.equal(topics?.[0]?.partitions?.[0]?.errorCode, ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)
    }
  })

  it('KAFKA-13636: expires nothing while the group rebalances', async () => {
    const fixture = await CoordinatorFixture.started({ config })
    const member = await fixture.stableMember({ rebalanceTimeoutMs: 3 * HOUR_MS, sessionTimeoutMs: 1_800_000 })
    await fixture.commit({ 0: 1 }, { memberId: member.memberId, generationIdOrMemberEpoch: member.generationId })
    void fixture.join({ memberId: '' }, 3)
    for (let beat = 0; beat < 4; beat++) {
      await fixture.clock.advance(HOUR_MS / 2 - 1)
      assert.equal(fixture.heartbeat(member.memberId, member.generationId), ErrorCode.REBALANCE_IN_PROGRESS)
      assert.equal(fixture.state(), 'PreparingRebalance')
    }
    assert.deepEqual(fixture.offsets(), { 'topic-0': 1 })
  })

  it('KAFKA-8069: does not expire offsets of old records when it loads them', async () => {
    const fixture = new CoordinatorFixture({ config })
    const key = { kind: 'offsetCommit', groupId: 'group', topic: 'topic', partition: 0 } as const
    const now = fixture.clock.now()
    const value = { offset: 5, leaderEpoch: -1, metadata: '', commitTimestamp: now, expireTimestamp: -1 }
    const encoded = encodeGroupRecord({ ...key, value })
    // Version 1 without an expiry of its own, as brokers before 2.1 wrote it: offset, metadata, commit, expiry.
    const old = Buffer.alloc(2 + 8 + 2 + 8 + 8)
    old.writeInt16BE(1, 0)
    old.writeBigInt64BE(5n, 2)
    old.writeBigInt64BE(BigInt(now), 12)
    old.writeBigInt64BE(-1n, 20)
    await fixture.topic.append(0, encodeBatch({ records: [{ key: encoded.key, value: old, timestamp: now }] }))
    await fixture.coordinator.onElected(0, 0)
    await fixture.coordinator.expireOffsets()
    assert.deepEqual(fixture.offsets(), { 'topic-0': 5 })
    await fixture.clock.advance(HOUR_MS - 1)
    assert.deepEqual(fixture.offsets(), { 'topic-0': 5 })
    await fixture.clock.advance(CHECK_MS)
    assert.deepEqual(fixture.offsets(), {})
  })

  it('honours the retention that old clients ask for, whatever the group does', async () => {
    const fixture = await CoordinatorFixture.started({ config })
    const member = await fixture.stableMember({ protocols: [{ name: 'range', metadata: subscription('other') }] })
    const asMember = { memberId: member.memberId, generationIdOrMemberEpoch: member.generationId }
    await fixture.commit({ 0: 1 }, { ...asMember, retentionTimeMs: 2 * HOUR_MS }, 4)
    await fixture.commit({ 1: 1 }, { ...asMember, retentionTimeMs: 1 }, 2)
    await live(fixture, member, HOUR_MS + CHECK_MS)
    assert.deepEqual(fixture.offsets(), { 'topic-0': 1 })
    await live(fixture, member, HOUR_MS)
    assert.deepEqual(fixture.offsets(), {})
  })

  it('keeps a partition whose commit is under way, and the group with it', async () => {
    const fixture = await CoordinatorFixture.started({ config })
    await fixture.commit({ 0: 1 })
    await fixture.clock.advance(HOUR_MS - 1)
    fixture.topic.holdCommits = true
    const committing = fixture.commit({ 0: 2 })
    await fixture.clock.advance(CHECK_MS)
    fixture.topic.commitAll()
    assert.deepEqual(await committing, [0])
    assert.deepEqual(fixture.offsets(), { 'topic-0': 2 })
  })

  it('takes away empty groups that never had an offset', async () => {
    const fixture = await CoordinatorFixture.started({ config })
    const member = await fixture.stableMember()
    fixture.leave({ members: [{ memberId: member.memberId }] })
    const pending = await fixture.join({ groupId: 'pending', memberId: '', sessionTimeoutMs: 1_800_000 })
    await fixture.clock.advance(CHECK_MS)
    assert.equal(fixture.state(), 'Dead')
    assert.deepEqual(fixture.records().at(-1), { kind: 'groupMetadata', groupId: 'group', value: null })
    assert.equal(fixture.state('pending'), 'Empty', 'somebody holds an id of it')
    void fixture.join({ groupId: 'pending', memberId: pending.memberId ?? '' })
    assert.equal(fixture.state('pending'), 'PreparingRebalance')
  })

  it('tries again when the log refused', async () => {
    const fixture = await CoordinatorFixture.started({ config })
    await fixture.commit({ 0: 1 })
    await fixture.clock.advance(HOUR_MS - 1)
    fixture.topic.failNext('NOT_ENOUGH_REPLICAS')
    await fixture.clock.advance(1)
    assert.deepEqual(fixture.offsets(), { 'topic-0': 1 })
    assert.equal(fixture.state(), 'Empty')
    await fixture.clock.advance(CHECK_MS)
    assert.equal(fixture.state(), 'Dead')
  })

  it('removes the offsets of deleted topics', async () => {
    const fixture = await CoordinatorFixture.started({ config })
    await fixture.commit({ 0: 1 }, { topic: 'gone' })
    await fixture.commit({ 0: 1, 1: 2 })
    await fixture.commit({ 0: 1 }, { topic: 'gone', groupId: 'other' })
    await fixture.coordinator.onPartitionsDeleted([{ topic: 'gone', partition: 0 }])
    assert.deepEqual(fixture.offsets(), { 'topic-0': 1, 'topic-1': 2 })
    assert.equal(fixture.state('other'), 'Dead')
  })
})
