/** node-rdkafka's end-to-end tests, run by mocha. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { BrokerProcess } from '../broker-process.ts'
import { clientPeers, NODE_RDKAFKA_VERSION } from '../client-peers.ts'
import type { ForeignTest } from '../foreign-tests.ts'
import { RunningProgram, tail } from '../process.ts'
import { npmPackage } from '../tools.ts'

/** What runs the tests, where they lie. */
export interface MochaSuite {
  readonly version: string
  readonly node: string
  readonly mocha: string
  /** node-rdkafka's own folder. */
  readonly directory: string
}

/** What mocha tells as it goes. */
interface MochaEvent {
  readonly kind: string
  readonly fullTitle: string
  readonly err?: string
}

/** In the version that the tests were written for. */
const MOCHA = 'mocha@10.8.2'
const TEST_TIMEOUT_MS = 60_000
const RUN_TIMEOUT_MS = 10 * 60_000
const AFTER_EACH = '"after each" hook'

export async function mochaSuite(): Promise<MochaSuite> {
  const require = createRequire(await npmPackage(MOCHA))
  const { node, directory } = await clientPeers()
  return {
    version: NODE_RDKAFKA_VERSION,
    node,
    mocha: require.resolve('mocha/bin/mocha.js'),
    directory: join(directory, 'node_modules/node-rdkafka'),
  }
}

/** Runs all tests of a file in one process. */
export async function runFile(suite: MochaSuite, broker: BrokerProcess, file: string): Promise<ForeignTest[]> {
  const names = await testsOf(suite, file)
  const { events, output } = await runMocha(suite, [file], broker)
  const failures = events.filter(({ kind }) => kind === 'fail')
  return [
    ...names.map(name => ({ name, passed: hasPassed(events, name), report: reportOf(events, output) })),
    ...failures
      .filter(({ fullTitle }) => !names.includes(fullTitle))
      .map(({ fullTitle, err = '' }) => ({ name: fullTitle, passed: false, report: err })),
  ]
}

/**
 * Runs each test of a file in a process of its own. What its hook does after it is not looked at: a consumer that is
 * disconnected just when the end of its partition is reported may never come back, whoever the broker is, since
 * node-rdkafka keeps that message while librdkafka waits for it to be given back.
 */
export async function runOneByOne(suite: MochaSuite, broker: BrokerProcess, file: string): Promise<ForeignTest[]> {
  const tests: ForeignTest[] = []
  for (const name of await testsOf(suite, file)) {
    const { events, output } = await runMocha(suite, [file, '--fgrep', name], broker)
    if (events.some(({ fullTitle }) => fullTitle.includes(AFTER_EACH)))
      console.log(`# hung after it had passed: ${name}`)
    tests.push({ name, passed: hasPassed(events, name), report: reportOf(events, output) })
  }
  return tests
}

async function testsOf(suite: MochaSuite, file: string): Promise<string[]> {
  const { events, output } = await runMocha(suite, [file, '--dry-run'])
  const names = events.filter(({ kind }) => kind === 'pass').map(({ fullTitle }) => fullTitle)
  if (names.length === 0) throw new Error(`${file} could not be loaded:\n${tail(output)}`)
  return names
}

function hasPassed(events: readonly MochaEvent[], name: string): boolean {
  return events.some(({ kind, fullTitle }) => kind === 'pass' && fullTitle === name)
}

function reportOf(events: readonly MochaEvent[], output: string): string {
  return tail(`${events.map(({ err = '' }) => err).join('\n')}\n${output}`)
}

/** Runs mocha until it says that it is done, or is gone; a process in which a consumer hangs does not end by itself. */
async function runMocha(
  suite: MochaSuite,
  args: readonly string[],
  broker?: BrokerProcess,
): Promise<{ events: MochaEvent[]; output: string }> {
  const options = ['--reporter', 'json-stream', '--timeout', `${TEST_TIMEOUT_MS}`]
  const program = new RunningProgram(suite.node, [suite.mocha, ...options, ...args], {
    cwd: suite.directory,
    env: broker === undefined ? {} : { KAFKA_HOST: broker.bootstrap },
  })
  program.child.stdin?.end()
  try {
    await program.until(stdout => !program.running || /^\["end"/m.test(stdout), RUN_TIMEOUT_MS)
  } finally {
    program.kill('SIGKILL')
  }
  return { events: eventsIn(program.stdout), output: program.stdout + program.stderr }
}

/** Lines like `["pass",{"fullTitle":"..."}]`; what the tests print stands between them. */
function eventsIn(stdout: string): MochaEvent[] {
  const lines = stdout.split('\n').filter(line => /^\["(pass|fail)",/.test(line))
  return lines.map(line => {
    const [kind, { fullTitle, err }] = JSON.parse(line) as [string, { fullTitle: string; err?: string }]
    return { kind, fullTitle, ...(err === undefined ? {} : { err }) }
  })
}
