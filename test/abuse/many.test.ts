/** More topics, partitions and sessions than anybody should have. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WireClient } from '../../scripts/fuzz/wire-client.ts'
import { AbusedBroker, createTopics, DELETE_TOPICS, FETCH, fetchBody, METADATA } from './abused-broker.ts'

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)

async function connectMany(broker: AbusedBroker, count: number): Promise<WireClient[]> {
  const clients: WireClient[] = []
  for (let index = 0; index < count; index++) clients.push(await broker.connect())
  return clients
}

async function deleteTopics(client: WireClient, topicNames: readonly string[]): Promise<void> {
  const { responses } = await client.call(DELETE_TOPICS, 4, { topicNames: [...topicNames], timeoutMs: 60_000 })
  assert.deepEqual(
    responses.filter(({ errorCode }) => errorCode !== 0),
    [],
  )
}

test('fifty thousand partitions come and go in bounded memory', async () => {
  // With a bounded heap what is kept of deleted partitions shows as the end of the broker, and what is only not collected yet does not.
  await AbusedBroker.run({ flags: ['--max-old-space-size=400'] }, async broker => {
    const client = await broker.connect()
    const before = broker.residentMiB.now
    const topics = names('wide', 100)
    const create = async (): Promise<void> => {
      for (const name of topics) await createTopics(client, [{ name, partitions: 500 }])
    }
    await broker.endures('50,000 partitions', create)
    const partitions = await broker.metric('kafka_server_replicamanager_partitioncount')
    assert.ok(partitions >= 50_000, `${partitions} partitions`)
    const perPartitionKiB = ((broker.residentMiB.now - before) * 1_024) / 50_000
    assert.ok(perPartitionKiB < 12, `${perPartitionKiB} KiB a partition`)
    await broker.endures('deleting 100 topics of 500 partitions, ten at a time', async () => {
      for (let from = 0; from < topics.length; from += 10) await deleteTopics(client, topics.slice(from, from + 10))
    })
    client.close()
    assert.ok(broker.residentMiB.peak < before + 650, `${before} MiB became ${broker.residentMiB.peak}`)
  })
})

test('Metadata of ten thousand topics for twenty clients at once, and their deletion', async () => {
  await AbusedBroker.run({}, async broker => {
    const client = await broker.connect()
    const topics = names('many', 10_000)
    const create = () =>
      createTopics(
        client,
        topics.map(name => ({ name })),
      )
    await broker.endures('10,000 topics in one request', create)
    const clients = await connectMany(broker, 20)
    const all = { topics: null, allowAutoTopicCreation: false }
    const named = { topics: topics.map(name => ({ name })), allowAutoTopicCreation: false }
    await broker.endures('Metadata of 10,000 topics', async () => {
      for (let round = 0; round < 12; round++) {
        const asked = round % 2 === 0 ? all : named
        const answers = await Promise.all(clients.map(each => each.call(METADATA, 8, asked)))
        for (const answer of answers) assert.ok(answer.topics.length >= 10_000)
      }
    })
    await broker.endures('10,000 deletions in one request', () => deleteTopics(client, topics))
    await createTopics(client, [{ name: 'wide', partitions: 2_000 }])
    const deleteWide = async (): Promise<void> => {
      await deleteTopics(client, ['wide'])
      // The files go meanwhile.
      await sleep(500)
    }
    await broker.endures('the deletion of 2,000 partitions', deleteWide)
    for (const each of [client, ...clients]) each.close()
  })
})

test('topics that are made and deleted without a pause', async () => {
  await AbusedBroker.run({}, async broker => {
    const clients = await connectMany(broker, 8)
    const before = broker.residentMiB.now
    await broker.endures('a flood of creations and deletions', async () => {
      const flood = async (client: WireClient, index: number): Promise<void> => {
        for (let round = 0; round < 40; round++) {
          const mine = names(`flood-${index}-${round}`, 20)
          await createTopics(
            client,
            mine.map(name => ({ name })),
          )
          await deleteTopics(client, mine)
        }
      }
      await Promise.all(clients.map(flood))
    })
    for (const client of clients) client.close()
    await broker.untilResident(before + 200)
  })
})

test('a thousand fetch sessions of a thousand partitions each', async () => {
  await AbusedBroker.run({}, async broker => {
    const client = await broker.connect()
    await createTopics(client, [{ name: 'wide', partitions: 1_000 }])
    const before = broker.residentMiB.now
    const partitions = Array.from({ length: 1_000 }, (_, partition) => partition)
    const clients = await connectMany(broker, 100)
    await broker.endures('1,000 sessions of 1,000 partitions', async () => {
      for (let round = 0; round < 10; round++) {
        const answers = await Promise.all(clients.map(each => each.call(FETCH, 11, fetchBody('wide', partitions))))
        for (const answer of answers) assert.equal(answer.errorCode, 0)
      }
    })
    assert.ok(broker.residentMiB.peak < before + 600, `${before} MiB became ${broker.residentMiB.peak}`)
    for (const each of [client, ...clients]) each.close()
  })
})
