import assert from 'node:assert/strict'
import { type Admin, ItemsFailed, type OffsetQuery } from '../../src/client/index.ts'
import { eventually, failsWith, KEPT, read, type Scenario, type SuiteCluster } from './suite.ts'

const NO_ID = 'AAAAAAAAAAAAAAAAAAAAKg'

const partitionCount = async (admin: Admin, topic: string) =>
  (await admin.describeTopics([topic]))[0]?.partitions.length

const has = async (admin: Admin, topic: string): Promise<boolean> =>
  (await admin.listTopics()).some(({ name }) => name === topic)

async function topics(cluster: SuiteCluster): Promise<void> {
  const [orders, placed] = [cluster.name('orders'), cluster.name('placed')]
  await using admin = cluster.kafka.admin()
  const configs = { 'retention.ms': '1000' }
  const [created] = await admin.createTopics([{ name: orders, partitions: 2, replicationFactor: 1, configs }])
  assert.deepEqual([created?.name, created?.partitions, created?.replicationFactor], [orders, 2, 1])
  await admin.createTopics([{ name: placed, assignments: [[0], [0], [0]] }])
  await eventually(() => partitionCount(admin, placed), 3)
  const [described] = await admin.describeTopics([orders])
  assert.equal(described?.id, created?.id)
  assert.deepEqual(described?.partitions[1]?.replicas, [0])
  await admin.createPartitions([{ topic: orders, total: 5 }])
  await eventually(() => partitionCount(admin, orders), 5)
  await admin.createPartitions([{ topic: placed, total: 5, assignments: [[0], [0]] }])
  await eventually(() => partitionCount(admin, placed), 5)
  await assert.rejects(
    admin.createPartitions([{ topic: placed, total: 6, assignments: [[0, 0]] }]),
    failsWith('INVALID_REPLICA_ASSIGNMENT', placed),
  )
  await admin.deleteTopics([placed])
  await eventually(() => has(admin, placed), false)
  assert.ok(await has(admin, orders))
}

