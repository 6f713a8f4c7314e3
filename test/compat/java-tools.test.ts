/** Apache Kafka's own administration and performance tools: what they print is compared, not only that they end well. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { BrokerProcess } from './broker-process.ts'
import { compatTest } from './compat-test.ts'
import { jarVersion, kafkaJars, repositoryRoot } from './jars.ts'
import { JavaToolRunner, ToolClass } from './java-tool-runner.ts'

type Tool = keyof typeof ToolClass

/** What the steps share: tools that already know where the broker is. */
class Session {
  readonly broker: BrokerProcess
  readonly runner: JavaToolRunner

  constructor(broker: BrokerProcess, runner: JavaToolRunner) {
    this.broker = broker
    this.runner = runner
  }

  /** Runs a tool that must succeed; gives its standard output without blank ends of lines. */
  async run(tool: Tool, ...args: string[]): Promise<string> {
    const output = await this.runner.output(ToolClass[tool], ['--bootstrap-server', this.broker.bootstrap, ...args])
    return trimLines(output)
  }

  /** Runs a tool that must fail; gives all it printed. */
  async fail(tool: Tool, ...args: string[]): Promise<string> {
    const all = ['--bootstrap-server', this.broker.bootstrap, ...args]
    const { code, stdout, stderr } = await this.runner.tool(ToolClass[tool], all)
    assert.equal(code, 1, `${tool} ${args.join(' ')} should fail: ${stdout}`)
    return `${stdout}${stderr}`
  }
}

const trimLines = (text: string): string =>
  text
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
    .trimEnd()

async function topicSteps(context: TestContext, session: Session): Promise<void> {
  await context.test('topics are created, listed, described, widened and deleted', async () => {
    const config = ['--config', 'retention.ms=100000', '--config', 'max.message.bytes=20000']
    const created = await session.run('topics', '--create', '--topic', 'orders', '--partitions', '3', ...config)
    assert.equal(created, 'Created topic orders.')
    await session.run('topics', '--create', '--topic', 'placed', '--replica-assignment', '0,0')
    assert.equal(await session.run('topics', '--list'), 'orders\nplaced')
    const described = await session.run('topics', '--describe', '--topic', 'orders')
    const partition = (id: number): string =>
      `\tTopic: orders\tPartition: ${id}\tLeader: 0\tReplicas: 0\tIsr: 0\tElr: N/A\tLastKnownElr: N/A`
    assert.match(
      described,
      /^Topic: orders\tTopicId: [\w-]{22}\tPartitionCount: 3\tReplicationFactor: 1\tConfigs: \S+$/m,
    )
    const configs = /Configs: (\S+)/.exec(described)?.[1]?.split(',').sort()
    assert.deepEqual(configs, ['max.message.bytes=20000', 'retention.ms=100000'])
    assert.deepEqual(described.split('\n').slice(1), [0, 1, 2].map(partition))
    assert.equal(await session.run('topics', '--alter', '--topic', 'orders', '--partitions', '5'), '')
    assert.equal((await session.run('topics', '--describe', '--topic', 'orders')).split('\n').length, 6)
    assert.equal(await session.run('topics', '--describe', '--under-replicated-partitions'), '')
    assert.equal(await session.run('topics', '--describe', '--unavailable-partitions'), '')
    assert.match(await session.run('topics', '--describe', '--topics-with-overrides'), /^Topic: orders\t/)
    await session.run('topics', '--delete', '--topic', 'placed')
    assert.equal(await session.run('topics', '--list'), 'orders')
  })

  await context.test('what is wrong with a topic is said in words Kafka uses', async () => {
    const create = async (...args: string[]): Promise<string> => session.fail('topics', '--create', '--topic', ...args)
    assert.match(await create('orders'), /Topic 'orders' already exists\./)
    assert.equal(await session.run('topics', '--create', '--topic', 'orders', '--if-not-exists'), '')
    assert.match(await create('wide', '--replication-factor', '3'), RF_TOO_LARGE)
    assert.match(await create('bad!'), /Topic name is invalid: 'bad!' contains one or more characters other than ASCII/)
    assert.match(await create('x'.repeat(250)), /the length of '.*' is longer than the max allowed length 249/)
    assert.match(
      await create('cfg', '--config', 'min.insync.replicas=0'),
      /Invalid value 0 for configuration min.insync/,
    )
    const narrower = await session.fail('topics', '--alter', '--topic', 'orders', '--partitions', '2')
    assert.match(narrower, /Topic currently has 5 partitions, which is higher than the requested 2\./)
    assert.match(await session.fail('topics', '--describe', '--topic', 'nope'), /'Optional\[nope\]' does not exist/)
  })
}

