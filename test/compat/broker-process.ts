/**
 * The broker under test in a process of its own: Monedula, or a real Apache Kafka: 3.9.1 with its ZooKeeper, or 4.3.0, its own
 * KRaft controller. `TARGET=kafka` or `TARGET=kafka43` is how these tests themselves are tested.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repositoryRoot } from './jars.ts'
import { java, startJava } from './java.ts'
import { freePort, untilMetadata } from './metadata-probe.ts'
import { PATIENCE_MS, RunningProgram, sleep, tail } from './process.ts'
import { ZooKeeperProcess } from './zookeeper-process.ts'

export type Target = 'monedula' | 'kafka' | 'kafka43'

const TARGET_VERSIONS = { kafka: 'Apache Kafka 3.9.1', kafka43: 'Apache Kafka 4.3.0' }
/** Any id will do for a cluster of one. */
const CLUSTER_ID = 'bW9uZWR1bGEtY29tcGF0MQ'

/** What `TARGET` says; Monedula unless it says otherwise. */
export function targetOfEnvironment(): Target {
  const wanted = process.env.TARGET
  return wanted === 'kafka' || wanted === 'kafka43' ? wanted : 'monedula'
}

export interface BrokerOptions {
  /** Which broker; what `TARGET` says when absent. */
  readonly target?: Target
  /** Settings on top of those every broker here gets. */
  readonly properties?: Readonly<Record<string, string>>
  /** Listeners beside the one for PLAINTEXT, `SSL://localhost:9093`. */
  readonly listeners?: readonly string[]
  /** Flags of the broker's virtual machine or of Node. */
  readonly flags?: readonly string[]
  /** Names of log directories beside the one that every broker has. */
  readonly moreLogDirectories?: readonly string[]
  /** How many file descriptors Monedula may have (`ulimit -n`). */
  readonly descriptors?: number
  /** What Monedula's command line is handed to, as `setpriv` with its options. */
  readonly launcher?: readonly string[]
  /** Added to the environment of Monedula. */
  readonly env?: Readonly<Record<string, string>>
  /** Where data, configuration and log files lie; a new temporary directory, removed at the end, when absent. */
  readonly directory?: string
  /** An Apache ZooKeeper that is already running, for the target `kafka`; it is left running. */
  readonly zooKeeperPort?: number
}

/** Properties for a broker of a short test: the topics that Kafka makes for itself on first use have one partition each. */
export const SMALL_INTERNAL_TOPICS = {
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
}

/** Kafka's own broker, compiled cheaply: it starts in half the time, and has little to do in a test. */
const KAFKA_FLAGS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx512m']

/** How a process killed by SIGTERM that ran its shutdown hooks ends: Java, hence Kafka, leaves 143. */
const CLEAN_EXIT_CODES: readonly number[] = [0, 143]

/** One broker that can be stopped, killed and started again on the same port and directories. */
export class BrokerProcess {
  readonly target: Target
  readonly port: number
  /** Everything of this broker lies below this directory. */
  readonly directory: string
  /** The value of `log.dirs`, where it has no more. */
  readonly logDirectory: string
  readonly #options: BrokerOptions
  #program: RunningProgram | undefined
  #zooKeeper: ZooKeeperProcess | undefined
  /** Of the target `kafka43`; 0 before its directory is formatted. */
  #controllerPort = 0

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

  /** Waits until the broker has printed such a line since its last start; rejects when it ends before, or in vain. */
  async untilLogged(line: RegExp): Promise<void> {
    await this.#program?.until(() => line.test(this.log))
  }

  /**
   * Starts the broker, for the first time or again. Kafka refuses to start while ZooKeeper still holds the session of
   * a killed one, so that start is tried until it succeeds.
   */
  async restart(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const program = await this.spawn()
      try {
        await untilMetadata(this.port, PATIENCE_MS, () => program.running)
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
    if (this.target === 'kafka43') await this.#format()
    const file = this.#writeProperties()
    this.#program = this.target === 'monedula' ? this.#spawnMonedula(file) : await this.#spawnKafka(file)
    return this.#program
  }

  /** SIGTERM and a wait; gives the exit code, which must be one of a clean stop. */
  async stop(): Promise<number> {
    const program = this.#program
    if (program === undefined || !program.running) throw new Error(`the broker is not running\n${tail(this.log)}`)
    program.kill('SIGTERM')
    const code = await program.ended()
    if (!CLEAN_EXIT_CODES.includes(code)) throw new Error(`exit code ${code} after SIGTERM\n${tail(this.log)}`)
    return code
  }

  /** kill -9. */
  async killHard(): Promise<void> {
    this.#program?.kill('SIGKILL')
    await this.#program?.ended()
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
    const { moreLogDirectories: more = [] } = this.#options
    const listeners = [`PLAINTEXT://127.0.0.1:${this.port}`, ...(this.#options.listeners ?? [])].join(',')
    const properties: Record<string, string> = {
      'broker.id': '0',
      listeners,
      'log.dirs': [this.logDirectory, ...more.map(name => join(this.directory, name))].join(','),
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
    }
    if (this.target === 'kafka') {
      const port = this.#options.zooKeeperPort ?? this.#zooKeeper?.port
      properties['zookeeper.connect'] = `127.0.0.1:${port}`
    }
    if (this.target === 'kafka43') Object.assign(properties, kraftProperties(this.port, this.#controllerPort))
    const file = join(this.directory, 'server.properties')
    const lines = Object.entries({ ...properties, ...this.#options.properties }).map(
      ([key, value]) => `${key}=${value}`,
    )
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  }

  async #spawnKafka(file: string): Promise<RunningProgram> {
    const flags = this.#options.flags ?? KAFKA_FLAGS
    const jars = this.target === 'kafka43' ? 'libs43' : 'libs'
    return startJava('kafka.Kafka', [file], { jars, flags: [...flags, `-Dkafka.logs.dir=${this.directory}`] })
  }

  /** Gives the log directory the cluster's id, once, as KRaft wants it. */
  async #format(): Promise<void> {
    if (this.#controllerPort !== 0) return
    this.#controllerPort = await freePort()
    const args = ['format', '--ignore-formatted', '-t', CLUSTER_ID, '-c', this.#writeProperties()]
    await java('kafka.tools.StorageTool', args, { jars: 'libs43' })
  }

  #spawnMonedula(file: string): RunningProgram {
    const node = process.env.MONEDULA_NODE ?? process.execPath
    const { flags = [], descriptors, launcher = [], env = {} } = this.#options
    const limit = descriptors === undefined ? [] : ['sh', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh']
    const monedula = [node, ...flags, join(repositoryRoot, 'bin/monedula.js'), 'start', '--config', file]
    const [command = node, ...args] = [...limit, ...launcher, ...monedula]
    return new RunningProgram(command, args, { cwd: this.directory, env })
  }
}

/** Name and version of what is under test, for a test's report. */
export function targetVersion(target: Target = targetOfEnvironment()): string {
  if (target !== 'monedula') return TARGET_VERSIONS[target]
  const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string }
  return `Monedula ${manifest.version} on Node ${process.version}`
}

/** Settings of a broker that is its own controller. */
function kraftProperties(port: number, controllerPort: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '0',
    'controller.quorum.voters': `0@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
  }
}
