/** kafkajs: producer, a consumer group of three that loses one, admin. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import kafkajs, { type Admin, type Kafka } from 'kafkajs'
import type { BrokerProcess } from './broker-process.ts'
import { compatTest } from './compat-test.ts'
import { RunningProgram, until } from './process.ts'

const { CompressionTypes, ConfigResourceTypes, Partitioners, logLevel } = kafkajs

const PARTITIONS = 6
const GROUP_SIZE = 3

async function producerSteps(context: TestContext, kafka: Kafka): Promise<void> {
  await context.test('produces keys, headers, nulls and gzip, and reads them back in order', async () => {
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true })
    await producer.connect()
    const plain = { key: 'a', value: 'one', headers: { trace: 'x', many: ['1', '2'] } }
    const answer = await producer.send({
      topic: 'js',
      acks: -1,
      messages: [
        { ...plain, partition: 1 },
        { key: null, value: null, partition: 1 },
      ],
    })
    assert.deepEqual(
      answer.map(({ topicName, partition, baseOffset, errorCode }) => ({
        topicName,
        partition,
        baseOffset,
        errorCode,
      })),
      [{ topicName: 'js', partition: 1, baseOffset: '0', errorCode: 0 }],
    )
    const packed = Array.from({ length: 1_000 }, (_, i) => ({ key: `k${i}`, value: `v${i}`, partition: 1 }))
    await producer.send({ topic: 'js', compression: CompressionTypes.GZIP, messages: packed })
    await producer.disconnect()

    const received: { offset: string; key: string | undefined; value: string | undefined; headers: object }[] = []
    const consumer = kafka.consumer({ groupId: 'js-reader' })
    await consumer.connect()
    await consumer.subscribe({ topic: 'js', fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message: { offset, key, value, headers } }) => {
        received.push({ offset, key: key?.toString(), value: value?.toString(), headers: { ...headers } })
      },
    })
    await until('1002 messages', () => received.length >= 1_002)
    await consumer.disconnect()
    assert.deepEqual(
      received.map(({ offset }) => offset),
      Array.from({ length: 1_002 }, (_, offset) => `${offset}`),
    )
    assert.deepEqual(received[0], {
      offset: '0',
      key: 'a',
      value: 'one',
      headers: { trace: Buffer.from('x'), many: [Buffer.from('1'), Buffer.from('2')] },
    })
    assert.deepEqual(received[1], { offset: '1', key: undefined, value: undefined, headers: {} })
    assert.deepEqual(received.at(-1), { offset: '1001', key: 'k999', value: 'v999', headers: {} })
  })
}

/** A member of the group in a process of its own. */
class Member {
  readonly program: RunningProgram

  constructor(broker: BrokerProcess) {
    const file = fileURLToPath(new URL('kafkajs-member.js', import.meta.url))
    this.program = new RunningProgram(process.execPath, [file, broker.bootstrap, 'js-three', 'shared'])
  }

  /** The partitions of its last assignment. */
  get assigned(): readonly number[] {
    return this.#lines.flatMap(({ assigned }) => (assigned === undefined ? [] : [assigned])).at(-1) ?? []
  }

  /** Every value it has read. */
  get values(): readonly string[] {
    return this.#lines.flatMap(({ values }) => values ?? [])
  }

  get #lines(): readonly { assigned?: number[]; values?: string[] }[] {
    const lines = this.program.stdout.split('\n').slice(0, -1)
    return lines.map(line => JSON.parse(line) as { assigned?: number[]; values?: string[] })
  }
}

async function groupSteps(context: TestContext, broker: BrokerProcess, kafka: Kafka, admin: Admin): Promise<void> {
  await context.test('a group of three shares the partitions; when one is killed, two take over', async () => {
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    const values = (from: number): string[] => Array.from({ length: 600 }, (_, i) => `${from + i}`)
    const send = (from: number): Promise<unknown> =>
      producer.send({
        topic: 'shared',
        messages: values(from).map((value, i) => ({ value, partition: i % PARTITIONS })),
      })
    const members = Array.from({ length: GROUP_SIZE }, () => new Member(broker))
    const spread = (living: readonly Member[]): string => living.map(({ assigned }) => assigned.length).join()
    const read = (): string[] => members.flatMap(member => member.values)
    try {
      await until('two partitions for each of three', () => spread(members) === '2,2,2')
      assert.deepEqual(members.flatMap(({ assigned }) => assigned).sort(), [0, 1, 2, 3, 4, 5])
      await send(0)
      await until('600 messages', () => read().length >= 600)
      const [described] = (await admin.describeGroups(['js-three'])).groups
      assert.equal(described?.state, 'Stable')
      assert.equal(described?.members.length, GROUP_SIZE)

      const [killed, ...living] = members
      killed?.program.kill('SIGKILL')
      await until('three partitions for each of two', () => spread(living) === '3,3')
      await send(600)
      await until('1200 messages', () => read().length >= 1_200)
      assert.deepEqual([...read()].sort(), [...values(0), ...values(600)].sort())
      for (const { program } of living) program.kill('SIGTERM')
      for (const { program } of living) assert.equal(await program.ended(), 0)
    } finally {
      for (const { program } of members) program.kill('SIGKILL')
      await producer.disconnect()
    }
    const offsets = await admin.fetchOffsets({ groupId: 'js-three', topics: ['shared'] })
    const committed = offsets[0]?.partitions.map(({ offset }) => offset)
    assert.deepEqual(
      committed,
      Array.from({ length: PARTITIONS }, () => '200'),
    )
  })
}

