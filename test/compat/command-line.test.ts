/** The `monedula` command with Apache Kafka, and lines that it reads beside what Kafka's console producer makes of them. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { monedula, refusal, startMonedula } from '../integration/monedula-command.ts'
import { BrokerProcess, targetVersion } from './broker-process.ts'
import { compatTest } from './compat-test.ts'
import { createTopics } from './create-topics.ts'
import { jarVersion, kafkaJars } from './jars.ts'
import { JavaToolRunner, ToolClass } from './java-tool-runner.ts'
import { toolOrSkip } from './tools.ts'

interface Lines {
  readonly what: string
  readonly properties: readonly string[]
  readonly input: string
}

const HEADERS = ['parse.headers=true', 'parse.key=true']

/** Lines that both take; records are compared. */
const TAKEN: readonly Lines[] = [
  { what: 'lines alone', properties: [], input: 'a\n\nb\r\nü\tlast, without an end' },
  { what: 'keys', properties: ['parse.key=true'], input: 'k\tv\n\tno key\nk\t\nk\tv\tw\n' },
  { what: 'keys behind another mark', properties: ['parse.key=TRUE', 'key.separator=::'], input: 'k::v\nk:::v\n::\n' },
  {
    what: 'headers without keys',
    properties: ['parse.headers=true'],
    input: 'h:1\tv\nh:1,i:2,h:3\tv\tw\nh:\tv\nh:1,\tv\n:1\tv\n',
  },
  { what: 'headers, keys and values', properties: HEADERS, input: 'h:1:2,i:a b\tk\tv\nh:ü\t\t\n' },
  {
    what: 'other marks between headers',
    properties: [
      ...HEADERS,
      'headers.delimiter=!',
      'headers.separator=&',
      'headers.key.separator=>',
      'key.separator=!',
    ],
    input: 'h>1&i>2!k!v\nh>a:b,c!k!v!w\n',
  },
  {
    what: 'nulls',
    properties: [...HEADERS, 'null.marker=NULL'],
    input: 'NULL\tk\tv\nh:NULL\tNULL\tNULL\nh:1\tNULLS\tnull\nh:NULL,i:1\t\tNULL\n',
  },
  { what: 'nulls without keys', properties: ['null.marker=-'], input: '-\n--\n\n' },
  { what: 'an empty null marker', properties: ['parse.key=true', 'null.marker='], input: 'k\t\n\tv\n\t\n' },
  {
    what: 'marks that are missing, when that is no error',
    properties: [...HEADERS, 'ignore.error=true'],
    input: 'v\nh:1\tv\nh\tk\tv\nh,i:1\tk\tv\n',
  },
]

/** Lines and properties that neither takes. */
const REFUSED: readonly Lines[] = [
  { what: 'a line without a key', properties: ['parse.key=true'], input: 'v\n' },
  { what: 'a line without headers', properties: ['parse.headers=true'], input: 'v\n' },
  { what: 'a header without a value', properties: ['parse.headers=true'], input: 'h\tv\n' },
  { what: 'no header at all', properties: ['parse.headers=true'], input: '\tv\n' },
  { what: 'a null name of a header', properties: ['parse.headers=true', 'null.marker=N'], input: 'N:1\tv\n' },
  { what: 'a null marker that is a mark', properties: ['null.marker=,'], input: '' },
  { what: 'two marks that are the same', properties: ['headers.separator=:'], input: '' },
]

const withProperties = ({ properties }: Lines): string[] => properties.flatMap(one => ['--property', one])

