import assert from 'node:assert/strict'
import { type ConsumerOptions, SubscriptionPattern } from '../../src/client/index.ts'
import { numbers, read, type Scenario, type SuiteCluster, sorted, TEXT, until } from './suite.ts'

/** What a cluster that serves the consumer protocol of groups (KIP-848) lets our consumer do. */
const inGroup = (groupId: string): ConsumerOptions<string, string> => ({
  ...TEXT,
  groupId,
  groupProtocol: 'consumer',
  autoOffsetReset: 'earliest',
  autoCommitIntervalMs: 50,
})

async function three(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(6)
  const groupId = cluster.name('readers')
  const seen: string[] = []
  const owners = new Map<number, string>()
  const start = (name: string) => {
    const consumer = cluster.kafka.consumer({
      ...inGroup(groupId),
      onAssigned: partitions => {
        for (const { partition } of partitions) {
          assert.equal(owners.get(partition), undefined, `${partition} has two owners`)
          owners.set(partition, name)
        }
      },
      onRevoked: partitions => {
        for (const { partition } of partitions) owners.delete(partition)
      },
    })
    consumer.subscribe(topic)
    const running = consumer.run(({ value }) => void seen.push(value!))
    const stop = async (): Promise<void> => {
      await consumer.close()
      await running
    }
    return { stop, [Symbol.asyncDispose]: stop }
  }
  const share = (count: number) =>
    until(() => {
      const counts = new Map<string, number>()
      for (const owner of owners.values()) counts.set(owner, (counts.get(owner) ?? 0) + 1)
      return counts.size === count && [...counts.values()].every(one => one === 6 / count)
    })
  await using one = start('one')
  await share(1)
  await cluster.publish(topic, { count: 60, partitions: 6 })
  await until(() => seen.length === 60)
  await using two = start('two')
  await share(2)
  await using three = start('three')
  await share(3)
  await cluster.publish(topic, { count: 60, prefix: '1000', partitions: 6 })
  await until(() => seen.length === 120)
  await one.stop()
  await share(2)
  await two.stop()
  await share(1)
  await cluster.publish(topic, { count: 60, prefix: '2000', partitions: 6 })
  await until(() => seen.length === 180)
  assert.equal(new Set(seen).size, 180)
  await three.stop()
}

async function goesOn(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(2)
  const groupId = cluster.name('readers')
  await cluster.publish(topic, { count: 20, partitions: 2 })
  const ends = [0, 1].map(partition => ({ topic, partition, offset: 10 }))
  {
    await using consumer = cluster.kafka.consumer({ ...inGroup(groupId), enableAutoCommit: false })
    consumer.subscribe(topic)
    assert.deepEqual(sorted((await read(consumer, 20)).map(({ value }) => value)), numbers(20))
    await consumer.commit(ends)
    assert.deepEqual(
      (await consumer.committed(ends)).map(one => one?.offset),
      [10, 10],
    )
  }
  await cluster.publish(topic, { count: 2, prefix: '10', partitions: 2 })
  await using next = cluster.kafka.consumer(inGroup(groupId))
  next.subscribe(topic)
  assert.deepEqual(sorted((await read(next, 2)).map(({ value }) => value)), ['100', '101'])
}

async function byPattern(cluster: SuiteCluster): Promise<void> {
  const family = cluster.name('family')
  await using admin = cluster.kafka.admin()
  await admin.createTopics([{ name: `${family}.a` }, { name: `${family}.b` }, { name: `other.${family}.c` }])
  for (const name of ['a', 'b']) await cluster.publish(`${family}.${name}`, { count: 1, prefix: name })
  await using consumer = cluster.kafka.consumer(inGroup(cluster.name('readers')))
  consumer.subscribe(new SubscriptionPattern(`${family}[.].*`))
  assert.deepEqual((await read(consumer, 2)).map(({ value }) => value).sort(), ['a0', 'b0'])
  await using wrong = cluster.kafka.consumer(inGroup(cluster.name('readers')))
  wrong.subscribe(new SubscriptionPattern('a(b'))
  await assert.rejects(read(wrong, 1), { code: 'INVALID_REGULAR_EXPRESSION' })
  // From names to a pattern and back.
  consumer.subscribe([`other.${family}.c`])
  await until(() => consumer.assignment.length === 1 && consumer.assignment[0]?.topic === `other.${family}.c`)
  consumer.subscribe(new RegExp(`${family}\\..`))
  await until(() => consumer.assignment.length === 2)
}