async function adminSteps(context: TestContext, broker: BrokerProcess, admin: Admin): Promise<void> {
  await context.test('topics are created, described, widened and deleted', async () => {
    const topic = { topic: 'made', numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '60000' }] }
    assert.equal(await admin.createTopics({ topics: [topic] }), true)
    assert.equal(await admin.createTopics({ topics: [topic] }), false)
    await admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 4 }] })
    const [metadata] = (await admin.fetchTopicMetadata({ topics: ['made'] })).topics
    assert.deepEqual(
      metadata?.partitions
        .map(({ partitionId, leader, replicas, isr }) => ({ partitionId, leader, replicas, isr }))
        .sort((a, b) => a.partitionId - b.partitionId),
      [0, 1, 2, 3].map(partitionId => ({ partitionId, leader: 0, replicas: [0], isr: [0] })),
    )
    await admin.deleteTopics({ topics: ['made'] })
    assert.ok(!(await admin.listTopics()).includes('made'))
  })

  await context.test('configs are described and altered', async () => {
    const resource = { type: ConfigResourceTypes.TOPIC, name: 'js' }
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '12345678' }] }],
    })
    const names = ['retention.ms', 'cleanup.policy']
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ ...resource, configNames: names }],
    })
    const values = resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue])
    assert.deepEqual(values?.sort(), [
      ['cleanup.policy', 'delete'],
      ['retention.ms', '12345678'],
    ])
  })

  await context.test(
    'the cluster, its offsets and its groups are described; records and groups are deleted',
    async () => {
      const cluster = await admin.describeCluster()
      assert.deepEqual(cluster.brokers, [{ nodeId: 0, host: '127.0.0.1', port: broker.port }])
      assert.match(cluster.clusterId, /^[\w-]{22}$/)
      const offsetsOf = async (): Promise<{ partition: number; high: string; low: string }[]> =>
        (await admin.fetchTopicOffsets('js')).map(({ partition, high, low }) => ({ partition, high, low }))
      const only1 = async (): Promise<object | undefined> =>
        (await offsetsOf()).find(({ partition }) => partition === 1)
      assert.deepEqual(await only1(), { partition: 1, high: '1002', low: '0' })
      await admin.deleteTopicRecords({ topic: 'js', partitions: [{ partition: 1, offset: '1000' }] })
      assert.deepEqual(await only1(), { partition: 1, high: '1002', low: '1000' })
      await admin.setOffsets({ groupId: 'js-reader', topic: 'js', partitions: [{ partition: 1, offset: '1001' }] })
      const [{ partitions } = { partitions: [] }] = await admin.fetchOffsets({ groupId: 'js-reader', topics: ['js'] })
      assert.equal(partitions.find(({ partition }) => partition === 1)?.offset, '1001')
      assert.deepEqual((await admin.listGroups()).groups.map(({ groupId }) => groupId).sort(), [
        'js-reader',
        'js-three',
      ])
      await admin.deleteGroups(['js-reader', 'js-three'])
      assert.deepEqual((await admin.listGroups()).groups, [])
    },
  )
}

const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string }

compatTest({
  tool: 'kafkajs',
  install: async () => version,
  version: () => version,
  steps: async (context, broker) => {
    const kafka = new kafkajs.Kafka({ clientId: 'compat', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    try {
      const topics = [
        { topic: 'js', numPartitions: 3 },
        { topic: 'shared', numPartitions: PARTITIONS },
      ]
      await admin.createTopics({ topics, waitForLeaders: true })
      await producerSteps(context, kafka)
      await groupSteps(context, broker, kafka, admin)
      await adminSteps(context, broker, admin)
    } finally {
      await admin.disconnect()
    }
  },
})
