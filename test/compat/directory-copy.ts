/** A broker of one kind on a copy of the directories that one of the other kind has left. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs, { type Admin } from 'kafkajs'
import { BrokerProcess, type Target } from './broker-process.ts'
import { until } from './process.ts'
import { ZooKeeperProcess } from './zookeeper-process.ts'

/** A broker, and what ends it together with its ZooKeeper; its directory stays. */
export interface BrokerInDirectory {
  readonly broker: BrokerProcess
  readonly stop: () => Promise<void>
}

/** Starts a broker of this kind, and the ZooKeeper that it needs, on whatever lies in `directory`. */
export async function startIn(
  directory: string,
  target: Target,
  properties: Readonly<Record<string, string>>,
): Promise<BrokerInDirectory> {
  const zooKeeper = target === 'kafka' ? await ZooKeeperProcess.start(directory) : undefined
  const port = zooKeeper === undefined ? {} : { zooKeeperPort: zooKeeper.port }
  const broker = await BrokerProcess.start({ target, directory, properties, ...port })
  const stop = async (): Promise<void> => {
    await broker.dispose()
    await zooKeeper?.stop()
  }
  return { broker, stop }
}

/** Copies a stopped broker's data to where one of another kind looks for it, starts that one and waits for leaders. */
export async function startOnCopy(
  source: BrokerProcess,
  target: Target,
  { directory, properties, partitions }: OnCopy,
): Promise<BrokerInDirectory> {
  cpSync(source.logDirectory, join(directory, 'logs'), { recursive: true })
  const metadata = target === 'kafka' ? join(directory, 'zookeeper') : join(directory, 'logs-zookeeper')
  cpSync(source.metadataDirectory, metadata, { recursive: true })
  const started = await startIn(directory, target, properties)
  await untilLeaders(started.broker, partitions)
  return started
}

export interface OnCopy {
  /** Where the copy goes. */
  readonly directory: string
  readonly properties: Readonly<Record<string, string>>
  /** How many partitions there are, internal ones left out. */
  readonly partitions: number
}

/** Waits for the leaders of `count` partitions: Kafka answers clients before its controller has told it of any topic. */
async function untilLeaders(broker: BrokerProcess, count: number): Promise<void> {
  let found = ''
  const haveLeaders = async (admin: Admin): Promise<boolean> => {
    const { topics } = await admin.fetchTopicMetadata()
    found = JSON.stringify(topics)
    const partitions = topics.filter(({ name }) => !name.startsWith('__')).flatMap(topic => topic.partitions)
    return partitions.filter(({ leader }) => leader >= 0).length >= count
  }
  await withAdmin(broker, admin =>
    until(
      () => `no leaders for ${count} partitions: ${found}`,
      () => haveLeaders(admin),
      100,
    ),
  )
}

/** Runs `work` with an admin client of kafkajs. */
export async function withAdmin<T>(broker: BrokerProcess, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}
