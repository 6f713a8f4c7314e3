/**
 * The broker under test in a process of its own: Monedula, or with `TARGET=kafka` a real Apache Kafka 3.9.1 with its
 * ZooKeeper, which is how these tests themselves are tested.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repositoryRoot } from './jars.ts'
import { startJava } from './java.ts'
import { freePort, untilMetadata } from './metadata-probe.ts'
import { RunningProgram, sleep, tail } from './process.ts'
import { ZooKeeperProcess } from './zookeeper-process.ts'

export type Target = 'monedula' | 'kafka'

/** What `TARGET` says; Monedula unless it says otherwise. */
export function targetOfEnvironment(): Target {
  return process.env.TARGET === 'kafka' ? 'kafka' : 'monedula'
}

export interface BrokerOptions {
  /** Which broker; what `TARGET` says when absent. */
  readonly target?: Target
  /** Settings on top of those every broker here gets. */
  readonly properties?: Readonly<Record<string, string>>
  /** Flags of the broker's virtual machine or of Node. */
  readonly flags?: readonly string[]
  /** How many file descriptors Monedula may have (`ulimit -n`). */
  readonly descriptors?: number
  /** Where data, configuration and log files lie; a new temporary directory, removed at the end, when absent. */
  readonly directory?: string
  /** An Apache ZooKeeper that is already running, for the target `kafka`; it is left running. */
  readonly zooKeeperPort?: number
}

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 60_000
/** How a process killed by SIGTERM that ran its shutdown hooks ends: Java, hence Kafka, leaves 143. */
const CLEAN_EXIT_CODES: readonly number[] = [0, 143]

/** One broker that can be stopped, killed and started again on the same port and directories. */
export class BrokerProcess {
  readonly target: Target
  readonly port: number
  /** Everything of this broker lies below this directory. */
  readonly directory: string
  /** The value of `log.dirs`. */
  readonly logDirectory: string
  readonly #options: BrokerOptions
  #program: RunningProgram | undefined
  #zooKeeper: ZooKeeperProcess | undefined

  private constructor(port: number, directory: string, options: BrokerOptions) {
    this.target = options.target ?? targetOfEnvironment()
    this.port = port
    this.directory = directory
    this.logDirectory = join(directory, 'logs')
    this.#options = options
  }

