import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { ErrorCode } from '../../protocol/index.ts'
import { GroupScenario, protocols } from './group-scenario.ts'

const STATIC = { groupInstanceId: 'instance' }

describe('decideJoin', () => {
  it('leaves the group it decides on as it was', () => {
    const scenario = new GroupScenario()
    scenario.stable({}, {})
    const before = scenario.group
    const shown = inspect(before, { depth: 9 })
    scenario.join()
    scenario.leave({ memberId: 'client-1' })
    assert.equal(inspect(before, { depth: 9 }), shown)
    assert.notEqual(inspect(scenario.group, { depth: 9 }), shown)
  })

  it('gives a new dynamic member an id to come back with, for a session long (KIP-394)', () => {
    const scenario = new GroupScenario()
    const request = scenario.join({ requireKnownMemberId: true, sessionTimeoutMs: 7000 })
    assert.equal(scenario.joined(request).errorCode, ErrorCode.MEMBER_ID_REQUIRED)
    assert.equal(scenario.joined(request).memberId, 'client-1')
    assert.deepEqual(scenario.timers, { 'member:client-1': 7000 })
    assert.deepEqual([...scenario.group.pendingMembers], ['client-1'])
    assert.equal(scenario.group.state, 'Empty')
    scenario.join({ memberId: 'client-1' })
    assert.deepEqual([...scenario.group.pendingMembers], [])
    assert.deepEqual([...scenario.group.members.keys()], ['client-1'])
    assert.deepEqual(scenario.timers, { 'member:client-1': 300_000, join: 3000 })
  })

  it('bounds the ids that are given out', () => {
    const scenario = new GroupScenario({ maxPendingMembers: 2 })
    for (let count = 0; count < 2; count++) scenario.join({ requireKnownMemberId: true })
    const request = scenario.join({ requireKnownMemberId: true })
    assert.equal(scenario.joined(request).errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
  })

  it('does not know members that it has not let in', () => {
    const scenario = new GroupScenario()
    scenario.stable({})
    assert.equal(scenario.joined(scenario.join({ memberId: 'stranger' })).errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    const asStatic = scenario.join({ memberId: 'client-1', ...STATIC })
    assert.equal(scenario.joined(asStatic).errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('refuses members whose protocols do not fit the others', () => {
    const scenario = new GroupScenario()
    const refused = (request: object) => scenario.joined(scenario.join(request)).errorCode
    assert.equal(refused({ protocols: [] }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(refused({ protocolType: '' }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    scenario.stable({ protocols: protocols('range', 'sticky') })
    assert.equal(refused({ protocolType: 'connect' }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(refused({ protocols: protocols('other') }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    const fits = scenario.join({ protocols: protocols('other', 'sticky') })
    assert.equal(scenario.answers.has(fits), false)
  })

  it('chooses the protocol that most members like best of those that all know', () => {
    const scenario = new GroupScenario()
    const members = scenario.stable(
      { protocols: protocols('mine', 'range', 'sticky') },
      { protocols: protocols('sticky', 'range') },
      { protocols: protocols('sticky', 'range') },
    )
    assert.equal(scenario.group.protocolName, 'sticky')
    const metadata = [...scenario.answers.values()].flatMap(answer => ('members' in answer ? answer.members : []))
    assert.deepEqual(
      metadata.map(member => [member.memberId, String(member.metadata)]),
      members.map(memberId => [memberId, 'sticky']),
    )
  })

  it('keeps the group within group.max.size', () => {
    const scenario = new GroupScenario({ maxSize: 2 })
    const [first = '', second = ''] = scenario.stable({}, {})
    assert.equal(scenario.joined(scenario.join()).errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
    assert.equal(scenario.group.state, 'Stable')
    scenario.join({ memberId: first })
    scenario.join({ memberId: second })
    assert.equal(scenario.group.state, 'CompletingRebalance')
    assert.equal(scenario.group.members.size, 2)
  })

  it('gives late comers the places of members that have not come back yet', () => {
    const scenario = new GroupScenario({ maxSize: 2 })
    const [first = '', second = ''] = scenario.stable({}, {})
    scenario.join({ memberId: first })
    scenario.join()
    const late = scenario.join({ memberId: second })
    assert.equal(scenario.joined(late).errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
    assert.equal(scenario.group.state, 'CompletingRebalance')
    assert.equal(scenario.group.members.size, 2)
  })

  it('answers a follower that joins again unchanged, without a rebalance', () => {
    const scenario = new GroupScenario()
    const [leader = '', follower = ''] = scenario.stable({}, {})
    const request = scenario.join({ memberId: follower })
    assert.deepEqual(scenario.joined(request), {
      errorCode: 0,
      generationId: 1,
      protocolType: 'consumer',
      protocolName: 'range',
      leader,
      skipAssignment: false,
      memberId: follower,
      members: [],
    })
    assert.equal(scenario.group.state, 'Stable')
  })

  it('rebalances when the leader joins again, or a member changed', () => {
    const scenario = new GroupScenario()
    const [leader = '', follower = ''] = scenario.stable({}, {})
    scenario.join({ memberId: leader })
    assert.equal(scenario.group.state, 'PreparingRebalance')
    scenario.join({ memberId: follower })
    assert.equal(scenario.group.state, 'CompletingRebalance')
    const again = scenario.join({ memberId: leader })
    assert.equal(scenario.joined(again).generationId, 2, 'it may have missed the answer')
    assert.equal(scenario.joined(again).members.length, 2)
    scenario.join({ memberId: follower, protocols: protocols('range', 'sticky') })
    assert.equal(scenario.group.state, 'PreparingRebalance')
  })

  it('answers a JoinGroup that a later one of the same member takes the place of', () => {
    const scenario = new GroupScenario()
    const [leader = ''] = scenario.stable({}, {})
    const first = scenario.join({ memberId: leader })
    const second = scenario.join({ memberId: leader })
    assert.equal(scenario.joined(first).errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
    assert.equal(scenario.answers.has(second), false)
    assert.equal(scenario.group.awaitingJoinCount, 1)
  })
})

describe('decideJoin of a static member', () => {
  it('takes its old place in a stable group when the log knows its new id', () => {
    const scenario = new GroupScenario()
    const [leader = '', other = ''] = scenario.stable(STATIC, {})
    const request = scenario.join(STATIC)
    assert.equal(scenario.answers.has(request), false)
    assert.deepEqual(
      scenario.records[0]?.value?.members.map(member => [member.memberId, String(member.assignment)]),
      [
        ['instance-3', `of ${leader}`],
        [other, `of ${other}`],
      ],
    )
    scenario.stored()
    const result = scenario.joined(request)
    assert.equal(result.memberId, 'instance-3')
    assert.equal(result.generationId, 1)
    assert.equal(result.leader, 'instance-3')
    assert.equal(result.skipAssignment, true, 'the assignment stands (KIP-814)')
    assert.deepEqual(
      result.members.map(({ memberId }) => memberId),
      ['instance-3', other],
    )
    assert.equal(scenario.group.state, 'Stable')
    const synced = scenario.sync('instance-3', STATIC)
    assert.equal(String(scenario.synced(synced).assignment), `of ${leader}`)
    const fenced = scenario.sync(leader, STATIC)
    assert.equal(scenario.synced(fenced).errorCode, ErrorCode.FENCED_INSTANCE_ID)
  })

  it('hears of its old id as leader if it does not know skipAssignment, so that it does not assign', () => {
    const scenario = new GroupScenario()
    const [leader = ''] = scenario.stable(STATIC, {})
    const request = scenario.join({ ...STATIC, supportsSkippingAssignment: false })
    scenario.stored()
    const { leader: told, members, skipAssignment } = scenario.joined(request)
    assert.deepEqual({ told, members, skipAssignment }, { told: leader, members: [], skipAssignment: false })
    assert.equal(scenario.group.leaderId, 'instance-3')
  })

  it('gets an error, and its old self stands again, if the log refuses', () => {
    const scenario = new GroupScenario()
    scenario.stable(STATIC, {})
    const before = scenario.group
    const request = scenario.join({ ...STATIC, sessionTimeoutMs: 20_000, protocols: protocols('range', 'sticky') })
    scenario.stored('NOT_COORDINATOR')
    assert.equal(scenario.joined(request).errorCode, ErrorCode.NOT_COORDINATOR)
    assert.equal(scenario.joined(request).memberId, '')
    assert.deepEqual(scenario.group, before)
    assert.deepEqual(scenario.timers, { 'member:instance-3': undefined, 'member:instance-1': 10_000 })
  })

  it('rebalances the group if its protocols change the choice', () => {
    const scenario = new GroupScenario()
    scenario.stable({ ...STATIC, protocols: protocols('range', 'sticky') })
    scenario.join({ ...STATIC, protocols: protocols('sticky', 'range') })
    assert.equal(scenario.records.length, 0)
    assert.equal(scenario.group.state, 'CompletingRebalance')
    assert.equal(scenario.group.generationId, 2)
    assert.equal(scenario.group.protocolName, 'sticky')
  })

  it('restarts a rebalance whose leader may know its old id', () => {
    const scenario = new GroupScenario()
    scenario.join(STATIC)
    const other = scenario.join()
    scenario.joinTimer()
    scenario.joinTimer()
    const parked = scenario.sync(scenario.joined(other).memberId)
    scenario.join(STATIC)
    assert.equal(scenario.group.state, 'PreparingRebalance')
    assert.equal(scenario.synced(parked).errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it('fences the requests of its old self', () => {
    const scenario = new GroupScenario()
    scenario.stable({}, STATIC)
    const old = scenario.join({ memberId: 'instance-2', ...STATIC, protocols: protocols('range', 'x') })
    const replacement = scenario.join(STATIC)
    assert.equal(scenario.joined(old).errorCode, ErrorCode.FENCED_INSTANCE_ID)
    assert.equal(scenario.answers.has(replacement), false)
    const late = scenario.join({ memberId: 'instance-2', ...STATIC })
    assert.equal(scenario.joined(late).errorCode, ErrorCode.FENCED_INSTANCE_ID)
    assert.equal(scenario.group.awaitingJoinCount, 1)
  })

  it('has a session again when the log has answered, though the old one ran out meanwhile', () => {
    const scenario = new GroupScenario()
    scenario.stable(STATIC)
    scenario.join(STATIC)
    const storing = scenario.decision
    scenario.session('instance-2')
    assert.ok(scenario.group.members.has('instance-2'), 'its request waits')
    scenario.stored(undefined, storing)
    assert.deepEqual(scenario.timers, { 'member:instance-2': 10_000 })
  })

  it('is answered by the rebalance that begins before the log has answered', () => {
    const scenario = new GroupScenario()
    const [, other = ''] = scenario.stable(STATIC, {})
    const request = scenario.join(STATIC)
    const storing = scenario.decision
    scenario.join({ memberId: other, protocols: protocols('range', 'x') })
    assert.equal(scenario.joined(request).generationId, 2)
    scenario.stored(undefined, storing)
    assert.equal(scenario.group.state, 'CompletingRebalance')
    assert.equal(scenario.group.generationId, 2)
  })
})
