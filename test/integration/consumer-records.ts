import kafkajs from 'kafkajs'
import { type ConsumerOptions, type ConsumerRecord, string } from '../../src/client/index.ts'
import type { TestCluster } from '../../src/testing/index.ts'

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

/** The first `count` records that a consumer gives. */
export async function read<K, V>(
  consumer: AsyncIterable<ConsumerRecord<K, V>>,
  count: number,
): Promise<ConsumerRecord<K, V>[]> {
  const records: ConsumerRecord<K, V>[] = []
  if (count === 0) return records
  for await (const record of consumer) if (records.push(record) === count) break
  return records
}

export const sorted = (values: Iterable<string | null>): (string | null)[] =>
  [...values].sort((a, b) => Number(a) - Number(b))
export const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index))
