/** Answers to small requests that are large, and that nobody reads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireClient } from '../../scripts/fuzz/wire-client.ts'
import * as p from '../../src/protocol/everything.ts'
import { LONG_TEST_MS, until } from '../compat/process.ts'
import { AbusedBroker, createTopics, requestFrame } from './abused-broker.ts'

const FIND_COORDINATOR = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const OFFSET_COMMIT = [p.OffsetCommitRequest, p.OffsetCommitResponse] as const
const OFFSET_FETCH = [p.OffsetFetchRequest, p.OffsetFetchResponse] as const
const PARTITIONS = 1_000
const IN_A_COMMIT = 200
/** The longest that Kafka allows is 4,096 characters. */
const METADATA = 'm'.repeat(4_000)
const ALL_OFFSETS = { groupId: 'wide', topics: null }
/** What answers may hold altogether: twice 256 MiB. */
const MOST_HELD_MIB = 512

/** A group with so many offsets that a request of 30 bytes for them is answered with 4 MB. */
async function makeWideGroup(client: WireClient): Promise<void> {
  await createTopics(client, [{ name: 'wide', partitions: PARTITIONS }])
  await until('the group has a coordinator', async () => {
    const { errorCode } = await client.call(FIND_COORDINATOR, 1, { key: 'wide', keyType: 0 })
    return errorCode === 0
  })
  for (let from = 0; from < PARTITIONS; from += IN_A_COMMIT) {
    const partitions = Array.from({ length: IN_A_COMMIT }, (_, index) => ({
      partitionIndex: from + index,
      committedOffset: 1,
      committedMetadata: METADATA,
    }))
    const body = { groupId: 'wide', topics: [{ name: 'wide', partitions }] }
    await until('the offsets are committed', async () => {
      const { topics } = await client.call(OFFSET_COMMIT, 2, body)
      return topics[0]!.partitions.every(({ errorCode }) => errorCode === 0)
    })
  }
}

test('large answers that hundreds of clients ask for and do not read hold bounded memory, and who reads gets them', {
  timeout: LONG_TEST_MS,
}, async () => {
  await AbusedBroker.run({}, async broker => {
    const client = await broker.connect()
    await makeWideGroup(client)
    const before = broker.residentMiB.now
    const ask = requestFrame(p.OffsetFetchRequest, 5, { body: ALL_OFFSETS })
    const disconnected = (): number => broker.log.split('it does not read its answers').length - 1
    const attack = async (): Promise<void> => {
      const before = disconnected()
      const deaf: WireClient[] = []
      for (let count = 0; count < 400; count++) {
        const one = await broker.connect()
        one.pause()
        one.send(ask)
        one.send(ask)
        deaf.push(one)
        if (count % 50 > 0) continue
        const { topics } = await client.call(OFFSET_FETCH, 5, ALL_OFFSETS)
        assert.equal(topics[0]!.partitions.length, PARTITIONS)
      }
      await until('memory for answers is spent', () => disconnected() > before)
      await broker.lets(1_000)
      for (const one of deaf) one.abort()
    }
    await broker.endures('400 clients that ask for 8 MB each and read nothing', attack)
    const { peak } = broker.residentMiB
    assert.ok(peak < before + MOST_HELD_MIB + 200, `${before} MiB became ${peak}`)
    // What was held is collected when there is need; it is not held twice.
    await broker.endures('the same again', attack)
    assert.ok(broker.residentMiB.peak < peak + 150, `${peak} MiB became ${broker.residentMiB.peak}`)
    client.close()
  })
})

test('a request that names one topic thousands of times is answered beside the others, and describes it once', async () => {
  await AbusedBroker.run({}, async broker => {
    const resource = { resourceType: 2, resourceName: 'bystander', configurationKeys: null }
    const body = { resources: Array.from({ length: 20_000 }, () => resource), includeSynonyms: true }
    const ask = requestFrame(p.DescribeConfigsRequest, 1, { body })
    const before = broker.residentMiB.now
    const greedy = await broker.connect()
    greedy.pause()
    await broker.endures('DescribeConfigs of one topic 20,000 times', async () => {
      greedy.send(ask)
      await broker.lets(4_000)
    })
    greedy.abort()
    assert.ok(broker.residentMiB.peak < before + 400, `${before} MiB became ${broker.residentMiB.peak}`)
  })
})
