/** kafka-python's integration tests, out of its source distribution, run against a broker that is already there. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrokerProcess } from '../broker-process.ts'
import type { ForeignTest } from '../foreign-tests.ts'
import { cacheDirectory, repositoryRoot } from '../jars.ts'
import { run, tail } from '../process.ts'
import { pythonWith } from '../tools.ts'

/** The suite, unpacked, and the interpreter that runs it. */
export interface PytestSuite {
  readonly version: string
  readonly python: string
  readonly directory: string
}

const VERSION = '3.0.12'
const REQUIREMENTS = [
  'lz4==4.4.5',
  'py==1.11.0',
  'pytest==8.4.2',
  'pytest-mock==3.15.1',
  'pytest-timeout==2.4.0',
  'python-snappy==0.7.3',
  'zstandard==0.25.0',
]
/** What the suite is told of the broker: it has tests for certain versions. */
const KAFKA_VERSION = '3.9.1'
const INSTALL_TIMEOUT_MS = 600_000
const INTEGRATION_TESTS = 'test/integration'
/** `test/integration/test_x.py::test_y[z] PASSED     [ 12%]` */
const OUTCOME = /^(test\/\S+::\S+) (PASSED|FAILED|ERROR|SKIPPED)/gm

/** Unpacks the suite, once, beside a Python that has what it wants. */
export async function pytestSuite(): Promise<PytestSuite> {
  const { python } = await pythonWith(`kafka-python-${VERSION}-suite`, REQUIREMENTS)
  const directory = join(cacheDirectory, `kafka-python-${VERSION}-suite`)
  if (existsSync(directory)) return { version: VERSION, python, directory }
  const work = mkdtempSync(join(cacheDirectory, '.kafka-python-'))
  try {
    const source = ['--no-deps', '--no-binary', ':all:', '-d', work, `kafka-python==${VERSION}`]
    await run(python, ['-m', 'pip', '-q', 'download', ...source], { timeoutMs: INSTALL_TIMEOUT_MS })
    await run('sh', ['-c', 'tar xzf kafka_python-*.tar.gz'], { cwd: work })
    const unpacked = join(work, `kafka_python-${VERSION}`)
    // The distribution leaves out two files that its tests import.
    writeFileSync(join(unpacked, 'test/__init__.py'), '')
    copyFileSync(join(repositoryRoot, 'test/compat/python/external_service.py'), join(unpacked, 'test/service.py'))
    renameSync(unpacked, directory)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return { version: VERSION, python, directory }
}

/** Names of all tests, as pytest has them: `test/integration/test_x.py::test_y[z]`. */
export async function collectTests(suite: PytestSuite): Promise<string[]> {
  const output = await pytest(suite, ['--collect-only', '-q'], {})
  return output.split('\n').filter(line => line.includes('::'))
}

/** Runs all tests but those whose names begin with one of `deselected`; a test that skips itself has not passed. */
export async function runTests(
  suite: PytestSuite,
  broker: BrokerProcess,
  deselected: readonly string[],
): Promise<ForeignTest[]> {
  const output = await pytest(suite, ['-v', ...deselected.flatMap(name => ['--deselect', name])], {
    KAFKA_URI: `kafka://${broker.bootstrap}`,
  })
  return [...output.matchAll(OUTCOME)].map(([, name = '', outcome]) => {
    return { name, passed: outcome === 'PASSED', report: tail(output) }
  })
}

async function pytest(suite: PytestSuite, args: readonly string[], env: Record<string, string>): Promise<string> {
  const kafka = join(suite.directory, 'kafka-bin')
  mkdirSync(kafka, { recursive: true })
  const quiet = ['-p', 'no:logging', '-p', 'no:cacheprovider', '-W', 'ignore', '--color=no', '--tb=short']
  const { stdout, stderr } = await run(suite.python, ['-m', 'pytest', INTEGRATION_TESTS, ...quiet, ...args], {
    cwd: suite.directory,
    // It wants Kafka's folder to be there, also where it does not start Kafka.
    env: { KAFKA_VERSION, KAFKA_ROOT: kafka, ...env },
    timeoutMs: INSTALL_TIMEOUT_MS,
    // Failed tests are 1; what failed is read from the output.
    expectedCodes: [0, 1],
  })
  return stdout + stderr
}