  /** Starts a broker on a free port and waits until it answers Metadata. */
  static async start(options: BrokerOptions = {}): Promise<BrokerProcess> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'monedula-broker-'))
    mkdirSync(directory, { recursive: true })
    const broker = new BrokerProcess(await freePort(), directory, options)
    try {
      await broker.restart()
    } catch (error) {
      await broker.dispose()
      throw error
    }
    return broker
  }

  /** Where the cluster's metadata lies, in the files of a ZooKeeper: beside the logs, or below the ZooKeeper's own. */
  get metadataDirectory(): string {
    return this.target === 'kafka' ? join(this.directory, 'zookeeper') : `${this.logDirectory}-zookeeper`
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Process id of the broker itself. */
  get pid(): number {
    return this.#program?.pid ?? -1
  }

  /** Whether the process is there. */
  get isRunning(): boolean {
    return this.#program?.running ?? false
  }

  /** Process id of the ZooKeeper that serves this broker alone, where it is a process of its own. */
  get zooKeeperPid(): number | undefined {
    return this.#zooKeeper?.pid
  }

  /** What the broker has printed since its last start. */
  get log(): string {
    return `${this.#program?.stdout ?? ''}${this.#program?.stderr ?? ''}`
  }

  /**
   * Starts the broker, for the first time or again. Kafka refuses to start while ZooKeeper still holds the session of
   * a killed one, so that start is tried until it succeeds.
   */
  async restart(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS
    for (;;) {
      const program = await this.spawn()
      try {
        await untilMetadata(this.port, START_TIMEOUT_MS, () => program.running)
        return
      } catch (error) {
        const staleSession = this.target === 'kafka' && /NodeExists/.test(this.log)
        if (!staleSession || Date.now() > deadline) {
          throw new Error(`${(error as Error).message}\n${tail(this.log)}`, { cause: error })
        }
        await sleep(500)
      }
    }
  }

  /** Starts the process without waiting for anything. */
  async spawn(): Promise<RunningProgram> {
    if (this.target === 'kafka' && this.#options.zooKeeperPort === undefined) {
      this.#zooKeeper ??= await ZooKeeperProcess.start(this.directory)
    }
    const file = this.#writeProperties()
    this.#program = this.target === 'kafka' ? await this.#spawnKafka(file) : this.#spawnMonedula(file)
    return this.#program
  }

  /** SIGTERM and a wait; gives the exit code, which must be one of a clean stop. */
  async stop(): Promise<number> {
    const program = this.#program
    if (program === undefined || !program.running) throw new Error(`the broker is not running\n${tail(this.log)}`)
    program.kill('SIGTERM')
    const code = await program.ended(STOP_TIMEOUT_MS)
    if (!CLEAN_EXIT_CODES.includes(code)) throw new Error(`exit code ${code} after SIGTERM\n${tail(this.log)}`)
    return code
  }

  /** kill -9. */
  async killHard(): Promise<void> {
    this.#program?.kill('SIGKILL')
    await this.#program?.ended(STOP_TIMEOUT_MS)
  }

  /** A broker of the same settings and port on a copy of this one's directory, while this one is down; ended after `body`. */
  async withDirectory(directory: string, body: (broker: BrokerProcess) => Promise<void>): Promise<void> {
    const twin = new BrokerProcess(this.port, directory, { ...this.#options, directory })
    try {
      await body(twin)
    } finally {
      await twin.dispose()
    }
  }

  /** A second process of Monedula on the same directories while the first one runs, on a port of its own. */
  async spawnTwin(): Promise<RunningProgram> {
    const own = readFileSync(this.#writeProperties(), 'utf8')
    const file = join(this.directory, 'twin.properties')
    writeFileSync(file, own.replaceAll(`:${this.port}`, `:${await freePort()}`))
    return this.#spawnMonedula(file)
  }

  /** Ends everything and removes the temporary directory. */
  async dispose(): Promise<void> {
    if (process.env.KEEP_LOGS !== undefined) writeFileSync(join(tmpdir(), `broker-${this.port}.log`), this.log)
    if (this.#program?.running) await this.killHard()
    await this.#zooKeeper?.stop()
    this.#zooKeeper = undefined
    if (this.#options.directory === undefined) rmSync(this.directory, { recursive: true, force: true })
  }

  #writeProperties(): string {
    const properties: Record<string, string> = {
      'broker.id': '0',
      listeners: `PLAINTEXT://127.0.0.1:${this.port}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${this.port}`,
      'log.dirs': this.logDirectory,
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
    }
    if (this.target === 'kafka') {
      const port = this.#options.zooKeeperPort ?? this.#zooKeeper?.port
      properties['zookeeper.connect'] = `127.0.0.1:${port}`
      // Short, so that a restart after kill -9 need not wait long for the dead broker's session to end.
      properties['zookeeper.session.timeout.ms'] = '6000'
    }
    const file = join(this.directory, 'server.properties')
    const lines = Object.entries({ ...properties, ...this.#options.properties }).map(
      ([key, value]) => `${key}=${value}`,
    )
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  }

  async #spawnKafka(file: string): Promise<RunningProgram> {
    const flags = this.#options.flags ?? ['-XX:+UseSerialGC', '-Xmx512m']
    return startJava('kafka.Kafka', [file], { flags: [...flags, `-Dkafka.logs.dir=${this.directory}`] })
  }

  #spawnMonedula(file: string): RunningProgram {
    const node = process.env.MONEDULA_NODE ?? process.execPath
    const { flags = [], descriptors } = this.#options
    const args = [...flags, join(repositoryRoot, 'bin/monedula.js'), 'start', '--config', file]
    if (descriptors === undefined) return new RunningProgram(node, args, { cwd: this.directory })
    const limited = `ulimit -n ${descriptors} && exec "$@"`
    return new RunningProgram('sh', ['-c', limited, 'sh', node, ...args], { cwd: this.directory })
  }
}

/** Name and version of what is under test, for a test's report. */
export function targetVersion(target: Target = targetOfEnvironment()): string {
  if (target === 'kafka') return 'Apache Kafka 3.9.1'
  const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string }
  return `Monedula ${manifest.version} on Node ${process.version}`
}
