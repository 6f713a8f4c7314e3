import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../protocol/index.ts'
import { GroupScenario } from './group-scenario.ts'

/** Two members that have joined; the first leads. */
function completing(): { readonly scenario: GroupScenario; readonly leader: string; readonly follower: string } {
  const scenario = new GroupScenario()
  const requests = [scenario.join(), scenario.join({ groupInstanceId: 'b' })]
  scenario.joinTimer()
  scenario.joinTimer()
  const [leader = '', follower = ''] = requests.map(request => scenario.joined(request).memberId)
  return { scenario, leader, follower }
}

describe('decideSync', () => {
  it('checks member, instance, generation and protocol', () => {
    const { scenario, leader, follower } = completing()
    const error = (memberId: string, request: object) => scenario.synced(scenario.sync(memberId, request)).errorCode
    assert.equal(error('nobody', {}), ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(error('nobody', { groupInstanceId: 'b' }), ErrorCode.FENCED_INSTANCE_ID)
    assert.equal(error(follower, { groupInstanceId: 'other' }), ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(error(leader, { generationId: 0 }), ErrorCode.ILLEGAL_GENERATION)
    assert.equal(error(leader, { protocolType: 'connect' }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(error(leader, { protocolName: 'sticky' }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    scenario.join()
    assert.equal(error(leader, {}), ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it("writes the leader's assignment for the members there are, and answers when it is in the log", () => {
    const { scenario, leader, follower } = completing()
    const waiting = scenario.sync(follower, { groupInstanceId: 'b' })
    const assignments = [
      { memberId: leader, assignment: Buffer.from('a') },
      { memberId: 'nobody', assignment: Buffer.from('x') },
    ]
    const leading = scenario.sync(leader, { assignments })
    assert.deepEqual(
      scenario.records[0]?.value?.members.map(member => [member.memberId, String(member.assignment)]),
      [
        [leader, 'a'],
        [follower, ''],
      ],
    )
    assert.equal(scenario.group.state, 'CompletingRebalance')
    assert.equal(scenario.answers.has(leading), false)
    scenario.stored()
    assert.equal(scenario.group.state, 'Stable')
    assert.equal(String(scenario.synced(leading).assignment), 'a')
    assert.equal(String(scenario.synced(waiting).assignment), '')
    assert.deepEqual(scenario.timers, { [`member:${leader}`]: 10_000, [`member:${follower}`]: 10_000 })
  })

  it('sends all back to join when the log refuses the assignment', () => {
    const { scenario, leader, follower } = completing()
    const waiting = scenario.sync(follower)
    const leading = scenario.sync(leader, { assignments: [{ memberId: leader, assignment: Buffer.from('a') }] })
    scenario.stored('COORDINATOR_NOT_AVAILABLE')
    assert.equal(scenario.synced(leading).errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE)
    assert.equal(scenario.synced(waiting).errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE)
    assert.equal(scenario.group.state, 'PreparingRebalance')
    assert.equal(scenario.group.generationId, 1)
  })

  it('forgets an assignment that the log accepts after the group has moved on', () => {
    const { scenario, leader, follower } = completing()
    const leading = scenario.sync(leader)
    const storing = scenario.decision
    scenario.leave({ memberId: follower })
    assert.equal(scenario.synced(leading).errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
    const before = scenario.group
    scenario.stored(undefined, storing)
    assert.deepEqual(scenario.group, before)
  })

  it('answers a SyncGroup that a later one of the same member takes the place of', () => {
    const { scenario, follower } = completing()
    const first = scenario.sync(follower)
    const second = scenario.sync(follower)
    assert.equal(scenario.synced(first).errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
    assert.equal(scenario.answers.has(second), false)
  })

  it('gives a member of a stable group its assignment at once', () => {
    const { scenario, leader, follower } = completing()
    scenario.sync(leader, { assignments: [{ memberId: follower, assignment: Buffer.from('b') }] })
    scenario.stored()
    const late = scenario.sync(follower, { protocolType: 'consumer', protocolName: 'range' })
    assert.deepEqual(scenario.synced(late), {
      errorCode: 0,
      protocolType: 'consumer',
      protocolName: 'range',
      assignment: Buffer.from('b'),
    })
    assert.equal(scenario.timers.sync, undefined)
  })
})
