import { KafkaServer } from '../broker/index.ts'
import { BrokerConfig } from '../config/broker.ts'
import { kindOf } from '../config/index.ts'
import {
  AdjustableClock,
  backgroundNetwork,
  type Disk,
  type Logger,
  MemoryDisk,
  nodeDisk,
  type Random,
  seededRandom,
  silentLogger,
  systemClock,
  systemRandom,
} from '../platform/index.ts'
import { type ErrorName, KafkaError } from '../protocol/index.ts'
import { type ControlOptions, FaultTable, type RequestControl } from './fault-table.ts'

/** Settings of {@link startCluster}. */
export interface ClusterOptions {
  /** How many brokers; 1, which is also the only number yet. */
  readonly brokers?: 1
  /** Topics that are there when the cluster is ready: names, each with one partition, or partitions by name. */
  readonly topics?: readonly string[] | Readonly<Record<string, number>>
  /** Broker settings by the names of `server.properties`; one that no broker has is refused. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /** Where to keep the data; in memory when left out, and gone with the cluster. */
  readonly directory?: string
  /** Takes what the broker logs; nothing is logged when left out. */
  readonly logger?: Logger
  /** Makes ids and jitter, and what a power cut leaves, repeatable. */
  readonly seed?: number
}

/**
 * How a broker goes down in {@link TestCluster.restart}: stopped cleanly, killed (what it gave to the system stays), or with
 * its power cut (what was synced stays, of the rest any part). The last two need a cluster in memory.
 */
export type HowItEnds = 'clean' | 'kill' | 'power'

const OPTIONS = ['brokers', 'topics', 'config', 'directory', 'logger', 'seed'] satisfies (keyof ClusterOptions)[]

const isText = (value: unknown): value is string => typeof value === 'string'
const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !(Symbol.iterator in value)

const LOGGER = ['debug', 'info', 'warn', 'error', 'child'] satisfies (keyof Logger)[]

/** @throws Error for what would be passed over, or name a directory, where no compiler looks */
function checkOptions(options: ClusterOptions): void {
  if (!isObject(options)) throw new TypeError(`startCluster takes an object such as { topics }, not ${kindOf(options)}`)
  const stray = Object.keys(options).find(name => !(OPTIONS as readonly string[]).includes(name))
  if (stray !== undefined) throw new RangeError(`startCluster has no option ${stray}, but ${OPTIONS.join(', ')}`)
  const { topics = [], config = {}, directory, logger, seed } = options
  if (
    !(Array.isArray(topics) ? topics.every(isText) : isObject(topics) && Object.values(topics).every(Number.isInteger))
  )
    throw new TypeError('topics: give a list of names, or numbers of partitions by name')
  if (!isObject(config)) throw new TypeError(`config: give an object of settings by name, not ${kindOf(config)}`)
  for (const [key, value] of Object.entries(config))
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw new TypeError(`config: ${key} is a text, number or boolean, not ${kindOf(value)}`)
  if (directory !== undefined && !(isText(directory) && directory !== ''))
    throw new TypeError(`directory: give a path, or leave it out, not ${directory === '' ? "''" : kindOf(directory)}`)
  if (logger !== undefined && !LOGGER.every(name => typeof logger?.[name] === 'function'))
    throw new TypeError('logger: give a pino logger, or an object with debug(), info(), warn(), error() and child()')
  if (seed !== undefined && !Number.isInteger(seed))
    throw new TypeError(`seed: give a whole number, not ${kindOf(seed)}`)
}

/** Where a cluster in memory keeps its logs. */
const MEMORY_DIRECTORY = '/data'

/**
 * A Kafka in this process: a whole broker on 127.0.0.1, its data in memory or in a directory, with a clock that tests move
 * and faults that they order. Clients of any kind connect to {@link bootstrapServers}. It keeps no process alive: a test that failed
 * before it could stop its cluster ends all the same.
 */
export class TestCluster implements AsyncDisposable {
  /** Time of the broker: runs on by itself, and jumps where a test says so. */
  readonly clock = new AdjustableClock(systemClock)
  readonly #options: ClusterOptions
  readonly #faults = new FaultTable(this.clock)
  readonly #random: Random
  #disk: Disk
  #server: KafkaServer | undefined
  #port = 0

  private constructor(options: ClusterOptions) {
    this.#options = options
    this.#random = options.seed === undefined ? systemRandom : seededRandom(options.seed)
    this.#disk = options.directory === undefined ? new MemoryDisk({ now: () => this.clock.now() }) : nodeDisk
  }

  /** Starts a cluster; see {@link startCluster}. */
  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    checkOptions(options)
    const { brokers = 1, topics = {} } = options
    if (brokers !== 1) throw new RangeError(`brokers: ${brokers}: a cluster has one broker yet`)
    const cluster = new TestCluster(options)
    const [unknown] = BrokerConfig.load(cluster.#properties).unknownKeys()
    if (unknown !== undefined) throw new RangeError(`config: a broker has no key ${unknown}; it would do nothing`)
    await cluster.#startBroker()
    const partitionsOf = Array.isArray(topics) ? topics.map(name => [name, 1] as const) : Object.entries(topics)
    for (const [name, partitions] of partitionsOf) await cluster.createTopic(name, partitions)
    return cluster
  }

