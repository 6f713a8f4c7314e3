import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../protocol/index.ts'
import { GroupScenario } from './group-scenario.ts'

describe('a rebalance', () => {
  it('waits the initial delay out, and longer while others come, up to the rebalance timeout', () => {
    const scenario = new GroupScenario()
    const first = scenario.join({ rebalanceTimeoutMs: 7000 })
    assert.equal(scenario.timers.join, 3000)
    scenario.join()
    scenario.joinTimer()
    assert.equal(scenario.timers.join, 3000, 'somebody came')
    scenario.join()
    scenario.joinTimer()
    assert.equal(scenario.timers.join, 1000, 'what is left of 7 seconds')
    scenario.join()
    scenario.joinTimer()
    assert.equal(scenario.joined(first).generationId, 1, 'nothing is left')
    assert.equal(scenario.group.members.size, 4)
  })

  it('does not wait for others when nobody came during the delay', () => {
    const scenario = new GroupScenario()
    const first = scenario.join()
    scenario.joinTimer()
    assert.equal(scenario.joined(first).generationId, 1)
    assert.deepEqual(scenario.timers, { sync: 60_000, join: undefined, 'member:client-1': 10_000 })
  })

  it('ends as soon as all members have joined again', () => {
    const scenario = new GroupScenario()
    const [first = '', second = ''] = scenario.stable({}, { rebalanceTimeoutMs: 90_000 })
    const requests = [scenario.join({ memberId: first })]
    assert.equal(scenario.timers.join, 90_000, 'the longest of the members')
    requests.push(scenario.join({ memberId: second }))
    assert.deepEqual(
      requests.map(request => scenario.joined(request).generationId),
      [2, 2],
    )
    assert.deepEqual([...scenario.group.pendingSync], [first, second])
  })

  it('puts dynamic members out that have not come when its time is over, and makes one who came the leader', () => {
    const scenario = new GroupScenario()
    const [leader = '', second = '', third = ''] = scenario.stable({}, {}, {})
    scenario.session(leader)
    const request = scenario.join({ memberId: second })
    scenario.joinTimer()
    assert.equal(scenario.joined(request).leader, second)
    assert.deepEqual([...scenario.group.members.keys()], [second])
    assert.equal(scenario.group.members.has(third), false)
  })

  it('keeps static members that have not come, with a leader who has', () => {
    const scenario = new GroupScenario()
    const [leader = '', second = ''] = scenario.stable({ groupInstanceId: 'a' }, {})
    const request = scenario.join({ memberId: second, protocols: [{ name: 'range', metadata: Buffer.from('new') }] })
    scenario.joinTimer()
    assert.equal(scenario.joined(request).leader, second)
    assert.deepEqual(
      scenario.joined(request).members.map(({ memberId }) => memberId),
      [leader, second],
    )
  })

  it('goes on waiting while only static members are left and none has come', () => {
    const scenario = new GroupScenario()
    const [first = '', second = ''] = scenario.stable({ groupInstanceId: 'a' }, {})
    scenario.leave({ memberId: second })
    assert.equal(scenario.group.state, 'PreparingRebalance')
    scenario.joinTimer()
    assert.equal(scenario.group.state, 'PreparingRebalance')
    assert.deepEqual(scenario.timers, { join: 60_000 })
    scenario.session(first)
    assert.equal(scenario.group.state, 'Empty')
  })

  it('begins a generation without members when the last has left, and writes that', () => {
    const scenario = new GroupScenario()
    const [only = ''] = scenario.stable({})
    scenario.now = 77
    assert.deepEqual(scenario.leave({ memberId: only }), [{ memberId: only, groupInstanceId: null, errorCode: 0 }])
    assert.equal(scenario.group.state, 'Empty')
    assert.deepEqual(scenario.records, [
      {
        kind: 'groupMetadata',
        groupId: 'group',
        value: {
          protocolType: 'consumer',
          generation: 2,
          protocol: null,
          leader: null,
          currentStateTimestamp: 77,
          members: [],
        },
      },
    ])
    assert.equal(scenario.timers[`member:${only}`], undefined)
  })

  it('waits for ids that were given out, and no longer than their session', () => {
    const scenario = new GroupScenario()
    const [first = ''] = scenario.stable({})
    scenario.join({ requireKnownMemberId: true })
    const request = scenario.join({ memberId: first })
    assert.equal(scenario.answers.has(request), false)
    scenario.session('client-2')
    assert.equal(scenario.joined(request).generationId, 2)
  })

  it('ends also when the id it waited for is given back', () => {
    const scenario = new GroupScenario()
    const [first = ''] = scenario.stable({})
    scenario.join({ requireKnownMemberId: true })
    const request = scenario.join({ memberId: first })
    assert.equal(scenario.leave({ memberId: 'client-2' })[0]?.errorCode, 0)
    assert.equal(scenario.joined(request).generationId, 2)
  })

  it('lets members that wait live, but new ones only for five minutes', () => {
    const scenario = new GroupScenario()
    const [first = ''] = scenario.stable({}, {})
    scenario.join({ memberId: first })
    scenario.session(first)
    assert.ok(scenario.group.members.has(first))
    const newcomer = scenario.join()
    scenario.session('client-3')
    assert.equal(scenario.joined(newcomer).errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(scenario.group.members.size, 2)
  })

  it('KAFKA-12890: goes on without members that never send SyncGroup', () => {
    const scenario = new GroupScenario()
    const requests = [scenario.join(), scenario.join(), scenario.join()]
    scenario.joinTimer()
    scenario.joinTimer()
    const [leader = '', follower = '', silent = ''] = requests.map(request => scenario.joined(request).memberId)
    const synced = scenario.sync(follower)
    scenario.sync(leader)
    scenario.stored()
    assert.equal(scenario.synced(synced).errorCode, 0)
    assert.deepEqual([...scenario.group.pendingSync], [silent])
    scenario.syncTimer()
    assert.equal(scenario.group.state, 'PreparingRebalance')
    assert.equal(scenario.group.members.has(silent), false)
    const rejoined = [scenario.join({ memberId: leader }), scenario.join({ memberId: follower })]
    assert.deepEqual(
      rejoined.map(request => scenario.joined(request).generationId),
      [2, 2],
    )
  })

  it('KAFKA-12890: goes on without a leader that never sends SyncGroup, telling those who wait', () => {
    const scenario = new GroupScenario()
    const requests = [scenario.join(), scenario.join()]
    scenario.joinTimer()
    scenario.joinTimer()
    const [leader = '', follower = ''] = requests.map(request => scenario.joined(request).memberId)
    const waiting = scenario.sync(follower)
    scenario.syncTimer()
    assert.equal(scenario.synced(waiting).errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
    assert.equal(scenario.group.members.has(leader), false)
    assert.equal(scenario.group.leaderId, follower)
  })

  it('cancels the wait for SyncGroup with the last one', () => {
    const scenario = new GroupScenario()
    const requests = [scenario.join(), scenario.join()]
    scenario.joinTimer()
    scenario.joinTimer()
    const [leader = '', follower = ''] = requests.map(request => scenario.joined(request).memberId)
    scenario.sync(follower)
    assert.equal('sync' in scenario.timers, false)
    scenario.sync(leader)
    assert.deepEqual(scenario.timers, { sync: undefined })
  })
})

describe('decideLeave', () => {
  it('answers each member for itself', () => {
    const scenario = new GroupScenario()
    const [, dynamic = ''] = scenario.stable({ groupInstanceId: 'a' }, {}, { groupInstanceId: 'b' }, {})
    const errors = scenario
      .leave(
        { groupInstanceId: 'a' },
        { groupInstanceId: 'nobody' },
        { memberId: 'wrong', groupInstanceId: 'b' },
        { memberId: dynamic },
        { memberId: dynamic },
      )
      .map(({ errorCode }) => errorCode)
    const { FENCED_INSTANCE_ID, NONE, UNKNOWN_MEMBER_ID } = ErrorCode
    assert.deepEqual(errors, [NONE, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, NONE, UNKNOWN_MEMBER_ID])
    assert.deepEqual([...scenario.group.members.keys()], ['b-3', 'client-4'])
    assert.equal(scenario.group.state, 'PreparingRebalance')
  })

  it('answers the request that the leaving member has waiting', () => {
    const scenario = new GroupScenario()
    const [first = ''] = scenario.stable({}, {})
    const request = scenario.join({ memberId: first })
    scenario.leave({ memberId: first })
    assert.equal(scenario.joined(request).errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(scenario.group.awaitingJoinCount, 0)
  })
})