async function byId(cluster: SuiteCluster): Promise<void> {
  const [kept, gone] = [await cluster.topic(2), await cluster.topic()]
  await using admin = cluster.kafka.admin()
  for (const topic of [kept, gone]) await eventually(() => has(admin, topic), true)
  const idOf = async (name: string) => (await admin.describeTopics([name]))[0]!.id
  const [keptId, goneId] = [await idOf(kept), await idOf(gone)]
  const described = await admin.describeTopics([{ id: keptId }, gone])
  assert.deepEqual(
    described.map(({ name, id, partitions }) => [name, id, partitions.length]),
    [
      [kept, keptId, 2],
      [gone, goneId, 1],
    ],
  )
  await admin.deleteTopics([{ id: goneId }])
  await eventually(() => has(admin, gone), false)
  await assert.rejects(admin.describeTopics([{ id: goneId }]), failsWith('UNKNOWN_TOPIC_ID', goneId))
  await assert.rejects(admin.deleteTopics([{ id: NO_ID }, 'no1']), error => {
    assert(error instanceof ItemsFailed)
    assert.deepEqual(
      Array.from(error.failures, ([name, { code }]) => [name, code]),
      [
        [NO_ID, 'UNKNOWN_TOPIC_ID'],
        ['no1', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ],
    )
    return true
  })
  assert.ok(await has(admin, kept))
}

async function operations(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  const groupId = cluster.name('billing')
  const options = { includeAuthorizedOperations: true }
  await using admin = cluster.kafka.admin()
  await eventually(() => has(admin, topic), true)
  const [described] = await admin.describeTopics([topic], options)
  const [group] = await admin.describeConsumerGroups([groupId], options)
  const { authorizedOperations } = await admin.describeCluster(options)
  // Without an authorizer everybody may do everything.
  for (const operation of ['read', 'write', 'alter-configs'] as const)
    assert.ok(described?.authorizedOperations?.includes(operation), `${described?.authorizedOperations}`)
  assert.ok(authorizedOperations?.includes('cluster-action'), `${authorizedOperations}`)
  // Of a group that is not there nobody may know.
  assert.ok(group?.authorizedOperations === undefined || group.authorizedOperations.includes('read'))
  const plain = await admin.describeTopics([topic])
  assert.equal(plain[0]?.authorizedOperations, undefined)
}

async function refused(cluster: SuiteCluster): Promise<void> {
  const taken = await cluster.topic()
  const free = cluster.name('free')
  await using admin = cluster.kafka.admin()
  await assert.rejects(admin.createTopics([{ name: taken }, { name: free }]), error => {
    assert(error instanceof ItemsFailed)
    assert.equal(error.code, 'TOPIC_ALREADY_EXISTS')
    assert.match(error.message, new RegExp(`^${taken}: `))
    assert.deepEqual(
      error.results.map(one => (one as { name: string }).name),
      [free],
    )
    return true
  })
  await eventually(() => partitionCount(admin, free), 1)
  await assert.rejects(admin.deleteTopics(['no1', 'no2']), failsWith('UNKNOWN_TOPIC_OR_PARTITION', 'no1', 'no2'))
  await assert.rejects(admin.describeTopics(['no1']), failsWith('UNKNOWN_TOPIC_OR_PARTITION', 'no1'))
  await assert.rejects(
    admin.listOffsets([{ topic: 'no1', partition: 3, at: 'latest' }]),
    failsWith('UNKNOWN_TOPIC_OR_PARTITION', 'no1-3'),
  )
  await assert.rejects(admin.createPartitions([{ topic: taken, total: 1 }]), failsWith('INVALID_PARTITIONS', taken))
}

async function validateOnly(cluster: SuiteCluster): Promise<void> {
  const name = cluster.name('orders')
  await using admin = cluster.kafka.admin()
  await admin.createTopics([{ name }], { validateOnly: true })
  await assert.rejects(
    admin.createTopics([{ name: 'a b' }], { validateOnly: true }),
    failsWith('INVALID_TOPIC_EXCEPTION', 'a b'),
  )
  assert.equal(await has(admin, name), false)
  const topic = await cluster.topic()
  await eventually(() => has(admin, topic), true)
  await admin.createPartitions([{ topic, total: 3 }], { validateOnly: true })
  const fewer = admin.createPartitions([{ topic, total: 1 }], { validateOnly: true })
  await assert.rejects(fewer, failsWith('INVALID_PARTITIONS', topic))
  assert.equal(await partitionCount(admin, topic), 1)
  const change = (value: string) => [
    { type: 'topic', name: topic, changes: [{ name: 'retention.ms', value }] } as const,
  ]
  await admin.incrementalAlterConfigs(change('5000'), { validateOnly: true })
  const wrong = admin.incrementalAlterConfigs(change('soon'), { validateOnly: true })
  await assert.rejects(wrong, failsWith('INVALID_CONFIG', `topic ${topic}`))
  const [described] = await admin.describeConfigs([{ type: 'topic', name: topic }], { names: ['retention.ms'] })
  assert.equal(described?.entries[0]?.source, 'default')
}

async function settings(cluster: SuiteCluster): Promise<void> {
  const name = await cluster.topic()
  await using admin = cluster.kafka.admin()
  const topic = { type: 'topic', name } as const
  const of = async (key: string): Promise<string> => {
    const [described] = await admin.describeConfigs([topic], { names: [key] })
    return `${described?.entries[0]?.value} ${described?.entries[0]?.source}`
  }
  assert.equal(await of('retention.ms'), '604800000 default')
  await admin.incrementalAlterConfigs([
    {
      ...topic,
      changes: [
        { name: 'retention.ms', value: '5000' },
        { name: 'cleanup.policy', operation: 'append', value: 'compact' },
      ],
    },
  ])
  await eventually(() => of('retention.ms'), '5000 dynamic-topic')
  assert.equal(await of('cleanup.policy'), 'delete,compact dynamic-topic')
  await admin.incrementalAlterConfigs([{ ...topic, changes: [{ name: 'retention.ms', operation: 'delete' }] }])
  await eventually(() => of('retention.ms'), '604800000 default')
  const wrong = [{ ...topic, changes: [{ name: 'retention.ms', value: 'soon' }] }]
  await assert.rejects(admin.incrementalAlterConfigs(wrong), failsWith('INVALID_CONFIG', `topic ${name}`))
  const names = ['retention.ms', 'cleanup.policy', 'compression.type']
  const [told] = await admin.describeConfigs([topic], { names, includeSynonyms: true, includeDocumentation: true })
  assert.deepEqual(
    new Map(told?.entries.map(({ name: key, type }) => [key, type])),
    new Map([
      ['cleanup.policy', 'list'],
      ['compression.type', 'string'],
      ['retention.ms', 'long'],
    ]),
  )
  const policy = told?.entries.find(one => one.name === 'cleanup.policy')
  assert.deepEqual(policy?.synonyms[0], { name: 'cleanup.policy', value: 'delete,compact', source: 'dynamic-topic' })
  assert.deepEqual(policy?.synonyms.at(-1), { name: 'log.cleanup.policy', value: 'delete', source: 'default' })
  assert.ok(policy?.documentation)
  const [broker] = await admin.describeConfigs([{ type: 'broker', name: '0' }], { names: ['node.id'] })
  assert.deepEqual(
    broker?.entries.map(one => one.name),
    ['node.id'],
  )
}

async function offsets(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(1, KEPT)
  await using admin = cluster.kafka.admin()
  await using producer = cluster.kafka.producer()
  for (const timestamp of [1_000, 1_001, 1_002]) await producer.send(topic, { value: 'x', timestamp })
  const at = async (at: OffsetQuery['at']) => (await admin.listOffsets([{ topic, partition: 0, at }]))[0]?.offset
  assert.deepEqual([await at('earliest'), await at('latest'), await at(1001), await at('max-timestamp')], [0, 3, 1, 2])
  // Nobody here has tiered storage: all is local.
  assert.deepEqual([await at(1003), await at('earliest-local'), await at('latest-tiered')], [-1, 0, -1])
  const place = { topic, partition: 0 }
  assert.deepEqual(await admin.deleteRecords([{ ...place, beforeOffset: 2 }]), [{ ...place, lowWatermark: 2 }])
  assert.equal(await at('earliest'), 2)
  const tooFar = admin.deleteRecords([{ ...place, beforeOffset: 9 }])
  await assert.rejects(tooFar, failsWith('OFFSET_OUT_OF_RANGE', `${topic}-0`))
}

async function described(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await cluster.publish(topic, { count: 1 })
  await using admin = cluster.kafka.admin()
  const { clusterId, controllerId, brokers } = await admin.describeCluster()
  assert.deepEqual([clusterId?.length, controllerId], [22, 0])
  assert.deepEqual(
    brokers.map(({ id, host, port }) => `${id} ${host}:${port}`),
    [`0 ${cluster.bootstrap}`],
  )
  const directories = await admin.describeLogDirs([0])
  const replica = directories.flatMap(({ replicas }) => replicas).find(one => one.topic === topic)
  assert.ok(replica && replica.partition === 0 && replica.sizeBytes > 50)
}

async function groups(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  const [groupId, none] = [cluster.name('billing'), cluster.name('none')]
  await cluster.publish(topic, { count: 3 })
  await using admin = cluster.kafka.admin()
  {
    await using consumer = cluster.kafka.consumer({ groupId, autoOffsetReset: 'earliest', clientId: 'till' })
    consumer.subscribe(topic)
    await read(consumer, 1)
    const [group] = await admin.describeConsumerGroups([groupId])
    assert.deepEqual([group?.state, group?.assignor, group?.coordinator], ['Stable', 'range', 0])
    assert.deepEqual(
      group?.members.map(({ clientId, assignment }) => [clientId, assignment]),
      [['till', [{ topic, partition: 0 }]]],
    )
    await assert.rejects(admin.deleteConsumerGroups([groupId, none]), error => {
      assert(error instanceof ItemsFailed)
      assert.deepEqual(
        Array.from(error.failures, ([name, { code }]) => [name, code]),
        [
          [groupId, 'NON_EMPTY_GROUP'],
          [none, 'GROUP_ID_NOT_FOUND'],
        ],
      )
      return true
    })
  }
  const listed = async (states: readonly string[] = []) =>
    (await admin.listConsumerGroups({ states })).find(group => group.groupId === groupId)
  const [group] = await admin.describeConsumerGroups([groupId])
  assert.deepEqual([group?.state, group?.members], ['Empty', []])
  assert.deepEqual(await listed(), { groupId, protocolType: 'consumer', state: 'Empty', type: 'classic' })
  assert.equal(await listed(['Stable']), undefined)
  const place = { topic, partition: 0 }
  await admin.alterConsumerGroupOffsets(groupId, [{ ...place, offset: 2 }])
  assert.deepEqual(
    (await admin.listConsumerGroupOffsets(groupId)).map(({ offset }) => offset),
    [2],
  )
  const only = { partitions: [{ topic, partition: 7 }], requireStable: true }
  assert.deepEqual(await admin.listConsumerGroupOffsets(groupId, only), [])
  await admin.deleteConsumerGroupOffsets(groupId, [place])
  assert.deepEqual(await admin.listConsumerGroupOffsets(groupId), [])
  await admin.alterConsumerGroupOffsets(groupId, [{ ...place, offset: 1 }])
  await admin.deleteConsumerGroups([groupId])
  assert.equal(await listed(), undefined)
  const dead = await admin.describeConsumerGroups([none])
  assert.deepEqual(
    dead.map(({ state, members }) => [state, members]),
    [['Dead', []]],
  )
}

async function staticMembers(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await cluster.publish(topic, { count: 1 })
  const groupId = cluster.name('billing')
  await using admin = cluster.kafka.admin()
  const comeAndGo = async (groupInstanceId: string): Promise<void> => {
    await using consumer = cluster.kafka.consumer({ groupId, autoOffsetReset: 'earliest', groupInstanceId })
    consumer.subscribe(topic)
    await read(consumer, 1)
  }
  await comeAndGo('till-1')
  const members = async () => (await admin.describeConsumerGroups([groupId]))[0]?.members.length
  assert.equal(await members(), 1)
  await admin.removeMembersFromConsumerGroup(groupId, [{ groupInstanceId: 'till-1' }])
  assert.equal(await members(), 0)
  await assert.rejects(
    admin.removeMembersFromConsumerGroup(groupId, [{ memberId: 'nobody' }]),
    failsWith('UNKNOWN_MEMBER_ID', 'nobody'),
  )
  await admin.deleteConsumerGroupOffsets(groupId, [{ topic, partition: 0 }])
  await comeAndGo('till-2')
  assert.equal(await members(), 1)
  await admin.removeMembersFromConsumerGroup(groupId)
  assert.equal(await members(), 0)
}

export const adminScenarios: readonly Scenario[] = [
  { name: 'topics are created with their settings, described, listed, grown and deleted', run: topics },
  { name: 'topics are described and deleted by their ids, too', run: byId },
  { name: 'a topic, a group and the cluster say what the asker may do, when asked', run: operations },
  { name: 'what is refused is named with its code, and the rest is done', run: refused },
  { name: 'validateOnly says what would be refused, and creates nothing', run: validateOnly },
  { name: 'settings are described with their source, and changed one by one', run: settings },
  { name: 'offsets are found by end and time, and records before one are deleted', run: offsets },
  { name: 'the cluster and its log directories are described', run: described },
  {
    name: 'groups are listed, described with what each member reads, moved to other offsets, and deleted',
    run: groups,
  },
  {
    name: 'a static member is removed from its group by its name, one that is not there is refused',
    run: staticMembers,
  },
]