const RF_TOO_LARGE = /Replication factor: 3 larger than available brokers: 1\./

async function configSteps(context: TestContext, session: Session): Promise<void> {
  const orders = ['--entity-type', 'topics', '--entity-name', 'orders']
  const zero = ['--entity-type', 'brokers', '--entity-name', '0']
  const everyone = ['--entity-type', 'brokers', '--entity-default']

  await context.test('configs of a topic are changed and described with where each value comes from', async () => {
    const changes = 'segment.bytes=1048576,cleanup.policy=[compact,delete],min.cleanable.dirty.ratio=0.7'
    const done = await session.run('configs', ...orders, '--alter', '--add-config', changes)
    assert.equal(done, 'Completed updating config for topic orders.')
    await session.run('configs', ...orders, '--alter', '--delete-config', 'retention.ms,max.message.bytes')
    const all = await session.run('configs', ...orders, '--describe', '--all')
    assert.deepEqual(
      all.split('\n'),
      readFileSync(join(repositoryRoot, 'test/compat/topic-configs.txt'), 'utf8').trimEnd().split('\n'),
    )
    const dynamic = (await session.run('configs', ...orders, '--describe')).split('\n')
    assert.equal(dynamic[0], 'Dynamic configs for topic orders are:')
    assert.equal(dynamic.length, 4)
  })

  await context.test('the connection rate of an address is set, described and deleted', async () => {
    const address = ['--entity-type', 'ips', '--entity-name', '10.1.2.3']
    const done = await session.run('configs', ...address, '--alter', '--add-config', 'connection_creation_rate=5')
    assert.equal(done, 'Completed updating config for ip 10.1.2.3.')
    const all = ['--entity-type', 'ips', '--entity-default']
    await session.run('configs', ...all, '--alter', '--add-config', 'connection_creation_rate=1000')
    const one = "Quota configs for ip '10.1.2.3' are connection_creation_rate=5.0"
    assert.equal(await session.run('configs', ...address, '--describe'), one)
    const described = (await session.run('configs', '--entity-type', 'ips', '--describe')).split('\n').sort()
    assert.deepEqual(described, [one, 'Quota configs for the default ip are connection_creation_rate=1000.0'].sort())
    for (const which of [address, all]) {
      await session.run('configs', ...which, '--alter', '--delete-config', 'connection_creation_rate')
    }
    assert.equal(await session.run('configs', '--entity-type', 'ips', '--describe'), '')
    const wrong = [...address, '--alter', '--add-config', 'connection_creation_rate=-1']
    assert.match(await session.fail('configs', ...wrong), /must be a INT value/)
    if (session.broker.target === 'kafka') return
    const user = ['--entity-type', 'users', '--entity-name', 'u', '--alter', '--add-config', 'producer_byte_rate=1']
    assert.match(await session.fail('configs', ...user), /quotas of user are not there yet/)
  })

  await context.test('configs of one broker and of all brokers are changed while it runs', async () => {
    const one = await session.run('configs', ...zero, '--alter', '--add-config', 'log.cleaner.threads=2')
    assert.equal(one, 'Completed updating config for broker 0.')
    const many = await session.run('configs', ...everyone, '--alter', '--add-config', 'log.retention.ms=700000000')
    assert.equal(many, 'Completed updating default config for brokers in the cluster.')
    assert.equal(
      await session.run('configs', ...zero, '--describe'),
      'Dynamic configs for broker 0 are:\n  log.cleaner.threads=2 sensitive=false synonyms=' +
        '{DYNAMIC_BROKER_CONFIG:log.cleaner.threads=2, DEFAULT_CONFIG:log.cleaner.threads=1}',
    )
    const retention = 'log.retention.ms=700000000'
    assert.equal(
      await session.run('configs', ...everyone, '--describe'),
      `Default configs for brokers in the cluster are:\n  ${retention} sensitive=false synonyms={DYNAMIC_DEFAULT_BROKER_CONFIG:${retention}}`,
    )
    const inherited = await session.run('configs', ...orders, '--describe', '--all')
    assert.match(
      inherited,
      /retention\.ms=700000000 sensitive=false synonyms=\{DYNAMIC_DEFAULT_BROKER_CONFIG:log\.retention\.ms=700000000, DEFAULT_CONFIG:log\.retention\.hours=168\}/,
    )
    await session.run('configs', ...everyone, '--alter', '--delete-config', 'log.retention.ms')
    await session.run('configs', ...zero, '--alter', '--delete-config', 'log.cleaner.threads')
  })

  await context.test('a value that cannot be is refused with the reason', async () => {
    const refuse = async (entity: string[], change: string): Promise<string> =>
      session.fail('configs', ...entity, '--alter', '--add-config', change)
    assert.match(
      await refuse(orders, 'segment.bytes=abc'),
      /InvalidConfigurationException: Invalid config value for resource ConfigResource\(type=TOPIC, name='orders'\): Invalid value abc for configuration segment\.bytes: Not a number of type INT/,
    )
    assert.match(await refuse(orders, 'no.such=1'), /Unknown topic config name: no\.such/)
    assert.match(
      await refuse(zero, 'num.partitions=2'),
      /Cannot update these configs dynamically: Set\(num\.partitions\)/,
    )
    const absent = ['--entity-type', 'topics', '--entity-name', 'absent']
    assert.match(await refuse(absent, 'segment.bytes=1048576'), /UnknownTopicOrPartitionException/)
  })
}

