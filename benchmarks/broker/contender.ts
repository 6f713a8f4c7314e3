/** One of the brokers that are compared, with what is needed to load and to watch it. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerProcess, type Target } from '../../test/compat/broker-process.ts'
import { createTopics } from '../../test/compat/create-topics.ts'
import { ZooKeeperProcess } from '../../test/compat/zookeeper-process.ts'
import { cpuSeconds, residentMiB } from './process-figures.ts'

/** Kafka's own flags of its start script, with the heap it has by default. */
const KAFKA_FLAGS = [
  '-Xms1g',
  '-Xmx1g',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
]

/** Settings of both: data of deleted topics goes soon, so that runs do not fill the disk. */
const PROPERTIES = { 'log.segment.delete.delay.ms': '1000', 'auto.create.topics.enable': 'false' }

/** A broker that is started and stopped as the measurements ask for it. */
export class Contender {
  readonly label: string
  readonly target: Target
  readonly #directory: string
  #zooKeeper: ZooKeeperProcess | undefined
  #broker: BrokerProcess | undefined
  #homes = 0
  #topics = 0

  constructor(label: string, target: Target, directory: string) {
    this.label = label
    this.target = target
    this.#directory = directory
  }

  get broker(): BrokerProcess {
    if (this.#broker === undefined) throw new Error(`${this.label} is not running`)
    return this.#broker
  }

  get bootstrap(): string {
    return this.broker.bootstrap
  }

  get running(): boolean {
    return this.#broker !== undefined
  }

  /** Starts on empty directories; a ZooKeeper that Kafka needs is up before the broker is started. */
  async start(properties: Readonly<Record<string, string>> = {}): Promise<void> {
    const home = join(this.#directory, `${this.label.replaceAll(/\W+/g, '-')}-${++this.#homes}`)
    mkdirSync(home, { recursive: true })
    if (this.target === 'kafka') this.#zooKeeper = await ZooKeeperProcess.start(home)
    this.#broker = await BrokerProcess.start({
      target: this.target,
      directory: home,
      properties: { ...PROPERTIES, ...properties },
      ...(this.target === 'kafka' ? { flags: KAFKA_FLAGS } : {}),
      ...(this.#zooKeeper === undefined ? {} : { zooKeeperPort: this.#zooKeeper.port }),
    })
  }

  /** Ends the processes and removes what they wrote. */
  async dispose(): Promise<void> {
    const directory = this.#broker?.directory
    await this.#broker?.dispose()
    await this.#zooKeeper?.stop()
    this.#broker = undefined
    this.#zooKeeper = undefined
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  }

  /** Creates a topic of a name not used before and gives the name. */
  async newTopic(partitions: number): Promise<string> {
    const topic = `bench-${++this.#topics}`
    await createTopics(this.broker, [{ topic, numPartitions: partitions }])
    return topic
  }

  get cpuSeconds(): number {
    return cpuSeconds(this.broker.pid)
  }

  get residentMiB(): { readonly now: number; readonly peak: number } {
    return residentMiB(this.broker.pid)
  }
}
