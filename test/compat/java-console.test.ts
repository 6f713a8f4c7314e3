/** Kafka's console and verifiable tools, and its view of consumer groups. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { BrokerProcess } from './broker-process.ts'
import { compatTest } from './compat-test.ts'
import { createTopics } from './create-topics.ts'
import { jarVersion, kafkaJars } from './jars.ts'
import { startJava } from './java.ts'
import { JavaToolRunner, ToolClass } from './java-tool-runner.ts'

/** Rows of a table that a tool printed, without its heading; fields are separated by blanks. */
function rows(table: string): string[][] {
  return table
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([first]) => first !== '' && first !== 'GROUP' && first !== 'TOPIC')
}

/** Rows of the table that a reset prints: Kafka 3.9 leaves out the ends of lines, so rows are told apart by their width. */
function resetRows(table: string): string[] {
  const fields = table.trim().split(/\s+/)
  const columns = 4
  return Array.from({ length: fields.length / columns - 1 }, (_, row) =>
    fields.slice((row + 1) * columns, (row + 2) * columns).join(' '),
  )
}

/** JSON lines of a verifiable tool, of one kind. */
function events(output: string, name: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Record<string, unknown>)
    .filter(event => event.name === name)
}

async function consoleSteps(context: TestContext, broker: BrokerProcess, runner: JavaToolRunner): Promise<void> {
  const target = ['--bootstrap-server', broker.bootstrap, '--topic', 'console']
  const reader = ['parse.key=true', 'parse.headers=true', 'key.separator=:', 'null.marker=NULL']
  const shown = ['key', 'headers', 'partition', 'offset', 'timestamp'].map(field => `print.${field}=true`)
  const property = (settings: readonly string[]): string[] => settings.flatMap(setting => ['--property', setting])

  await context.test('the console tools carry keys, headers, nulls and every codec', async () => {
    await createTopics(broker, [{ topic: 'console', numPartitions: 1 }])
    const before = Date.now()
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
    for (const codec of codecs) {
      const args = [...target, ...property(reader), '--compression-codec', codec]
      await runner.output(ToolClass.consoleProducer, args, `h1:${codec},h2:x\tkey:value ${codec}\nNULL\tgone:NULL\n`)
    }
    const count = codecs.length * 2
    const args = [...target, '--from-beginning', '--timeout-ms', '30000', '--max-messages', `${count}`]
    const output = await runner.output(ToolClass.consoleConsumer, [
      ...args,
      ...property(shown),
      '--group',
      'console-group',
    ])
    const fields = output
      .trimEnd()
      .split('\n')
      .map(line => line.split('\t'))
    const times = fields.map(([time]) => Number(time?.replace('CreateTime:', '')))
    assert.ok(
      times.every(time => time >= before - 1_000 && time <= Date.now() + 1_000),
      `times: ${times}`,
    )
    assert.deepEqual(
      fields.map(([, ...rest]) => rest.join(' ')),
      codecs.flatMap((codec, index) => [
        `Partition:0 Offset:${2 * index} h1:${codec},h2:x key value ${codec}`,
        `Partition:0 Offset:${2 * index + 1} NO_HEADERS gone null`,
      ]),
    )
  })

  await context.test('the console consumer starts at an offset of a partition', async () => {
    const args = [...target, '--partition', '0', '--offset', '8', '--timeout-ms', '30000', '--max-messages', '2']
    assert.equal(await runner.output(ToolClass.consoleConsumer, args), 'value zstd\nnull\n')
  })
}