async function staticMember(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(4)
  const groupId = cluster.name('readers')
  const revoked: number[] = []
  const open = (groupInstanceId: string, more: Partial<ConsumerOptions<string, string>> = {}) => {
    const consumer = cluster.kafka.consumer({ ...inGroup(groupId), groupInstanceId, ...more })
    consumer.subscribe(topic)
    return consumer
  }
  await using stays = open('stays', { onRevoked: partitions => void revoked.push(partitions.length) })
  await using comes = open('comes')
  await until(() => stays.assignment.length === 2 && comes.assignment.length === 2)
  const had = comes.assignment
  const before = revoked.length
  await using double = open('comes')
  await assert.rejects(read(double, 1), { code: 'UNRELEASED_INSTANCE_ID', message: /group\.instance\.id/ })
  await comes.close()
  await using back = open('comes')
  await until(() => back.assignment.length === 2)
  const places = (partitions: typeof had): number[] => partitions.map(({ partition }) => partition).sort()
  assert.deepEqual(places(back.assignment), places(had))
  assert.equal(stays.assignment.length, 2)
  assert.equal(revoked.length, before)
}

async function exactlyOnce(cluster: SuiteCluster): Promise<void> {
  const [source, target] = [await cluster.topic(2), await cluster.topic()]
  await cluster.publish(source, { count: 20, partitions: 2 })
  const options = { ...inGroup(cluster.name('copiers')), enableAutoCommit: false }
  const transactionalId = cluster.name('copier')
  for (let round = 0; round < 2; round++) {
    await using consumer = cluster.kafka.consumer(options)
    await using producer = cluster.kafka.producer({ transactionalId })
    consumer.subscribe(source)
    let done = 0
    for await (const { topic, partition, offset, value } of consumer) {
      await producer.transaction(async tx => {
        await tx.send(target, { value })
        await tx.sendOffsets([{ topic, partition, offset: offset + 1 }], consumer.groupMetadata)
      })
      if (++done === 10) break
    }
  }
  assert.deepEqual(sorted(await cluster.values(target, 20)), numbers(20))
}

async function described(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  const groupId = cluster.name('readers')
  await cluster.publish(topic, { count: 1 })
  await using admin = cluster.kafka.admin()
  {
    await using consumer = cluster.kafka.consumer({
      ...inGroup(groupId),
      clientId: 'till',
      groupRemoteAssignor: 'range',
    })
    consumer.subscribe(topic)
    await read(consumer, 1)
    const [group] = await admin.describeConsumerGroups([groupId])
    assert.deepEqual(
      [group?.type, group?.assignor, group?.coordinator, group?.members.length],
      ['consumer', 'range', 0, 1],
    )
    const [member] = group?.members ?? []
    assert.deepEqual(
      [member?.clientId, member?.assignment, member?.targetAssignment],
      ['till', [{ topic, partition: 0 }], [{ topic, partition: 0 }]],
    )
    assert.equal(member?.epoch, group?.epoch)
    assert.deepEqual(
      (await admin.listConsumerGroups({ type: 'consumer' })).filter(one => one.groupId === groupId),
      [{ groupId, protocolType: 'consumer', state: 'Stable', type: 'consumer' }],
    )
    assert.ok(!(await admin.listConsumerGroups({ type: 'classic' })).some(one => one.groupId === groupId))
  }
  const [group] = await admin.describeConsumerGroups([groupId])
  assert.deepEqual([group?.type, group?.state, group?.members], ['consumer', 'Empty', []])
  await admin.deleteConsumerGroups([groupId])
  assert.equal((await admin.describeConsumerGroups([groupId]))[0]?.state, 'Dead')
}

async function wrongAssignor(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await using consumer = cluster.kafka.consumer({ ...inGroup(cluster.name('readers')), groupRemoteAssignor: 'best' })
  consumer.subscribe(topic)
  await assert.rejects(read(consumer, 1), { code: 'UNSUPPORTED_ASSIGNOR', message: /group\.remote\.assignor/ })
}

export const consumerProtocolScenarios: readonly Scenario[] = [
  { name: 'three members come and go, no partition has two owners, and each record is read once', run: three },
  { name: 'the next member goes on where the last one committed', run: goesOn },
  { name: 'the broker follows a pattern, and a member goes over to names and back', run: byPattern },
  { name: 'a static member that returns gets back what it had; a second of its name is refused', run: staticMember },
  { name: 'offsets are committed in transactions, with the epoch of the member', run: exactlyOnce },
  { name: 'the group is listed and described with its epochs', run: described },
  { name: 'an assignor that the broker does not have is named', run: wrongAssignor },
]