async function steps(context: TestContext, broker: BrokerProcess, runner: JavaToolRunner): Promise<void> {
  const cluster = { bootstrapServers: broker.bootstrap }
  const java = (topic: string, lines: Lines) => {
    const target = ['--bootstrap-server', broker.bootstrap, '--topic', topic]
    return runner.tool(ToolClass.consoleProducer, [...target, ...withProperties(lines)], lines.input)
  }
  const ours = (topic: string, lines: Lines, expectedCodes: readonly number[]) =>
    monedula(cluster, ['produce', topic, ...withProperties(lines)], { input: lines.input, expectedCodes })
  const recordsOf = async (topic: string): Promise<unknown[]> => {
    const { stdout } = await monedula(cluster, ['consume', topic, '--json'])
    const records = stdout.split('\n').filter(line => line !== '')
    return records.map(line => {
      const { offset, key, value, headers } = JSON.parse(line)
      return { offset, key, value, headers }
    })
  }

  for (const [index, lines] of TAKEN.entries()) {
    await context.test(`${lines.what} become the same records`, async () => {
      const [theirTopic, ourTopic] = [`java-${index}`, `monedula-${index}`]
      await createTopics(
        broker,
        [theirTopic, ourTopic].map(topic => ({ topic, numPartitions: 1 })),
      )
      const [theirRun] = await Promise.all([java(theirTopic, lines), ours(ourTopic, lines, [0])])
      assert.equal(theirRun.code, 0)
      const [expected, records] = await Promise.all([theirTopic, ourTopic].map(recordsOf))
      assert.ok(expected!.length > 0)
      assert.deepEqual(records, expected)
    })
  }

  await createTopics(broker, [{ topic: 'refused', numPartitions: 1 }])
  for (const lines of REFUSED) {
    await context.test(`${lines.what} is refused by both`, async () => {
      await Promise.all([java('refused', lines), ours('refused', lines, [1])])
    })
  }
  assert.deepEqual(await recordsOf('refused'), [])
}

compatTest({
  tool: "Kafka's console producer beside monedula produce",
  install: kafkaJars,
  version: () => jarVersion('libs', 'kafka-tools'),
  steps: async (context, broker) => {
    const runner = await JavaToolRunner.start()
    try {
      await steps(context, broker, runner)
    } finally {
      await runner.stop()
    }
  },
})

for (const target of ['kafka', 'kafka43'] as const) {
  const version = targetVersion(target)
  test(`the command line against ${version}`, { timeout: 600_000 }, async context => {
    if ((await toolOrSkip(context, version, kafkaJars)) === undefined) return
    const broker = await BrokerProcess.start({ target })
    try {
      await everyCommand({ bootstrapServers: broker.bootstrap })
    } finally {
      await broker.dispose()
    }
  })
}

async function everyCommand(cluster: { readonly bootstrapServers: string }): Promise<void> {
  const output = async (words: string, input = ''): Promise<string> =>
    (await monedula(cluster, words, { input })).stdout

  assert.equal(await output('topic create orders -p 2 -c retention.ms=-1'), 'created orders\n')
  assert.match(await refusal(cluster, 'topic create orders'), /^monedula: orders: [^\n]*already exists[^\n]*\n$/)
  assert.equal(
    await output('topic alter orders -p 3 -c segment.ms=5000 --delete-config retention.ms'),
    'altered orders\n',
  )
  const described = await output('topic describe orders')
  assert.match(described, /^2 +0 +0 +0 +0 +0$/m)
  assert.match(described, /^segment\.ms +5000 +dynamic-topic$/m)
  assert.match(await output('topic list'), /^orders$/m)

  await output('produce orders -k : -p 1 -H from=till -z zstd', 'u1:one\nu2:two\nu3:three\n')
  const json = await output('consume orders --json')
  assert.deepEqual(
    json
      .trimEnd()
      .split('\n')
      .map(line => Object.values({ ...JSON.parse(line), timestamp: 0 })),
    ['one', 'two', 'three'].map((value, offset) => [
      'orders',
      1,
      offset,
      0,
      `u${offset + 1}`,
      value,
      [['from', 'till']],
    ]),
  )
  await output('produce orders --json', json)
  assert.equal(await output('consume orders -p 1 -o -1'), 'u3\tthree\n')
  assert.match(await refusal(cluster, 'consume none'), /^monedula: there is no topic none/)

  const reader = startMonedula(cluster, 'consume orders --follow --from-beginning -g billing -p 0,1,2')
  await reader.until(stdout => stdout.split('\n').length === 7)
  reader.kill('SIGINT')
  assert.equal(await reader.ended(), 0)
  assert.match(await output('group list'), /^billing +Empty$/m)
  assert.match(await output('group describe billing'), /^orders +1 +6 +6 +0 +-/m)
  await output('group reset billing --to -2')
  assert.equal((await output('consume orders -g billing -n 1')).split('\n').length, 2)
  assert.match(await output('group describe billing'), /^orders +1 +5 +6 +1 +-/m)
  assert.equal(await output('group delete billing'), 'deleted billing\n')
  assert.match(await refusal(cluster, 'group describe billing'), /^monedula: there is no group billing/)
  assert.equal(await output('topic delete orders'), 'deleted orders\n')
}
