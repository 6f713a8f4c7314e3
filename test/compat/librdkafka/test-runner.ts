/** librdkafka's own test suite: built from the sources that node-rdkafka carries, and run against one of our brokers. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { BrokerProcess } from '../broker-process.ts'
import { RunningProgram, tail } from '../process.ts'
import { buildFromLibrdkafka, debianPackage, LIBRDKAFKA_VERSION, makeStep } from '../tools.ts'
import { kafkaPath } from './kafka-path.ts'
import type { SuiteProfile } from './tests.ts'

/** The suite, built. */
export interface LibrdkafkaSuite {
  readonly version: string
  /** Where what was built lies, in folders as in librdkafka's source. */
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
/** What 0053 compares statistics with; it opens it by a path relative to its working directory. */
const STATISTICS_SCHEMA = 'src/statistics_schema.json'
const RAPIDJSON_HEADER = '/usr/include/rapidjson/document.h'

/** The suite, built once: a few minutes. RapidJSON's headers, which five tests want, come from Debian. */
export async function librdkafkaSuite(): Promise<LibrdkafkaSuite> {
  if (!existsSync(RAPIDJSON_HEADER)) await debianPackage('rapidjson-dev')
  const directory = await buildFromLibrdkafka(
    'tests',
    ['tests/test-runner', 'tests/test.c', 'src/librdkafka.so.1', 'src-cpp/librdkafka++.so.1', STATISTICS_SCHEMA],
    source => makeStep([`-j${cpus().length}`, '-C', 'tests', 'test-runner'], source),
  )
  return { version: LIBRDKAFKA_VERSION, directory }
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
 * numbers are all that the suite can choose by.
 */
export async function runSuite(
  suite: LibrdkafkaSuite,
  broker: BrokerProcess,
  profile: SuiteProfile,
  names: readonly string[],
  timeoutMs: number,
): Promise<SuiteRun> {
  const configuration = join(broker.directory, 'test.conf')
  writeFileSync(configuration, `bootstrap.servers=${broker.bootstrap}\ntest.topic.random=true\n`)
  const report = join(broker.directory, 'report.json')
  // Tests leave files where they run, and look for librdkafka's source beside that.
  const work = join(broker.directory, 'librdkafka/tests')
  mkdirSync(work, { recursive: true })
  symlinkSync(join(suite.directory, 'src'), join(work, '../src'))
  const args = ['-L', '-K', `-p${profile.parallel}`, '-s', profile.scenario]
  const program = new RunningProgram(join(suite.directory, 'tests/test-runner'), args, {
    cwd: work,
    env: {
      LD_LIBRARY_PATH: `${join(suite.directory, 'src')}:${join(suite.directory, 'src-cpp')}`,
      RDKAFKA_TEST_CONF: configuration,
      KAFKA_PATH: await kafkaPath(broker.directory),
      BROKERS: broker.bootstrap,
      TEST_KAFKA_VERSION: KAFKA_VERSION,
      TEST_REPORT: report,
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