  /** What goes into a client's `bootstrap.servers`: `127.0.0.1:port`. The same after a restart. */
  get bootstrapServers(): string {
    return `127.0.0.1:${this.#port}`
  }

  get clusterId(): string {
    return this.#running.clusterId
  }

  /** Connections of clients. */
  get connectionCount(): number {
    return this.#running.connectionCount
  }

  /**
   * Makes a topic; it is there when the promise resolves.
   * @throws KafkaError TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_TOPIC_EXCEPTION, INVALID_CONFIG
   */
  async createTopic(name: string, partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<void> {
    const [created] = await this.#running.services.controller.createTopics([
      {
        name,
        numPartitions: partitions,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ])
    if (created !== undefined && created.errorCode !== 0)
      throw KafkaError.fromCode(created.errorCode, created.errorMessage)
  }

  /**
   * Asks `decide` about each request of an API (`Produce`, `Fetch`, ...), until what is returned is disposed of or `times`
   * requests were decided. Where several decide about one API, the last one added does.
   */
  control(api: string, decide: RequestControl, options?: ControlOptions): Disposable {
    return this.#faults.control(api, decide, options)
  }

  /** Answers the next request of an API, or the next `times`, with an error. */
  failNext(api: string, code: ErrorName, options?: ControlOptions): Disposable {
    return this.#faults.failNext(api, code, options)
  }

  /** Lets requests of an API wait before anything is done for them. Time is that of {@link clock}. */
  delay(api: string, delayMs: number, options?: ControlOptions): Disposable {
    return this.#faults.delay(api, delayMs, options)
  }

  /** Closes the connection that brings the next request of an API, or the next `times`, without doing what it asks. */
  disconnectNext(api: string, options?: ControlOptions): Disposable {
    return this.#faults.disconnectNext(api, options)
  }

  /** Closes the connections of all clients, who may come again. */
  disconnectAll(): void {
    this.#running.disconnectAll()
  }

  /** Forgets every control, failure and delay that was ordered. */
  clearFaults(): void {
    this.#faults.clear()
    if (this.#disk instanceof MemoryDisk) this.#disk.clearFaults()
  }

  /** The disk is full from now on, until what is returned is disposed of. For clusters in memory. */
  fillDisk(): Disposable {
    const disk = this.#memoryDisk('fillDisk')
    disk.setCapacity(disk.usedBytes)
    return { [Symbol.dispose]: () => disk.setCapacity(Number.POSITIVE_INFINITY) }
  }

  /** The next write to the logs fails as a broken disk does; the broker takes the directory offline. In memory only. */
  breakDisk(): void {
    const path = (name: string): boolean => name.startsWith(`${MEMORY_DIRECTORY}/`)
    this.#memoryDisk('breakDisk').failNext({ operation: 'write', path })
  }

  /** Takes the broker down and starts it again, on the same port and what is left of its data. */
  async restart(how: HowItEnds = 'clean'): Promise<void> {
    const server = this.#running
    if (how === 'clean') await server.stop()
    else {
      const disk = this.#memoryDisk(`restart('${how}')`)
      this.#disk = how === 'kill' ? disk.kill() : disk.crash({ random: this.#random })
      // The process is gone as far as its disk can tell; its sockets and timers go here.
      await server.stop().catch(() => {})
    }
    this.#server = undefined
    await this.#startBroker()
  }

  /** Stops the broker. What was in memory is gone. Idempotent. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  get #running(): KafkaServer {
    if (this.#server === undefined) throw new Error('the cluster is stopped')
    return this.#server
  }

  #memoryDisk(what: string): MemoryDisk {
    if (this.#disk instanceof MemoryDisk) return this.#disk
    throw new Error(`${what} needs a cluster in memory: leave directory out`)
  }

  get #properties(): ReadonlyMap<string, string> {
    const { config = {}, directory = MEMORY_DIRECTORY } = this.#options
    const properties = {
      'broker.id': 0,
      listeners: `PLAINTEXT://127.0.0.1:${this.#port}`,
      'log.dirs': directory,
      'offsets.topic.replication.factor': 1,
      'transaction.state.log.replication.factor': 1,
      'transaction.state.log.min.isr': 1,
      'group.initial.rebalance.delay.ms': 0,
      ...config,
    }
    return new Map(Object.entries(properties).map(([key, value]) => [key, String(value)]))
  }

  async #startBroker(): Promise<void> {
    const { logger = silentLogger } = this.#options
    this.#server = await KafkaServer.start({
      properties: this.#properties,
      disk: this.#disk,
      network: backgroundNetwork,
      clock: this.clock,
      random: this.#random,
      logger,
      isVerbose: false,
      interceptor: this.#faults.interceptor,
      onHalt: () => logger.error({}, 'the broker can serve nothing more: every log directory has failed'),
    })
    this.#port = this.#running.listeners[0]!.port
  }
}

/**
 * Starts a Kafka inside this process and resolves when it answers.
 *
 * ```ts
 * await using cluster = await startCluster({ topics: { orders: 3 } })
 * const kafka = connect(cluster.bootstrapServers)
 * ```
 *
 * @throws Error in one line that names what is wrong with the options
 */
export function startCluster(options?: ClusterOptions): Promise<TestCluster> {
  return TestCluster.start(options)
}
