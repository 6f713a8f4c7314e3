/** Other people's tools, installed on demand: from Debian, PyPI and npm, kept in `.cache` where the system has no place. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cacheDirectory } from './jars.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { programExists, type RunOptions, run } from './process.ts'

const INSTALL_TIMEOUT_MS = 600_000
/** Of a compiler that shares its cores with others. */
export const BUILD_TIMEOUT_MS = 2_400_000

/** A Python program with packages of its own. */
export interface PythonEnvironment {
  /** Path of the interpreter. */
  readonly python: string
  /** Versions of the packages asked for, as pip reports them. */
  readonly versions: string
}

/** librdkafka's own example programs, built from source. */
export interface LibrdkafkaExamples {
  readonly version: string
  readonly performance: string
  readonly example: string
}

/**
 * Gives what `install` gives. When that fails the running test fails where `CI` is set, and elsewhere is skipped with
 * the reason in plain sight; the answer is then undefined.
 */
export async function toolOrSkip<T>(
  context: TestContext,
  name: string,
  install: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await install()
  } catch (error) {
    const reason = `${name} cannot be installed here: ${(error as Error).message.split('\n')[0]}`
    if (process.env.CI !== undefined && process.env.CI !== 'false') throw new Error(reason, { cause: error })
    console.error(`\n*** SKIPPED: ${reason}\n`)
    context.skip(reason)
    return undefined
  }
}

/** kcat from Debian; gives its version line. */
export async function kcat(): Promise<string> {
  if (!(await programExists('kcat'))) await debianPackage('kcat')
  const { stdout } = await run('kcat', ['-V'])
  return /Version .*/.exec(stdout)?.[0] ?? 'unknown version'
}

/** Installs a package of Debian; throws where nobody may. */
export async function debianPackage(name: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error(`${name} is missing, and only root may run apt-get install ${name}`)
  if (!(await programExists('apt-get'))) throw new Error(`${name} is missing, and there is no apt-get to install it`)
  const options = { timeoutMs: INSTALL_TIMEOUT_MS, env: { DEBIAN_FRONTEND: 'noninteractive' } }
  await oneAtATime('apt-get', async () => {
    await run('apt-get', ['-q', 'update'], options)
    await run('apt-get', ['-q', '-y', '--no-install-recommends', 'install', name], options)
  })
}

/** A Python environment called `name` that holds exactly these requirements (`kafka-python==2.0.2`). */
export function pythonWith(name: string, requirements: readonly string[]): Promise<PythonEnvironment> {
  const directory = join(cacheDirectory, 'python', name)
  return oneAtATime(directory, () => pythonIn(directory, requirements))
}

async function pythonIn(directory: string, requirements: readonly string[]): Promise<PythonEnvironment> {
  const python = join(directory, 'bin', 'python')
  if (!existsSync(python)) {
    mkdirSync(join(cacheDirectory, 'python'), { recursive: true })
    await run('python3', ['-m', 'venv', directory], { timeoutMs: INSTALL_TIMEOUT_MS })
  }
  const installed = join(directory, 'bin', 'pip')
  const wanted = requirements.map(requirement => requirement.split('==')[0]?.toLowerCase() ?? '')
  let frozen = (await run(installed, ['freeze'])).stdout
  if (!requirements.every(requirement => frozen.toLowerCase().includes(requirement.toLowerCase()))) {
    await run(installed, ['-q', 'install', ...requirements], { timeoutMs: INSTALL_TIMEOUT_MS })
    frozen = (await run(installed, ['freeze'])).stdout
  }
  const versions = frozen.split('\n').filter(line => wanted.includes(line.split('==')[0]?.toLowerCase() ?? ''))
  return { python, versions: versions.join(', ') }
}

/** A path from which `createRequire` finds an npm package, once it is installed; exact version (`kafka-node@5.0.0`), nothing native. */
export function npmPackage(specifier: string): Promise<string> {
  const directory = join(cacheDirectory, 'npm', specifier.replaceAll('/', '+'))
  return oneAtATime(directory, () => npmPackageIn(directory, specifier))
}

async function npmPackageIn(directory: string, specifier: string): Promise<string> {
  const installed = join(directory, 'package.json')
  if (existsSync(join(directory, '.finished'))) return installed
  mkdirSync(directory, { recursive: true })
  writeFileSync(installed, '{ "private": true }\n')
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--omit=optional', '--save-exact']
  await run('npm', ['install', '--silent', ...flags, specifier], { cwd: directory, timeoutMs: INSTALL_TIMEOUT_MS })
  writeFileSync(join(directory, '.finished'), '')
  return installed
}

/** The librdkafka that the npm package below carries. */
export const LIBRDKAFKA_VERSION = '2.12'
const LIBRDKAFKA_CARRIER = 'node-rdkafka@3.6.1'

/** librdkafka's example and performance programs; with the libraries, building them takes a minute or two, once. */
export async function librdkafkaExamples(): Promise<LibrdkafkaExamples> {
  const source = await librdkafkaSource()
  const performance = join(source, 'examples/rdkafka_performance')
  const example = join(source, 'examples/rdkafka_example')
  if (!existsSync(performance) || !existsSync(example)) {
    await makeStep(['-C', 'examples', 'rdkafka_performance', 'rdkafka_example'], source)
  }
  return { version: LIBRDKAFKA_VERSION, performance, example }
}

/** The source of librdkafka that the npm package of node-rdkafka carries, with its libraries built, once. */
export function librdkafkaSource(): Promise<string> {
  const directory = join(cacheDirectory, `librdkafka-${LIBRDKAFKA_VERSION}`)
  return oneAtATime(directory, () => librdkafkaIn(directory))
}

async function librdkafkaIn(directory: string): Promise<string> {
  if (existsSync(directory)) return directory
  mkdirSync(cacheDirectory, { recursive: true })
  const work = mkdtempSync(join(cacheDirectory, '.librdkafka-'))
  try {
    await run('npm', ['pack', '--silent', LIBRDKAFKA_CARRIER], { cwd: work, timeoutMs: INSTALL_TIMEOUT_MS })
    await run('sh', ['-c', 'tar xzf node-rdkafka-*.tgz'], { cwd: work, timeoutMs: INSTALL_TIMEOUT_MS })
    const source = join(work, 'package/deps/librdkafka')
    const off = ['ssl', 'gssapi', 'sasl', 'curl', 'zstd'].map(feature => `--disable-${feature}`)
    await run('./configure', off, { cwd: source, timeoutMs: INSTALL_TIMEOUT_MS })
    await makeStep([`-j${cpus().length}`, 'libs'], source)
    renameSync(source, directory)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return directory
}

/** One run of `make`. */
export function makeStep(args: readonly string[], cwd: string): Promise<unknown> {
  return buildStep('make', args, { cwd })
}

/** Runs a compiler: with the time that it takes on a busy machine, and nicer than the tests that run meanwhile. */
export function buildStep(command: string, args: readonly string[], options: RunOptions): Promise<unknown> {
  return run('nice', ['-n', '5', command, ...args], { ...options, timeoutMs: BUILD_TIMEOUT_MS })
}