async function performanceSteps(context: TestContext, session: Session): Promise<void> {
  const { broker, runner } = session
  await context.test('ClientCompatibilityTest prints SUCCESS', async () => {
    const abilities = ['offsets-for-times', 'cluster-id', 'create-topics', 'describe-acls', 'describe-configs']
    const flags = [...abilities, 'idempotent-producer'].flatMap(ability => [`--${ability}-supported`, 'true'])
    const args = ['--topic', 'compatible', '--num-cluster-nodes', '1', '--expect-record-too-large-exception', 'false']
    await session.run('topics', '--create', '--topic', 'compatible', '--partitions', '1')
    const output = await session.run('compatibility', ...args, ...flags)
    assert.match(output, /SUCCESS/)
  })

  await context.test('the producer and consumer performance tools move every record', async () => {
    await session.run('topics', '--create', '--topic', 'fast', '--partitions', '6')
    const records = 60_000
    for (const codec of ['none', 'lz4', 'zstd']) {
      const load = ['--topic', 'fast', '--num-records', `${records / 3}`, '--record-size', '100', '--throughput', '-1']
      const properties = [`bootstrap.servers=${broker.bootstrap}`, `compression.type=${codec}`]
      const sent = await runner.output(ToolClass.producerPerformance, [...load, '--producer-props', ...properties])
      assert.match(sent, new RegExp(`^${records / 3} records sent, `, 'm'))
    }
    const read = ['--topic', 'fast', '--messages', `${records}`, '--timeout', '20000']
    const received = (await session.run('consumerPerformance', ...read)).split('\n').at(-1)?.split(', ') ?? []
    assert.equal(received[4], `${records}`)
    const offsets = (await session.run('getOffsets', '--topic', 'fast', '--time', '-1')).split('\n')
    const total = offsets.reduce((sum, line) => sum + Number(line.split(':')[2]), 0)
    assert.equal(total, records)
  })

  await context.test('EndToEndLatency sees each record come back', async () => {
    const output = await runner.output(ToolClass.endToEndLatency, [broker.bootstrap, 'latency', '200', 'all', '100'])
    assert.match(output, /^Percentiles: 50th = \d+, 99th = \d+, 99\.9th = \d+/m)
  })
}

