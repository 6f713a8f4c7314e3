/** Members of a group that restart, impersonate each other, fall silent, or come and go in crowds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { PATIENCE_MS, sleep } from '../compat/process.ts'
import { cycles, report } from './cycles.ts'
import { GroupClient } from './group-client.ts'
import { withBroker } from './with-broker.ts'

const TOPIC = 'data'
const PROPERTIES = { 'offsets.topic.num.partitions': '2', 'group.min.session.timeout.ms': '500' }

async function withGroups(body: (broker: BrokerProcess) => Promise<void>): Promise<void> {
  await withBroker({ properties: PROPERTIES }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: 1 }])
    await body(broker)
  })
}

/** Members that are in one generation together. */
async function together(members: readonly GroupClient[]): Promise<void> {
  await members[0]!.enter()
  for (const [index, newcomer] of members.entries()) {
    if (index > 0) await Promise.all([newcomer.enter(), ...members.slice(0, index).map(member => member.rejoin())])
  }
  assert.equal(new Set(members.map(({ generationId }) => generationId)).size, 1)
}

/** A heartbeat is answered NONE while the group is loaded; a question for its offsets waits. */
async function untilLoaded(member: GroupClient): Promise<void> {
  await member.committed(TOPIC)
}

test('a static member that restarts keeps its partitions without a rebalance, and so do all when the broker is killed', async context => {
  await withGroups(async broker => {
    const member = (name: string): GroupClient =>
      new GroupClient(broker.port, { groupId: 'static', instanceId: name, sessionTimeoutMs: 20_000 })
    let members = ['a', 'b', 'c'].map(member)
    await together(members)
    const generation = members[0]!.generationId
    const assignments = members.map(({ assignment }) => assignment)
    const rounds = cycles(5)
    let restarts = 0
    for (let round = 0; round < rounds; round++) {
      members[round % 3]!.close()
      const reborn = member(['a', 'b', 'c'][round % 3]!)
      assert.equal(await reborn.join(), 'NONE')
      assert.equal(await reborn.sync(), 'NONE')
      members = members.map((one, index) => (index === round % 3 ? reborn : one))
      restarts++
      if (round % 2 === 0) {
        await broker.killHard()
        for (const one of members) one.close()
        await broker.restart()
        await untilLoaded(members[0]!)
      }
      for (const [index, one] of members.entries()) {
        assert.equal(await one.heartbeat(), 'NONE')
        assert.deepEqual([one.generationId, one.assignment], [generation, assignments[index]])
      }
    }
    for (const one of members) one.close()
    report(context.name, { restarts, rebalances: 0 })
  })
})

test('of two members with one group.instance.id the older is fenced, also after kill -9 of the broker', async context => {
  await withGroups(async broker => {
    const options = { groupId: 'fenced', instanceId: 'only', sessionTimeoutMs: 20_000 }
    const older = new GroupClient(broker.port, options)
    await older.enter()
    assert.equal(await older.commit(TOPIC, 1), 'NONE')
    const newer = new GroupClient(broker.port, options)
    await newer.enter()
    let fenced = 0
    for (const isKilled of [false, true]) {
      if (isKilled) {
        await broker.killHard()
        for (const one of [older, newer]) one.close()
        await broker.restart()
        await untilLoaded(newer)
      }
      const refusals = [await older.heartbeat(), await older.commit(TOPIC, 99), await older.sync(), await older.join()]
      assert.deepEqual(new Set(refusals), new Set(['FENCED_INSTANCE_ID']))
      fenced += refusals.length
      assert.equal(await newer.heartbeat(), 'NONE')
      assert.equal(await newer.committed(TOPIC), 1)
    }
    for (const one of [older, newer]) one.close()
    report(context.name, { 'requests fenced': fenced })
  })
})

