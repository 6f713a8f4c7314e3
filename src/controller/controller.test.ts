import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClusterDelta, ZnodePath } from '../metadata/index.ts'
import { MemoryDisk } from '../platform/index.ts'
import { ErrorCode, errorName, ZERO_UUID } from '../protocol/index.ts'
import type { ZooKeeper } from '../zookeeper/index.ts'
import { JOIN, openController, openStore, topic } from './controller.fixture.ts'
import type { RequestedTopic } from './index.ts'

async function text(zooKeeper: ZooKeeper, path: string): Promise<string | null> {
  const { data } = await zooKeeper.getData(path)
  return data && Buffer.from(data).toString()
}

const told = (result: { readonly errorCode: number; readonly errorMessage: string | null }): string =>
  result.errorCode === ErrorCode.NONE ? 'NONE' : `${errorName(result.errorCode)}: ${result.errorMessage}`

test('a broker registers, becomes controller, and the znodes say so', async () => {
  const { zooKeeper, metadata, controller, registration } = await openController()
  assert.equal(controller.isActive, true)
  assert.match(controller.clusterId, /^[\w-]{22}$/)
  assert.equal(metadata.image().clusterId, controller.clusterId)
  assert.equal(metadata.image().controllerId, 0)
  assert.equal(metadata.image().brokers.get(0)?.epoch, registration.epoch)
  assert.equal((await zooKeeper.exists('/brokers/ids/0'))?.czxid, registration.epoch)
  assert.equal(await text(zooKeeper, '/controller_epoch'), '1')
  assert.equal(
    await text(zooKeeper, '/controller'),
    '{"version":2,"brokerid":0,"timestamp":"1700000000000","kraftControllerEpoch":-1}',
  )
  assert.equal(await text(zooKeeper, '/cluster/id'), `{"version":"1","id":"${controller.clusterId}"}`)
  for (const path of ['/consumers', '/brokers/seqid', '/config/users', '/admin/delete_topics']) {
    assert.equal(await text(zooKeeper, path), null)
  }
})

test('a topic is created as one transaction of the znodes that Kafka makes', async () => {
  const { zooKeeper, metadata, controller } = await openController()
  const [created] = await controller.createTopics([
    topic('t', { numPartitions: 2, configs: [{ name: 'retention.ms', value: '1000' }] }),
  ])
  assert.equal(created?.errorCode, 0)
  assert.equal(created?.numPartitions, 2)
  assert.equal(created?.replicationFactor, 1)
  assert.equal(
    await text(zooKeeper, '/brokers/topics/t'),
    `{"partitions":{"0":[0],"1":[0]},"topic_id":"${created?.topicId}","adding_replicas":{},"removing_replicas":{},"version":3}`,
  )
  const state = '{"controller_epoch":1,"leader":0,"version":1,"leader_epoch":0,"isr":[0]}'
  assert.equal(await text(zooKeeper, '/brokers/topics/t/partitions/1/state'), state)
  assert.equal(await text(zooKeeper, '/config/topics/t'), '{"version":1,"config":{"retention.ms":"1000"}}')
  const zxids = await Promise.all(
    ['/config/topics/t', '/brokers/topics/t', ZnodePath.partitionState('t', 1)].map(path => zooKeeper.exists(path)),
  )
  assert.equal(new Set(zxids.map(stat => stat?.czxid)).size, 1)
  assert.equal(metadata.image().topicById(created?.topicId ?? '')?.partitions.length, 2)
  assert.equal(metadata.image().config('topics', 't').get('retention.ms'), '1000')
})

