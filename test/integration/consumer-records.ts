import kafkajs from 'kafkajs'
import { type ConsumerOptions, string } from '../../src/client/index.ts'
import type { TestCluster } from '../../src/testing/index.ts'

export { numbers, read, sorted } from '../client-suite/suite.ts'

export const TEXT = { key: string, value: string }
export const FROM_START: ConsumerOptions<string, string> = { ...TEXT, autoOffsetReset: 'earliest', groupId: 'readers' }

/** Publishes values `prefix0` and on, spread over a topic's partitions by turns. */
export async function publish(
  cluster: TestCluster,
  topic: string,
  { count, prefix = '', partitions = 1 }: { count: number; prefix?: string; partitions?: number },
) {
  const kafka = new kafkajs.Kafka({ brokers: [cluster.bootstrapServers], logLevel: kafkajs.logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: count }, (_, index) => ({
    value: `${prefix}${index}`,
    key: `k${index % 7}`,
    partition: index % partitions,
    headers: { at: String(index) },
  }))
  await producer.send({ topic, messages })
  await producer.disconnect()
}