async function groupSteps(context: TestContext, broker: BrokerProcess, runner: JavaToolRunner): Promise<void> {
  const groups = (...args: string[]): Promise<string> =>
    runner.output(ToolClass.groups, ['--bootstrap-server', broker.bootstrap, ...args])
  const committed = async (): Promise<string[][]> =>
    rows(await groups('--describe', '--group', 'console-group', '--offsets')).map(row => row.slice(0, 6))

  await context.test('groups are listed and described with their lag', async () => {
    assert.deepEqual(rows(await groups('--list', '--state')), [['console-group', 'Empty']])
    assert.deepEqual(await committed(), [['console-group', 'console', '0', '10', '10', '0']])
    const [state] = rows(await groups('--describe', '--group', 'console-group', '--state'))
    assert.deepEqual(state, ['console-group', broker.bootstrap, '(0)', 'Empty', '0'])
    assert.match(await groups('--describe', '--group', 'absent'), /Consumer group 'absent' does not exist\./)
  })

  await context.test('offsets are reset, exported and deleted', async () => {
    const reset = (...args: string[]): Promise<string> =>
      groups('--reset-offsets', '--group', 'console-group', '--topic', 'console', ...args)
    assert.deepEqual(resetRows(await reset('--to-earliest', '--execute')), ['console-group console 0 0'])
    assert.deepEqual(await committed(), [['console-group', 'console', '0', '0', '10', '10']])
    assert.deepEqual(resetRows(await reset('--shift-by', '3', '--dry-run')), ['console-group console 0 3'])
    assert.deepEqual(resetRows(await reset('--by-duration', 'PT1H', '--dry-run')), ['console-group console 0 0'])
    assert.equal((await reset('--to-offset', '7', '--export', '--execute')).trim(), 'console,0,7')
    assert.deepEqual(await committed(), [['console-group', 'console', '0', '7', '10', '3']])
    const dropped = await groups('--delete-offsets', '--group', 'console-group', '--topic', 'console')
    assert.match(dropped, /Request succeed for deleting offsets with topic console group console-group/)
    // A group without members lives by its offsets.
    assert.match(await groups('--describe', '--group', 'console-group'), /'console-group' does not exist\./)
  })

  await context.test('an empty group is deleted', async () => {
    await groups('--reset-offsets', '--group', 'console-group', '--topic', 'console', '--to-latest', '--execute')
    assert.deepEqual(await committed(), [['console-group', 'console', '0', '10', '10', '0']])
    const deleted = await groups('--delete', '--group', 'console-group')
    assert.equal(deleted.trim(), "Deletion of requested consumer groups ('console-group') was successful.")
    assert.deepEqual(rows(await groups('--list')), [])
  })
}

async function verifiableSteps(context: TestContext, broker: BrokerProcess, runner: JavaToolRunner): Promise<void> {
  const target = ['--bootstrap-server', broker.bootstrap, '--topic', 'verified']

  await context.test(
    'two verifiable consumers share what a verifiable producer sent, and Kafka describes them',
    async () => {
      await createTopics(broker, [{ topic: 'verified', numPartitions: 4 }])
      const count = 4_000
      const settings = [...target, '--group-id', 'verifiers', '--session-timeout', '6000', '--reset-policy', 'earliest']
      const consumers = await Promise.all([0, 1].map(() => startJava(ToolClass.verifiableConsumer, settings)))
      try {
        await Promise.all(consumers.map(one => one.until(out => events(out, 'partitions_assigned').length > 0)))
        const producer = await startJava(ToolClass.verifiableProducer, [...target, '--max-messages', `${count}`])
        assert.equal(await producer.ended(), 0)
        assert.equal(events(producer.stdout, 'producer_send_success').length, count)
        const consumed = (): number =>
          consumers
            .flatMap(({ stdout }) => events(stdout, 'records_consumed'))
            .reduce((sum, event) => sum + Number(event.count), 0)
        await consumers[0]?.until(() => consumed() >= count)
        assert.equal(consumed(), count)
        const args = [
          '--bootstrap-server',
          broker.bootstrap,
          '--describe',
          '--group',
          'verifiers',
          '--members',
          '--verbose',
        ]
        const members = rows(await runner.output(ToolClass.groups, args))
        assert.equal(members.length, 2)
        const assigned = members.map(member => member.at(-1) ?? '').join(',')
        assert.deepEqual([...assigned.matchAll(/\d+(?=[,)])/g)].map(String).sort(), ['0', '1', '2', '3'])
        for (const consumer of consumers) consumer.kill('SIGTERM')
        for (const consumer of consumers) await consumer.ended()
        assert.ok(consumers.every(({ stdout }) => events(stdout, 'shutdown_complete').length === 1))
      } finally {
        for (const consumer of consumers) consumer.kill('SIGKILL')
      }
    },
  )
}

compatTest({
  tool: "Kafka's console, group and verifiable tools",
  install: kafkaJars,
  version: () => jarVersion('libs', 'kafka-tools'),
  steps: async (context, broker) => {
    const runner = await JavaToolRunner.start()
    try {
      await consoleSteps(context, broker, runner)
      await groupSteps(context, broker, runner)
      await verifiableSteps(context, broker, runner)
    } finally {
      await runner.stop()
    }
  },
})