test('topics are refused with the codes and words of Kafka', async () => {
  const { controller, metadata } = await openController()
  await controller.createTopics([topic('t1'), topic('a.b')])
  const config = (name: string, value: string | null) => ({ configs: [{ name, value }] })
  const assigned = (...brokers: number[][]) => ({
    numPartitions: -1,
    replicationFactor: -1,
    assignments: brokers.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
  })
  const long = 'x'.repeat(250)
  const cases: [RequestedTopic, string][] = [
    [topic('t1'), "TOPIC_ALREADY_EXISTS: Topic 't1' already exists."],
    [
      topic('t', { replicationFactor: 3 }),
      'INVALID_REPLICATION_FACTOR: Replication factor: 3 larger than available brokers: 1.',
    ],
    [topic('t', { replicationFactor: 0 }), 'INVALID_REPLICATION_FACTOR: Replication factor must be larger than 0.'],
    [topic('t', { numPartitions: 0 }), 'INVALID_PARTITIONS: Number of partitions must be larger than 0.'],
    [topic('t', { numPartitions: 10_001 }), 'POLICY_VIOLATION: Excessively large number of partitions per request.'],
    [topic('..'), "INVALID_TOPIC_EXCEPTION: Topic name is invalid: '..' is not allowed"],
    [topic(''), 'INVALID_TOPIC_EXCEPTION: Topic name is invalid: the empty string is not allowed'],
    [
      topic(long),
      `INVALID_TOPIC_EXCEPTION: Topic name is invalid: the length of '${long}' is longer than the max allowed length 249`,
    ],
    [
      topic('a b'),
      "INVALID_TOPIC_EXCEPTION: Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    ],
    [topic('a_b'), "INVALID_TOPIC_EXCEPTION: Topic 'a_b' collides with existing topics: a.b"],
    [topic('__cluster_metadata'), 'INVALID_REQUEST: Creation of internal topic __cluster_metadata is prohibited.'],
    [
      topic('t', { ...assigned([0]), numPartitions: 1 }),
      'INVALID_REQUEST: Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.',
    ],
    [
      topic('t', assigned([0], [0, 1])),
      'INVALID_REPLICA_ASSIGNMENT: All partitions should have the same number of replicas',
    ],
    [topic('t', assigned([7])), 'INVALID_REPLICA_ASSIGNMENT: Unknown broker(s) in replica assignment: 7.'],
    [
      topic('t', { ...assigned(), assignments: [{ partitionIndex: 1, brokerIds: [0] }] }),
      'INVALID_REPLICA_ASSIGNMENT: partitions should be a consecutive 0-based integer sequence',
    ],
    [topic('t', config('foo', '1')), 'INVALID_CONFIG: Unknown topic config name: foo'],
    [
      topic('t', config('retention.ms', 'abc')),
      'INVALID_CONFIG: Invalid value abc for configuration retention.ms: Not a number of type LONG',
    ],
    [
      topic('t', config('segment.bytes', '1')),
      'INVALID_CONFIG: Invalid value 1 for configuration segment.bytes: Value must be at least 14',
    ],
    [
      topic('t', config('retention.ms', null)),
      'INVALID_CONFIG: Null value not supported for topic configs: retention.ms',
    ],
  ]
  for (const [requested, expected] of cases) {
    const [result] = await controller.createTopics([requested])
    assert.equal(result && told(result), expected)
    assert.equal(result?.topicId, ZERO_UUID)
  }
  assert.equal(metadata.image().topicCount, 2)
})

test('each topic of a request stands for itself, and sees those before it', async () => {
  const { controller, metadata } = await openController()
  const deltas: ClusterDelta[] = []
  metadata.subscribe((_, delta) => deltas.push(delta))
  const results = await controller.createTopics([
    topic('c.d'),
    topic('c_d'),
    topic('twice'),
    topic('twice'),
    topic('defaults', { numPartitions: -1, replicationFactor: -1 }),
  ])
  assert.deepEqual(results.map(told), [
    'NONE',
    "INVALID_TOPIC_EXCEPTION: Topic 'c_d' collides with existing topics: c.d",
    'INVALID_REQUEST: Found multiple entries for this topic.',
    'INVALID_REQUEST: Found multiple entries for this topic.',
    'NONE',
  ])
  assert.equal(deltas.length, 2, 'one delta for the request')
  assert.deepEqual(deltas[1]?.topics.map(({ name }) => name).sort(), ['c.d', 'defaults'])
})

test('a request that only validates changes nothing', async () => {
  const { controller, metadata, zooKeeper } = await openController()
  const [result] = await controller.createTopics([topic('t')], { validateOnly: true, describe: true })
  assert.equal(result?.errorCode, 0)
  assert.equal(result?.configs?.find(({ name }) => name === 'retention.ms')?.value, '604800000')
  assert.equal(metadata.image().topic('t'), undefined)
  assert.equal(await zooKeeper.exists('/brokers/topics/t'), undefined)
})

test('a thousand topics take few syncs', async () => {
  const disk = new MemoryDisk()
  const { controller, clock } = await openController({ store: await openStore(disk) })
  const trace = disk.startTrace()
  const creating = controller.createTopics(Array.from({ length: 1_000 }, (_, index) => topic(`t-${index}`)))
  await clock.settle()
  const results = await creating
  assert.ok(results.every(({ errorCode }) => errorCode === 0))
  assert.ok(trace.filter(line => line.startsWith('sync ')).length < 10)
})

test('thousands of topics come and go in many small turns, and so do those who are told of them', async () => {
  const store = await openStore()
  const { controller, clock, metadata } = await openController({ store })
  const names = Array.from({ length: 3_000 }, (_, index) => `t-${index}`)
  let mostPartitions = 0
  metadata.subscribe((_image, { topics }) => {
    const partitions = topics.map(({ before, after }) => (before ?? after)?.partitions.length ?? 0)
    mostPartitions = Math.max(
      mostPartitions,
      partitions.reduce((sum, count) => sum + count, 0),
    )
  })
  let turns = 0
  const soon = clock.soon.bind(clock)
  clock.soon = callback => {
    turns += 1
    soon(callback)
  }
  const settled = async <T>(work: Promise<T>): Promise<T> => {
    await clock.settle()
    return work
  }
  for (const { errorCode } of await settled(controller.createTopics(names.map(name => topic(name))))) {
    assert.equal(errorCode, 0)
  }
  const creating = turns
  const gone = await settled(controller.deleteTopics(names.map(name => ({ name, topicId: ZERO_UUID }))))
  for (const { errorCode } of gone) assert.equal(errorCode, 0)
  assert.equal(metadata.image().topicCount, 0)
  assert.ok(mostPartitions <= 100, `${mostPartitions} partitions in one turn`)
  assert.ok(creating >= 40 && turns - creating >= 40, `${creating} turns to create, ${turns - creating} to delete`)
})

test('a full disk refuses a topic, and the next one goes through when there is room', async () => {
  const disk = new MemoryDisk()
  const { controller, metadata } = await openController({ store: await openStore(disk) })
  disk.setCapacity(disk.usedBytes + 200)
  const [refused] = await controller.createTopics([topic('t')])
  assert.equal(refused?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  assert.equal(metadata.image().topic('t'), undefined)
  disk.setCapacity(1e9)
  const [created] = await controller.createTopics([topic('t')])
  assert.equal(created?.errorCode, 0)
})

test('topics are deleted by name and by id, with all their znodes', async () => {
  const { controller, metadata, zooKeeper } = await openController()
  const [, b] = await controller.createTopics([topic('a', { numPartitions: 3 }), topic('b')])
  const results = await controller.deleteTopics([
    { name: 'a', topicId: ZERO_UUID },
    { name: null, topicId: b?.topicId ?? '' },
    { name: 'nope', topicId: ZERO_UUID },
    { name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' },
  ])
  assert.deepEqual(
    results.map(({ name, errorCode }) => [name, errorName(errorCode)]),
    [
      ['a', 'NONE'],
      ['b', 'NONE'],
      ['nope', 'UNKNOWN_TOPIC_OR_PARTITION'],
      [null, 'UNKNOWN_TOPIC_ID'],
    ],
  )
  assert.equal(metadata.image().topicCount, 0)
  for (const path of ['/brokers/topics', '/config/topics', '/admin/delete_topics']) {
    assert.deepEqual((await zooKeeper.getChildren(path)).children, [], path)
  }
})

test('a topic that one request deletes twice, by name and by id, is gone and no error', async () => {
  const { controller, metadata, zooKeeper } = await openController()
  const [a] = await controller.createTopics([topic('a')])
  const results = await controller.deleteTopics([
    { name: 'a', topicId: ZERO_UUID },
    { name: 'a', topicId: ZERO_UUID },
    { name: null, topicId: a?.topicId ?? '' },
  ])
  assert.deepEqual(
    results.map(({ name, topicId, errorCode }) => [name, topicId, errorCode]),
    results.map(() => ['a', a?.topicId, 0]),
  )
  assert.equal(metadata.image().topic('a'), undefined)
  assert.deepEqual((await zooKeeper.getChildren('/brokers/topics')).children, [])
})

test('nothing is deleted where deletion is disabled', async () => {
  const { controller } = await openController({ properties: { 'delete.topic.enable': 'false' } })
  await assert.rejects(controller.deleteTopics([{ name: 'a', topicId: ZERO_UUID }]), {
    code: 'TOPIC_DELETION_DISABLED',
  })
})

test('partitions are added, or refused with the codes and words of Kafka', async () => {
  const { controller, metadata, zooKeeper } = await openController()
  await controller.createTopics([topic('t1', { numPartitions: 3 })])
  const grow = async (name: string, count: number, assignments: number[][] | null = null, validateOnly = false) => {
    const given = assignments?.map(brokerIds => ({ brokerIds })) ?? null
    const [result] = await controller.createPartitions([{ name, count, assignments: given }], { validateOnly })
    return result && told(result)
  }
  const tooFew = 'INVALID_PARTITIONS: Topic currently has 3 partitions, which is higher than the requested'
  assert.equal(await grow('t1', 2), `${tooFew} 2.`)
  assert.equal(await grow('t1', -1), `${tooFew} -1.`)
  assert.equal(await grow('t1', 3), 'INVALID_PARTITIONS: Topic already has 3 partitions.')
  assert.equal(await grow('nope', 3), "UNKNOWN_TOPIC_OR_PARTITION: The topic 'nope' does not exist.")
  assert.equal(await grow('t1', 5, null, true), 'NONE')
  assert.equal(metadata.image().topic('t1')?.partitions.length, 3)
  const bad = 'INVALID_REPLICA_ASSIGNMENT:'
  assert.equal(
    await grow('t1', 5, [[0]]),
    `${bad} Increasing the number of partitions by 2 but 1 assignments provided.`,
  )
  assert.equal(await grow('t1', 4, [[7]]), `${bad} Unknown broker(s) in replica assignment: 7.`)
  assert.equal(
    await grow('t1', 4, [[0, 0]]),
    `${bad} Duplicate brokers not allowed in replica assignment: 0, 0 for partition id 3.`,
  )
  assert.equal(await grow('t1', 4, [[]]), `${bad} Cannot have replication factor of 0 for partition id 3.`)
  assert.equal(await grow('t1', 4, [[0]]), 'NONE')
  assert.equal(await grow('t1', 6), 'NONE')
  assert.equal(metadata.image().topic('t1')?.partitions.length, 6)
  assert.match((await text(zooKeeper, '/brokers/topics/t1')) ?? '', /"5":\[0\]/)
  assert.ok(await zooKeeper.exists(ZnodePath.partitionState('t1', 5)))
})

test('producer ids are never given twice, also not after a restart', async () => {
  const store = await openStore()
  const first = await openController({ store })
  assert.deepEqual(await first.controller.allocateProducerIds(), { firstProducerId: 0, size: 1000 })
  assert.deepEqual(await first.controller.allocateProducerIds(), { firstProducerId: 1000, size: 1000 })
  assert.equal(
    await text(first.zooKeeper, '/latest_producer_id_block'),
    '{"version":1,"broker":0,"block_start":"1000","block_end":"1999"}',
  )
  await first.zooKeeper.close()
  const { controller } = await openController({ store })
  assert.deepEqual(await controller.allocateProducerIds(), { firstProducerId: 2000, size: 1000 })
})

test('a controller that was replaced cannot write any more', async () => {
  const { controller, zooKeeper } = await openController()
  const epoch = await zooKeeper.getData('/controller_epoch')
  await zooKeeper.setData('/controller_epoch', Buffer.from('9'), epoch.stat.version)
  await assert.rejects(controller.createTopics([topic('t')]), { code: 'NOT_CONTROLLER' })
  assert.equal(await zooKeeper.exists('/brokers/topics/t'), undefined)
  assert.equal(controller.isActive, false)
  await assert.rejects(controller.allocateProducerIds(), { code: 'NOT_CONTROLLER' })
})

test('when the controller goes another broker takes over, in the next epoch', async () => {
  const store = await openStore()
  const first = await openController({ store })
  const second = await openController({ store, brokerId: 1 })
  assert.equal(second.controller.isActive, false)
  assert.equal(second.metadata.image().controllerId, 0)
  await first.controller.createTopics([topic('t')])
  await first.zooKeeper.close()
  await second.clock.settle()
  assert.equal(second.controller.isActive, true)
  const image = second.metadata.image()
  assert.deepEqual([image.controllerId, image.controllerEpoch], [1, 2])
  assert.equal(image.topic('t')?.name, 't')
  assert.deepEqual([...image.brokers.keys()], [1])
})

test('two live brokers never share an id', async () => {
  const store = await openStore()
  await openController({ store })
  await assert.rejects(openController({ store }), { name: 'BrokerIdInUseError' })
})

test('after an unclean start the partitions of the broker have a new leader epoch', async () => {
  const store = await openStore()
  const first = await openController({ store })
  await first.controller.createTopics([topic('t')])
  await first.zooKeeper.close()
  const clean = await openController({ store })
  assert.equal(clean.metadata.image().partition('t', 0)?.leaderEpoch, 0)
  await clean.zooKeeper.close()
  const { metadata, zooKeeper } = await openController({ store, join: { uncleanStart: true } })
  assert.equal(metadata.image().partition('t', 0)?.leaderEpoch, 1)
  assert.equal(metadata.image().partition('t', 0)?.partitionEpoch, 1)
  assert.equal(
    await text(zooKeeper, ZnodePath.partitionState('t', 0)),
    '{"controller_epoch":3,"leader":0,"version":1,"leader_epoch":1,"isr":[0]}',
  )
})

test('what a start finds unchanged is no change to those who act on deltas', async () => {
  const store = await openStore()
  const first = await openController({ store })
  await first.controller.createTopics([topic('t', { configs: [{ name: 'retention.ms', value: '5' }] })])
  await first.zooKeeper.close()
  const { metadata, controller, zooKeeper } = await openController({ store })
  const deltas: ClusterDelta[] = []
  metadata.subscribe((_, delta) => deltas.push(delta))
  await controller.start(JOIN)
  assert.equal(zooKeeper.state, 'connected')
  assert.deepEqual(
    deltas[0]?.topics.map(({ name }) => name),
    ['t'],
  )
  assert.deepEqual(
    deltas.slice(1).map(({ topics, configs }) => [topics.length, configs.size]),
    deltas.slice(1).map(() => [0, 0]),
  )
})

test('a creation and a deletion that were cut short are ended by the next controller', async () => {
  const store = await openStore()
  const { controller, zooKeeper } = await openController({ store })
  await controller.createTopics([topic('half', { numPartitions: 3 }), topic('doomed', { numPartitions: 2 })])
  await zooKeeper.delete(ZnodePath.partitionState('half', 2))
  await zooKeeper.delete(ZnodePath.partitionState('half', 1))
  await zooKeeper.delete(ZnodePath.partition('half', 1))
  await zooKeeper.create(ZnodePath.deleteTopic('doomed'), null, { mode: 'persistent' })
  await zooKeeper.delete(ZnodePath.partitionState('doomed', 0))
  await zooKeeper.close()
  const next = await openController({ store })
  assert.deepEqual(
    next.metadata
      .image()
      .topic('half')
      ?.partitions.map(({ leader }) => leader),
    [0, 0, 0],
  )
  assert.ok(await next.zooKeeper.exists(ZnodePath.partitionState('half', 1)))
  assert.equal(next.metadata.image().topic('doomed'), undefined)
  assert.equal(await next.zooKeeper.exists('/brokers/topics/doomed'), undefined)
  assert.equal(await next.zooKeeper.exists('/admin/delete_topics/doomed'), undefined)
})

test('a topic too large for one transaction is created and deleted all the same', async () => {
  const { controller, metadata, zooKeeper } = await openController()
  const [created] = await controller.createTopics([topic('large', { numPartitions: 5_000 })])
  assert.equal(created?.errorCode, 0)
  assert.ok(await zooKeeper.exists(ZnodePath.partitionState('large', 4_999)))
  const [deleted] = await controller.deleteTopics([{ name: 'large', topicId: ZERO_UUID }])
  assert.equal(deleted?.errorCode, 0)
  assert.equal(metadata.image().topicCount, 0)
  assert.equal(await zooKeeper.exists('/brokers/topics/large'), undefined)
})

test('leaders are elected where that is needed', async () => {
  const { controller } = await openController()
  await controller.createTopics([topic('t')])
  const asked = [
    { topic: 't', partitions: [0, 99] },
    { topic: 'nope', partitions: [0] },
  ]
  const preferred = await controller.electLeaders({ electionType: 0, topicPartitions: asked })
  assert.deepEqual(
    preferred.flatMap(({ topic, partitionResult }) => partitionResult.map(result => `${topic} ${told(result)}`)),
    [
      't ELECTION_NOT_NEEDED: Leader election not needed for topic partition.',
      't UNKNOWN_TOPIC_OR_PARTITION: The partition does not exist.',
      'nope UNKNOWN_TOPIC_OR_PARTITION: The partition does not exist.',
    ],
  )
  assert.deepEqual(await controller.electLeaders({ electionType: 0, topicPartitions: null }), [])
  const unclean = await controller.electLeaders({ electionType: 1, topicPartitions: [{ topic: 't', partitions: [0] }] })
  assert.equal(unclean[0]?.partitionResult[0]?.errorCode, ErrorCode.ELECTION_NOT_NEEDED)
})

test('a partition whose leader is gone is led by another replica in sync', async () => {
  const store = await openStore()
  const first = await openController({ store })
  const second = await openController({ store, brokerId: 1 })
  const image = first.metadata.publish(builder => builder.putBroker({ ...second.registration, brokerId: 1 }))
  assert.equal(image.brokers.size, 2)
  await first.controller.createTopics([
    topic('t', {
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [{ partitionIndex: 0, brokerIds: [0, 1] }],
    }),
  ])
  await first.zooKeeper.close()
  await second.clock.settle()
  const partition = second.metadata.image().partition('t', 0)
  assert.deepEqual([partition?.leader, partition?.leaderEpoch, partition?.isr], [1, 1, [1]])
})
