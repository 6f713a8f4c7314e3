/** librdkafka's own test suite: built from the sources that node-rdkafka carries, and run against one of our brokers. */
import { cpSync, existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { BrokerProcess } from '../broker-process.ts'
import { RunningProgram, tail } from '../process.ts'
import { debianPackage, LIBRDKAFKA_VERSION, librdkafkaSource, makeStep } from '../tools.ts'
import { kafkaPath } from './kafka-path.ts'
import type { SuiteProfile } from './tests.ts'

/** The suite, built. */
export interface LibrdkafkaSuite {
  readonly version: string
  /** librdkafka's source, where everything was built. */
  readonly directory: string
}

/** What became of one test, as the suite's own report has it. */
export interface TestOutcome {
  readonly name: string
  readonly state: string
  readonly durationSeconds: number
}

/** What a run of the suite left behind. */
export interface SuiteRun {
  readonly outcomes: ReadonlyMap<string, TestOutcome>
  /** Everything that the tests printed. */
  readonly output: string
}

/** What the suite is told of the broker: some of its tests are for certain versions. */
const KAFKA_VERSION = '3.9.1'
/** What is changed in the suite's source before it is built. */
const CHANGES = [
  {
    // Some tests want three replicas of their topics and do nothing with them. Here is one broker, so the one place where
    // all of them make topics asks for one.
    file: 'tests/test.c',
    theirs: 'rd_kafka_NewTopic_new(topicname, partition_cnt, replication_factor,',
    ours: 'rd_kafka_NewTopic_new(topicname, partition_cnt, 1,',
  },
  {
    // Sessions of six seconds that ought to be over after a pause of six: milliseconds would decide.
    file: 'tests/0081-admin.c',
    theirs: 'Because using static group membership */\n        rd_sleep(6);',
    ours: 'Because using static group membership */\n        rd_sleep(9);',
  },
]
const RAPIDJSON_HEADER = '/usr/include/rapidjson/document.h'

/** The suite, built once: a few minutes. RapidJSON's headers, which five tests want, come from Debian. */
export async function librdkafkaSuite(): Promise<LibrdkafkaSuite> {
  if (!existsSync(RAPIDJSON_HEADER)) await debianPackage('rapidjson-dev')
  const directory = await librdkafkaSource()
  for (const change of CHANGES) makeChange(directory, change)
  await makeStep([`-j${cpus().length}`, '-C', 'tests', 'test-runner'], directory)
  return { version: LIBRDKAFKA_VERSION, directory }
}

/** Puts ours in the place of theirs, wherever that is, unless it was done before. */
function makeChange(directory: string, { file, theirs, ours }: (typeof CHANGES)[number]): void {
  const path = join(directory, file)
  const source = readFileSync(path, 'utf8')
  if (source.includes(theirs)) writeFileSync(path, source.replaceAll(theirs, ours))
  else if (!source.includes(ours)) throw new Error(`${path} is not as expected: it has no ${theirs}`)
}

/** Names of the subtests of 0081, the admin client's test: the functions that it calls. */
export function adminSubtests(suite: LibrdkafkaSuite): string[] {
  const source = readFileSync(join(suite.directory, 'tests/0081-admin.c'), 'utf8')
  const calls = source.slice(source.indexOf('static void do_test_apis('))
  return [...new Set([...calls.matchAll(/do_test_(?!apis\b)(\w+)\(/g)].map(([, name]) => name ?? ''))]
}

/**
 * Names of the tests that talk to a broker, out of the table in `test.c`: neither those marked as local (they bring
 * their own mock cluster) nor those that only a person starts.
 */
export function testsOfBroker(suite: LibrdkafkaSuite): string[] {
  const source = readFileSync(join(suite.directory, 'tests/test.c'), 'utf8')
  const table = /^struct test tests\[\] = \{([\s\S]*?)^ {4}\{NULL\}\};/m.exec(source)?.[1] ?? ''
  const entries = [...table.matchAll(/_TEST\(\s*(\d{4}_\w+),([^,)]*)/g)]
  return entries.filter(([, , flags]) => !/TEST_F_(LOCAL|MANUAL)\b/.test(flags ?? '')).map(([, name]) => name ?? '')
}

/**
 * Runs the tests with these names as their profile has it. Tests that share a number with a named one run with it, for
 * numbers are all that the suite can choose by. Of their subtests only those run whose names contain `subtests`.
 */
export async function runSuite(
  suite: LibrdkafkaSuite,
  broker: BrokerProcess,
  profile: SuiteProfile,
  names: readonly string[],
  timeoutMs: number,
  subtests?: string,
): Promise<SuiteRun> {
  const configuration = join(broker.directory, 'test.conf')
  const settings = {
    'bootstrap.servers': broker.bootstrap,
    'test.topic.random': 'true',
    'test.timeout.multiplier': `${profile.patience ?? 1}`,
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(configuration, lines.join(''))
  // Tests leave files where they run, and look for librdkafka's source beside that.
  const work = mkdtempSync(join(broker.directory, 'librdkafka-'))
  const tests = join(work, 'tests')
  symlinkSync(join(suite.directory, 'src'), join(work, 'src'))
  cpSync(join(suite.directory, 'tests/java'), join(tests, 'java'), { recursive: true })
  const report = join(work, 'report.json')
  // What the suite's own does for them, without the rest of it.
  writeFileSync(join(tests, 'Makefile'), 'java: force\n\t$(MAKE) -C java\nforce:\n')
  const args = ['-L', '-K', `-p${profile.parallel}`, '-s', profile.scenario]
  const program = new RunningProgram(join(suite.directory, 'tests/test-runner'), args, {
    cwd: tests,
    env: {
      LD_LIBRARY_PATH: `${join(suite.directory, 'src')}:${join(suite.directory, 'src-cpp')}`,
      RDKAFKA_TEST_CONF: configuration,
      KAFKA_PATH: await kafkaPath(work),
      BROKERS: broker.bootstrap,
      TEST_KAFKA_VERSION: KAFKA_VERSION,
      TEST_REPORT: report,
      ...(subtests === undefined ? {} : { SUBTESTS: subtests }),
      TESTS: [...new Set(names.map(name => name.slice(0, 4)))].join(','),
    },
  })
  program.child.stdin?.end()
  await program.ended(timeoutMs)
  const output = program.stdout + program.stderr
  if (!existsSync(report)) throw new Error(`the suite wrote no report\n${tail(output)}`)
  return { outcomes: outcomesOf(readFileSync(report, 'utf8')), output }
}

/** The lines that one test printed, its colours taken away. */
export function linesOf(run: SuiteRun, name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the suite colours its output
  const plain = run.output.replaceAll(/\x1b\[[0-9;]*m/g, '')
  const lines = plain.split('\n').filter(line => line.startsWith(`[${name} `) || line.startsWith(`[${name}/`))
  return tail(lines.join('\n'))
}

function outcomesOf(report: string): Map<string, TestOutcome> {
  // Read by pattern: what tests add to their entry is not always JSON.
  const entry = /\{"name": "(\w+)", "state": "([A-Z ]+)", .*?"duration": ([\d.]+), "report"/g
  const outcomes = [...report.matchAll(entry)].map(([, name = '', state = '', duration]) => {
    return { name, state, durationSeconds: Number(duration) }
  })
  return new Map(outcomes.map(outcome => [outcome.name, outcome]))
}