test('a member that joins and never sends SyncGroup is put out, and the others go on', async context => {
  await withGroups(async broker => {
    const options = { groupId: 'silent', sessionTimeoutMs: 5_000, rebalanceTimeoutMs: 1_000 }
    const rounds = cycles(2)
    for (let round = 0; round < rounds; round++) {
      const member = new GroupClient(broker.port, options)
      await member.enter()
      const follower = new GroupClient(broker.port, options)
      await Promise.all([follower.join(), member.rejoin()])
      await whileAlive(follower, member.rejoin())
      assert.deepEqual(member.members, [member.memberId], 'a follower that never syncs is put out')
      assert.equal(await follower.heartbeat(), 'UNKNOWN_MEMBER_ID')

      const victim = new GroupClient(broker.port, options)
      const entering = victim.enter()
      while ((await member.heartbeat()) === 'NONE') await sleep(5)
      assert.equal(await member.join(), 'NONE')
      assert.ok(member.leads, 'the leader stays leader')
      await whileAlive(member, entering)
      assert.deepEqual(victim.members, [victim.memberId], 'a leader that never syncs is put out')
      assert.equal(await victim.leave(), 'NONE')
      for (const one of [member, follower, victim]) one.close()
    }
    report(context.name, { 'members put out': 2 * rounds })
  })
})

/** Sends heartbeats for a member until `work` is done, so that its session does not end. */
async function whileAlive(member: GroupClient, work: Promise<void>): Promise<void> {
  let isDone = false
  const beating = (async () => {
    while (!isDone) {
      await member.heartbeat()
      await sleep(100)
    }
  })()
  try {
    await work
  } finally {
    isDone = true
    await beating
  }
}

const CROWD = 200
const STEADY = 5
const GENERATIONS = 3

test('200 members that come and go do not keep the others from their work, and at the end those are in one generation', async context => {
  await withGroups(async broker => {
    const options = { groupId: 'crowd', sessionTimeoutMs: 2_000, rebalanceTimeoutMs: 1_000 }
    const steady = Array.from({ length: STEADY }, () => new GroupClient(broker.port, options))
    let [commits, comings] = [0, 0]
    const generations = new Set<number>()
    const deadline = Date.now() + PATIENCE_MS
    const goesOn = (): boolean => (generations.size < GENERATIONS || comings < CROWD) && Date.now() < deadline
    const work = async (member: GroupClient): Promise<void> => {
      while (goesOn()) {
        await member.enter()
        generations.add(member.generationId)
        do {
          if (member === steady[0] && (await member.commit(TOPIC, commits)) === 'NONE') commits++
          await sleep(20)
        } while (goesOn() && (await member.heartbeat()) === 'NONE')
      }
    }
    /** Leaves properly, or vanishes before or after it has synced. */
    const comeAndGo = async (index: number): Promise<void> => {
      for (let turn = index; goesOn(); turn++) {
        await sleep((index * 37 + turn * 101) % 6_000)
        const member = new GroupClient(broker.port, options)
        const joined = await member.join()
        comings++
        if (turn % 3 > 0 && joined === 'NONE') await member.sync()
        if (turn % 3 === 1) await member.leave()
        member.close()
      }
    }
    await Promise.all([...steady.map(work), ...Array.from({ length: CROWD }, (_, index) => comeAndGo(index))])
    assert.ok(comings >= CROWD, `only ${comings} times a member came`)
    assert.ok(generations.size >= GENERATIONS, `only ${generations.size} generations became stable`)
    assert.ok(commits > 0, 'no offset was committed')
    assert.equal(await steady[0]!.committed(TOPIC), commits - 1)
    await settle(steady)
    for (const member of steady) member.close()
    report(context.name, { comings, 'stable generations': generations.size, 'offsets committed': commits })
  })
})

/** All of these members and nobody else come to be in one generation, and stay. */
async function settle(members: readonly GroupClient[]): Promise<void> {
  const isSettled = (): boolean =>
    new Set(members.map(({ generationId }) => generationId)).size === 1 &&
    members.some(member => member.members.length === members.length)
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(50)) {
    const beats = await Promise.all(members.map(member => member.heartbeat()))
    if (beats.every(beat => beat === 'NONE') && isSettled()) return
    assert.ok(Date.now() < deadline, `after the crowd has gone: ${beats}`)
    await Promise.all(members.map((member, index) => (beats[index] === 'NONE' ? undefined : member.enter())))
  }
}
