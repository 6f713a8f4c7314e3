/** Offsets of a group across deaths of its coordinator. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as p from '../../src/protocol/everything.ts'
import { createTopics } from '../compat/create-topics.ts'
import { sleep } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { cycles, report } from './cycles.ts'
import { withBroker } from './with-broker.ts'

const FIND = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const COMMIT = [p.OffsetCommitRequest, p.OffsetCommitResponse] as const
const OFFSETS = [p.OffsetFetchRequest, p.OffsetFetchResponse] as const
const GROUP = 'readers'
const TOPIC = 'data'

test('an acknowledged commit of offsets never goes back across kill -9 of the coordinator', async () => {
  await withBroker({ properties: { 'offsets.topic.num.partitions': '2' } }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: 1 }])
    const kills = cycles(10)
    let acknowledged = -1
    for (let kill = 0; kill < kills; kill++) {
      const client = await ProtocolClient.open(broker.port)
      await settled(async () => (await client.ask(FIND, 1, { key: GROUP, keyType: 0 })).errorCode)
      for (let count = 0; count < 50; count++) {
        const committedOffset = acknowledged + 1
        const topics = [{ name: TOPIC, partitions: [{ partitionIndex: 0, committedOffset }] }]
        await settled(async () => {
          const answer = await client.ask(COMMIT, 2, { groupId: GROUP, topics })
          return answer.topics[0]!.partitions[0]!.errorCode
        })
        acknowledged = committedOffset
      }
      client.close()
      await broker.killHard()
      await broker.restart()
      assert.equal(await committed(broker.port), acknowledged)
    }
    report('offsets of a group', { kills, 'commits acknowledged': acknowledged + 1 })
  })
})

async function committed(port: number): Promise<number> {
  const client = await ProtocolClient.open(port)
  let offset = -1
  await settled(async () => {
    const answer = await client.ask(OFFSETS, 2, { groupId: GROUP, topics: [{ name: TOPIC, partitionIndexes: [0] }] })
    offset = answer.topics[0]?.partitions[0]?.committedOffset ?? -1
    return answer.errorCode
  })
  client.close()
  return offset
}

/** Asks until the coordinator is there. */
async function settled(ask: () => Promise<number>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const error = p.errorName(await ask())
    if (error === 'NONE') return
    assert.ok(attempt < 500 && /COORDINATOR/.test(error), error)
    await sleep(10)
  }
}
