/** Creates topics for tools that cannot; through kafkajs, so that no part of the tested broker's code is involved. */
import { Kafka, logLevel } from 'kafkajs'
import type { BrokerProcess } from './broker-process.ts'

/** Long enough for some thousand partitions. */
const TIMEOUT_MS = 60_000

export interface NewTopic {
  readonly topic: string
  readonly numPartitions: number
  readonly configEntries?: readonly { readonly name: string; readonly value: string }[]
}

/** Creates topics and waits until their partitions have leaders. */
export async function createTopics(broker: BrokerProcess, topics: readonly NewTopic[]): Promise<void> {
  const admin = new Kafka({
    brokers: [broker.bootstrap],
    logLevel: logLevel.NOTHING,
    requestTimeout: TIMEOUT_MS,
  }).admin()
  await admin.connect()
  try {
    await admin.createTopics({
      waitForLeaders: true,
      timeout: TIMEOUT_MS,
      topics: topics.map(({ configEntries, ...rest }) => ({
        ...rest,
        replicationFactor: 1,
        ...(configEntries === undefined ? {} : { configEntries: [...configEntries] }),
      })),
    })
  } finally {
    await admin.disconnect()
  }
}