async function recordSteps(context: TestContext, session: Session): Promise<void> {
  const offsetsAt = (time: string): Promise<string> => session.run('getOffsets', '--topic', 'kept', '--time', time)

  await context.test('offsets are found at the start, the end, by time and for the newest record', async () => {
    await session.run('topics', '--create', '--topic', 'kept', '--partitions', '1')
    const target = ['--bootstrap-server', session.broker.bootstrap, '--topic', 'kept']
    await session.runner.output(ToolClass.consoleProducer, target, '1\n2\n3\n4\n')
    assert.equal(await offsetsAt('-1'), 'kept:0:4')
    assert.equal(await offsetsAt('latest'), 'kept:0:4')
    assert.equal(await offsetsAt('-2'), 'kept:0:0')
    assert.match(await offsetsAt('-3'), /^kept:0:[0-3]$/)
    assert.equal(await offsetsAt('-4'), 'kept:0:0')
    assert.equal(await offsetsAt('1000'), 'kept:0:0')
    assert.equal(await offsetsAt(`${Date.now() + 3_600_000}`), '')
  })

  await context.test('records are deleted up to an offset', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'monedula-tools-'))
    const file = join(directory, 'offsets.json')
    const deleteUpTo = async (offset: number): Promise<string> => {
      writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic: 'kept', partition: 0, offset }] }))
      return session.run('deleteRecords', '--offset-json-file', file)
    }
    assert.match(await deleteUpTo(3), /^partition: kept-0\tlow_watermark: 3$/m)
    assert.equal(await offsetsAt('-2'), 'kept:0:3')
    assert.match(await deleteUpTo(99), /OffsetOutOfRangeException: The requested offset is not within the range/)
    rmSync(directory, { recursive: true })
  })

  await context.test('log directories are described with the size of each partition', async () => {
    const output = await session.run('logDirs', '--describe', '--topic-list', 'kept,orders')
    const report = JSON.parse(output.split('\n').at(-1) ?? '') as LogDirsReport
    const [directory] = report.brokers[0]?.logDirs ?? []
    assert.equal(directory?.logDir, session.broker.logDirectory)
    assert.equal(directory?.error, null)
    assert.deepEqual(directory?.partitions.map(({ partition }) => partition).sort(), [
      'kept-0',
      ...[0, 1, 2, 3, 4].map(id => `orders-${id}`),
    ])
    assert.ok((directory?.partitions.find(({ partition }) => partition === 'kept-0')?.size ?? 0) > 60)
  })
}

interface LogDirsReport {
  readonly brokers: {
    readonly logDirs: {
      readonly logDir: string
      readonly error: string | null
      readonly partitions: { readonly partition: string; readonly size: number }[]
    }[]
  }[]
}

async function clusterSteps(context: TestContext, session: Session): Promise<void> {
  await context.test('BrokerApiVersions finds every API that Kafka clients use', async () => {
    const output = await session.run('apiVersions')
    assert.match(output, new RegExp(`^${session.broker.bootstrap} \\(id: 0 rack: null\\) -> \\($`, 'm'))
    for (const [name, newest] of Object.entries(CLIENT_APIS)) {
      const oldest = name === 'Fetch' ? '[04]' : '0'
      assert.match(output, new RegExp(`^\\t${name}\\(\\d+\\): ${oldest}( to \\d+)? \\[usable: ${newest}\\]`, 'm'), name)
    }
  })

  await context.test('the preferred leader is elected, a partition that is not there cannot be', async () => {
    const elect = ['--election-type', 'preferred', '--topic', 'orders', '--partition']
    assert.equal(
      await session.run('leaderElection', ...elect, '0'),
      'Valid replica already elected for partitions orders-0',
    )
    assert.match(await session.fail('leaderElection', ...elect, '77'), /UnknownTopicOrPartitionException/)
    const args = ['cluster-id', '--bootstrap-server', session.broker.bootstrap]
    assert.match(await session.runner.output(ToolClass.cluster, args), /^Cluster ID: [\w-]{22}$/m)
  })
}

/** The newest version of each API that both Kafka 3.9 and the tool of that release know. */
const CLIENT_APIS: Readonly<Record<string, number>> = {
  Produce: 11,
  Fetch: 17,
  ListOffsets: 9,
  Metadata: 12,
  OffsetCommit: 9,
  OffsetFetch: 9,
  FindCoordinator: 6,
  JoinGroup: 9,
  Heartbeat: 4,
  LeaveGroup: 5,
  SyncGroup: 5,
  DescribeGroups: 5,
  ListGroups: 5,
  ApiVersions: 4,
  CreateTopics: 7,
  DeleteTopics: 6,
  DeleteRecords: 2,
  InitProducerId: 5,
  OffsetForLeaderEpoch: 4,
  DescribeAcls: 3,
  CreateAcls: 3,
  DeleteAcls: 3,
  DescribeConfigs: 4,
  AlterConfigs: 2,
  AlterReplicaLogDirs: 2,
  DescribeLogDirs: 4,
  CreatePartitions: 3,
  DeleteGroups: 2,
  ElectLeaders: 2,
  IncrementalAlterConfigs: 1,
  OffsetDelete: 0,
  DescribeCluster: 1,
  DescribeProducers: 0,
}

compatTest({
  tool: "Kafka's administration tools",
  install: kafkaJars,
  version: () => jarVersion('libs', 'kafka-tools'),
  steps: async (context, broker) => {
    const runner = await JavaToolRunner.start()
    const session = new Session(broker, runner)
    try {
      await topicSteps(context, session)
      await configSteps(context, session)
      await clusterSteps(context, session)
      await recordSteps(context, session)
      await performanceSteps(context, session)
    } finally {
      await runner.stop()
    }
  },
})
