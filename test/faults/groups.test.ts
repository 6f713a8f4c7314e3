/** A group and its offsets across deaths of its coordinator: between commits, at each write, and while it loads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { PATIENCE_MS } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { toolOrSkip } from '../compat/tools.ts'
import { cycles, report } from './cycles.ts'
import { GroupClient } from './group-client.ts'
import { FaultInForce, strace } from './system-call-faults.ts'
import { withBroker } from './with-broker.ts'

const GROUP = 'readers'
const TOPIC = 'data'
const PROPERTIES = { 'offsets.topic.num.partitions': '2', 'group.min.session.timeout.ms': '500' }

test('an acknowledged commit of offsets never goes back across kill -9 of the coordinator', async () => {
  await withBroker({ properties: PROPERTIES }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: 1 }])
    const kills = cycles(10)
    let acknowledged = -1
    for (let kill = 0; kill < kills; kill++) {
      const client = new GroupClient(broker.port, { groupId: GROUP })
      for (let count = 0; count < 50; count++) {
        assert.equal(await client.commit(TOPIC, acknowledged + 1), 'NONE')
        acknowledged++
      }
      client.close()
      await broker.killHard()
      await broker.restart()
      assert.equal(await client.committed(TOPIC), acknowledged)
      client.close()
    }
    report('offsets of a group', { kills, 'commits acknowledged': acknowledged + 1 })
  })
})

/** The generation of two, the commit, and the generation of one after the other has left. */
const WRITES_OF_A_TURN = 3

test('kill -9 at any write of a rebalance or a commit loses no acknowledged offset, and the group goes on', async context => {
  const ready = await toolOrSkip(context, 'strace', async () => {
    await strace()
    return true
  })
  if (ready === undefined) return
  await withBroker({ properties: PROPERTIES }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: 1 }])
    let [acknowledged, attempted, generation, kills] = [-1, -1, -1, 0]
    const rounds = cycles(1) * (WRITES_OF_A_TURN + 1)
    for (let round = 0; round < rounds; round++) {
      const options = { groupId: GROUP, sessionTimeoutMs: 2_000, rebalanceTimeoutMs: 2_000 }
      const member = new GroupClient(broker.port, options)
      // The members that were killed with the broker do not come back: they are put out after their sessions.
      await member.enter()
      assert.ok(member.generationId > generation, `generation ${member.generationId} after ${generation}`)
      const newcomer = new GroupClient(broker.port, options)
      const effect = `signal=SIGKILL:when=${1 + (round % (WRITES_OF_A_TURN + 1))}`
      const fault = await FaultInForce.on(broker.pid, { calls: ['pwrite64', 'pwritev'], effect })
      const turn = async (): Promise<void> => {
        await Promise.all([newcomer.enter(), member.rejoin()])
        attempted = acknowledged + 1
        if ((await newcomer.commit(TOPIC, attempted)) === 'NONE') acknowledged = attempted
        await newcomer.leave()
        await member.rejoin()
        generation = member.generationId
      }
      const failure = await turn().catch((error: Error) => error)
      if (failure !== undefined) {
        assert.match(failure.message, /closed the connection|ECONNREFUSED/)
        kills++
      }
      for (const one of [member, newcomer]) one.close()
      await broker.killHard()
      await fault.lift()
      await broker.restart()
      const committed = await member.committed(TOPIC)
      assert.ok(committed === acknowledged || committed === attempted, `${committed}, acknowledged ${acknowledged}`)
      acknowledged = committed
      member.close()
    }
    assert.ok(kills >= rounds - rounds / (WRITES_OF_A_TURN + 1), `${kills} of ${rounds} turns were cut off`)
    report(context.name, { kills, 'offset in the end': acknowledged })
  })
})

const LARGE = 2_000_000
const PARTITIONS = 200
const COMMITS = 300
const LOADED = { ...PROPERTIES, 'message.max.bytes': '8000000', 'offsets.load.buffer.size': '500000' }

test('while a group with a record of 2 MB loads, it is an error that passes or its offsets that one gets, never none', async context => {
  await withBroker({ properties: LOADED }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: PARTITIONS }])
    const large = new GroupClient(broker.port, {
      groupId: GROUP,
      instanceId: 'large',
      metadata: Buffer.alloc(LARGE, 'x'),
    })
    await large.enter()
    for (let offset = 1; offset <= COMMITS; offset++)
      assert.equal(await large.commit(TOPIC, offset, PARTITIONS), 'NONE')
    large.close()
    const kills = cycles(4)
    let [passing, answers] = [0, 0]
    for (let kill = 0; kill < kills; kill++) {
      await broker.killHard()
      await broker.spawn()
      const isCutOff = kill % 2 === 0
      const seen = await untilLoaded(broker, isCutOff)
      passing += seen
      if (isCutOff) continue
      for (let count = 0; count < 5; count++) assert.equal(await offsetsOrError(broker.port), 'loaded')
      answers += 5
      const reborn = new GroupClient(broker.port, {
        groupId: GROUP,
        instanceId: 'large',
        metadata: Buffer.alloc(LARGE, 'x'),
      })
      assert.equal(await reborn.join(), 'NONE')
      assert.equal(reborn.generationId, large.generationId, 'the group was loaded with its member')
      reborn.close()
    }
    assert.ok(passing > 0, 'nobody asked while the group was loaded')
    report(context.name, { kills, 'answers while loading': passing, 'answers after it': answers })
  })
})

/** Asks from the first moment on; ends at the first answer, or where `isCutOff` at the first error. Gives how many errors came. */
async function untilLoaded(broker: BrokerProcess, isCutOff: boolean): Promise<number> {
  let errors = 0
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
    const answer = await offsetsOrError(broker.port).catch(() => 'no connection')
    if (answer === 'loaded') return errors
    if (answer === 'no connection') continue
    assert.match(answer, /^(COORDINATOR_LOAD_IN_PROGRESS|COORDINATOR_NOT_AVAILABLE|NOT_COORDINATOR)$/)
    errors++
    if (isCutOff) return errors
  }
  throw new Error('the group is not loaded')
}

/** `loaded` where every offset is the last that was committed, or the name of the error. */
async function offsetsOrError(port: number): Promise<string> {
  const client = await ProtocolClient.open(port)
  try {
    const api = [p.OffsetFetchRequest, p.OffsetFetchResponse] as const
    const partitionIndexes = Array.from({ length: PARTITIONS }, (_, index) => index)
    const body = { groupId: GROUP, topics: [{ name: TOPIC, partitionIndexes }] }
    const answer = await client.ask(api, 5, body)
    if (p.errorName(answer.errorCode) !== 'NONE') return p.errorName(answer.errorCode)
    const offsets = new Set(answer.topics[0]!.partitions.map(({ committedOffset }) => committedOffset))
    assert.deepEqual(offsets, new Set([COMMITS]))
    return 'loaded'
  } finally {
    client.close()
  }
}
