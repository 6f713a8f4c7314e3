import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../protocol/index.ts'
import { CoordinatorFixture, subscription } from './coordinator-fixture.ts'

const NOTHING = new Uint8Array(0)

describe('GroupCoordinator', () => {
  it('takes a member through joining and syncing to a stable group, and writes what it is', async () => {
    const fixture = await CoordinatorFixture.started()
    const first = await fixture.join({ memberId: '' })
    assert.equal(first.errorCode, ErrorCode.MEMBER_ID_REQUIRED)
    const memberId = first.memberId ?? ''
    assert.match(memberId, /^client-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const joining = fixture.join({ memberId })
    await fixture.clock.advance(3000)
    assert.deepEqual(await joining, {
      errorCode: 0,
      generationId: 1,
      protocolType: 'consumer',
      protocolName: 'range',
      leader: memberId,
      skipAssignment: false,
      memberId,
      members: [{ memberId, groupInstanceId: null, metadata: Buffer.from(subscription('topic')) }],
    })
    const completedAt = fixture.clock.now()
    assert.equal(fixture.state(), 'CompletingRebalance')
    const assignments = [{ memberId, assignment: Buffer.from('all of it') }]
    assert.deepEqual(await fixture.sync({ memberId, generationId: 1, assignments }), {
      errorCode: 0,
      protocolType: 'consumer',
      protocolName: 'range',
      assignment: Buffer.from('all of it'),
    })
    assert.equal(fixture.state(), 'Stable')
    assert.deepEqual(fixture.records(), [
      {
        kind: 'groupMetadata',
        groupId: 'group',
        value: {
          protocolType: 'consumer',
          generation: 1,
          protocol: 'range',
          leader: memberId,
          currentStateTimestamp: completedAt,
          members: [
            {
              memberId,
              groupInstanceId: null,
              clientId: 'client',
              clientHost: '/127.0.0.1',
              rebalanceTimeout: 60_000,
              sessionTimeout: 10_000,
              subscription: Buffer.from(subscription('topic')),
              assignment: Buffer.from('all of it'),
            },
          ],
        },
      },
    ])
  })

  it('answers as Kafka does while it loads, before it leads and after it resigned', async () => {
    const fixture = new CoordinatorFixture()
    const member = { memberId: 'm', generationId: 1 }
    assert.equal((await fixture.join({ memberId: '' })).errorCode, ErrorCode.NOT_COORDINATOR)
    const loading = fixture.coordinator.onElected(0, 1)
    const whileLoading = [fixture.join({ memberId: '' }), fixture.sync(member), fixture.commit({ 0: 1 })]
    assert.equal(fixture.heartbeat('m', 1), ErrorCode.NONE)
    const { errorCode } = fixture.coordinator.listGroups({ statesFilter: [], typesFilter: [] })
    assert.equal(errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    const [joined, synced, committed] = await Promise.all(whileLoading)
    assert.ok(joined && 'errorCode' in joined && synced && 'errorCode' in synced)
    assert.equal(joined.errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    assert.equal(synced.errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
    assert.deepEqual(committed, [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS])
    await loading
    assert.equal(fixture.heartbeat('m', 1), ErrorCode.UNKNOWN_MEMBER_ID)
    fixture.coordinator.onResigned(0, 0)
    assert.equal(fixture.heartbeat('m', 1), ErrorCode.UNKNOWN_MEMBER_ID)
    fixture.coordinator.onResigned(0, 2)
    assert.equal(fixture.heartbeat('m', 1), ErrorCode.NOT_COORDINATOR)
    fixture.coordinator.close()
    assert.equal(fixture.heartbeat('m', 1), ErrorCode.COORDINATOR_NOT_AVAILABLE)
  })

  it('sends waiting members to the next coordinator when it resigns, and refuses commits that were under way', async () => {
    const fixture = await CoordinatorFixture.started()
    const joining = fixture.join({ memberId: '' }, 3)
    fixture.topic.holdCommits = true
    const committing = fixture.commit({ 0: 5 }, { groupId: 'other' })
    fixture.coordinator.onResigned(0)
    assert.equal((await joining).errorCode, ErrorCode.NOT_COORDINATOR)
    fixture.topic.commitAll()
    assert.deepEqual(await committing, [ErrorCode.NOT_COORDINATOR])
    await fixture.clock.advance(5 * 60_000)
    assert.equal(fixture.clock.pendingTimers, 1, 'only the timer for expired offsets')
  })

  it('has no groups without a name, but keeps offsets under the empty one', async () => {
    const fixture = await CoordinatorFixture.started()
    assert.equal((await fixture.join({ groupId: '', memberId: '' })).errorCode, ErrorCode.INVALID_GROUP_ID)
    assert.equal((await fixture.sync({ groupId: '', memberId: 'm' })).errorCode, ErrorCode.INVALID_GROUP_ID)
    assert.equal(fixture.leave({ groupId: '', members: [] }).errorCode, ErrorCode.INVALID_GROUP_ID)
    assert.deepEqual(await fixture.commit({ 0: 7 }, { groupId: '' }), [ErrorCode.NONE])
    assert.deepEqual(fixture.offsets(''), { 'topic-0': 7 })
    assert.equal(fixture.state(''), 'Empty')
  })

  it('removes a member whose heartbeats stop, and keeps one that goes on', async () => {
    const fixture = await CoordinatorFixture.started()
    const { memberId, generationId } = await fixture.stableMember()
    for (let beat = 0; beat < 10; beat++) {
      await fixture.clock.advance(9999)
      assert.equal(fixture.heartbeat(memberId, generationId), ErrorCode.NONE)
    }
    await fixture.clock.advance(10_000)
    assert.equal(fixture.heartbeat(memberId, generationId), ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(fixture.state(), 'Empty')
    const last = fixture.records().at(-1)
    assert.ok(last?.kind === 'groupMetadata')
    assert.deepEqual(
      { ...last.value, currentStateTimestamp: 0 },
      {
        protocolType: 'consumer',
        generation: 2,
        protocol: null,
        leader: null,
        currentStateTimestamp: 0,
        members: [],
      },
    )
  })

  it('is the same after a restart: groups, members, assignments, offsets', async () => {
    const fixture = await CoordinatorFixture.started()
    const { memberId, generationId } = await fixture.stableMember()
    await fixture.commit({ 0: 10, 1: 20 }, { memberId, generationIdOrMemberEpoch: generationId })
    await fixture.commit({ 0: 1 }, { groupId: 'simple' })
    const before = [fixture.describe(), fixture.offsets(), fixture.describe('simple'), fixture.offsets('simple')]
    fixture.coordinator.close()
    const next = await CoordinatorFixture.started({ clock: fixture.clock, topic: fixture.topic })
    assert.deepEqual([next.describe(), next.offsets(), next.describe('simple'), next.offsets('simple')], before)
    assert.equal(next.heartbeat(memberId, generationId), ErrorCode.NONE)
    await next.clock.advance(10_000)
    assert.equal(next.heartbeat(memberId, generationId), ErrorCode.UNKNOWN_MEMBER_ID, 'sessions run from the load on')
  })

  it('lets go of a loaded group that has grown beyond group.max.size', async () => {
    const fixture = await CoordinatorFixture.started()
    const { memberId, generationId } = await fixture.stableMember()
    fixture.coordinator.close()
    const limits = { maxSize: 0 }
    const next = await CoordinatorFixture.started({ clock: fixture.clock, topic: fixture.topic, limits })
    assert.equal(next.state(), 'PreparingRebalance')
    assert.equal(next.heartbeat(memberId, generationId), ErrorCode.REBALANCE_IN_PROGRESS)
    assert.deepEqual(await next.commit({ 0: 5 }, { memberId, generationIdOrMemberEpoch: generationId }), [
      ErrorCode.NONE,
    ])
    assert.equal((await next.join({ memberId })).errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
    assert.equal(next.state(), 'Empty')
  })

  it('lists groups by state and type, without regard to case', async () => {
    const fixture = await CoordinatorFixture.started()
    await fixture.stableMember()
    await fixture.commit({ 0: 1 }, { groupId: 'simple' })
    const list = (statesFilter: string[], typesFilter: string[] = []) =>
      fixture.coordinator.listGroups({ statesFilter, typesFilter }).groups
    const group = { groupId: 'group', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' }
    const simple = { groupId: 'simple', protocolType: '', groupState: 'Empty', groupType: 'classic' }
    assert.deepEqual(list([]), [group, simple])
    assert.deepEqual(list(['stable']), [group])
    assert.deepEqual(list(['EMPTY', 'Dead'], ['Classic']), [simple])
    assert.deepEqual(list([], ['consumer']), [])
  })

  it('describes members of a stable group in full, and of no other', async () => {
    const fixture = await CoordinatorFixture.started()
    const { memberId } = await fixture.stableMember()
    const member = { memberId, groupInstanceId: null, clientId: 'client', clientHost: '/127.0.0.1' }
    assert.deepEqual(fixture.describe(), {
      errorCode: 0,
      groupId: 'group',
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
      members: [
        { ...member, memberMetadata: Buffer.from(subscription('topic')), memberAssignment: Buffer.from('mine') },
      ],
    })
    void fixture.join({ memberId: '' }, 3)
    const described = fixture.describe()
    assert.equal(described?.protocolData, '')
    assert.deepEqual(described?.members?.[0], { ...member, memberMetadata: NOTHING, memberAssignment: NOTHING })
    assert.equal(fixture.state('nobody'), 'Dead')
    const context = { apiVersion: 6, clientId: '', clientHost: '' }
    const request = { groups: ['nobody'], includeAuthorizedOperations: false }
    const [missing] = fixture.coordinator.describeGroups(request, context).groups ?? []
    assert.equal(missing?.errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
    assert.equal(missing?.errorMessage, 'Group nobody not found.')
  })

  it('deletes an empty group with tombstones for all there is of it, and no other', async () => {
    const fixture = await CoordinatorFixture.started()
    const { memberId, generationId } = await fixture.stableMember()
    await fixture.commit({ 0: 1, 3: 2 }, { memberId, generationIdOrMemberEpoch: generationId })
    const remove = async (...groupsNames: string[]) =>
      (await fixture.coordinator.deleteGroups({ groupsNames })).results?.map(({ errorCode }) => errorCode)
    assert.deepEqual(await remove('group', 'nobody'), [ErrorCode.NON_EMPTY_GROUP, ErrorCode.GROUP_ID_NOT_FOUND])
    fixture.leave({ members: [{ memberId }] })
    await fixture.clock.settle()
    const before = fixture.records().length
    fixture.topic.failNext('NOT_ENOUGH_REPLICAS')
    assert.deepEqual(await remove('group'), [ErrorCode.COORDINATOR_NOT_AVAILABLE])
    assert.equal(fixture.state(), 'Empty')
    assert.deepEqual(await remove('group', 'group'), [ErrorCode.NONE])
    assert.deepEqual(fixture.records().slice(before), [
      { kind: 'offsetCommit', groupId: 'group', topic: 'topic', partition: 0, value: null },
      { kind: 'offsetCommit', groupId: 'group', topic: 'topic', partition: 3, value: null },
      { kind: 'groupMetadata', groupId: 'group', value: null },
    ])
    assert.equal(fixture.state(), 'Dead')
    assert.deepEqual(fixture.coordinator.counts().groups, 0)
    fixture.coordinator.close()
    const next = await CoordinatorFixture.started({ clock: fixture.clock, topic: fixture.topic })
    assert.equal(next.coordinator.counts().groups, 0)
  })

  it('deletes with a group also the offset whose commit was still under way', async () => {
    const fixture = await CoordinatorFixture.started()
    await fixture.commit({ 0: 1 })
    fixture.topic.holdCommits = true
    const committing = fixture.commit({ 1: 1 })
    const deleting = fixture.coordinator.deleteGroups({ groupsNames: ['group'] })
    assert.equal((await fixture.join({ memberId: '' }, 3)).errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE)
    fixture.topic.commitAll()
    assert.deepEqual(await committing, [ErrorCode.NONE])
    assert.equal((await deleting).results?.[0]?.errorCode, ErrorCode.NONE)
    assert.deepEqual(fixture.offsets(), {})
    fixture.coordinator.close()
    const next = await CoordinatorFixture.started({ clock: fixture.clock, topic: fixture.topic })
    assert.deepEqual(next.offsets(), {})
  })
})
