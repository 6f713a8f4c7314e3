/**
 * What the types of the clients promise, shown by the compiler: it refuses each line below a `@ts-expect-error`, and
 * would refuse this file if it accepted one. Nothing here is ever run.
 */
import { pino } from 'pino'
import {
  type Admin,
  type Consumer,
  type ConsumerRecord,
  connect,
  integer,
  json,
  type Producer,
  type RecordMetadata,
  string,
} from '../../src/client/index.ts'
import { traceConsumer, traceProducer } from '../../src/opentelemetry/index.ts'
import { startCluster } from '../../src/testing/index.ts'

interface Order {
  readonly id: number
  readonly total: number
}

const kafka = connect('localhost:9092')

/** A producer takes what its serializers take, and nothing else. */
export async function producers(): Promise<void> {
  const producer: Producer<string, Order> = kafka.producer({ key: string, value: json<Order>() })
  const sent: RecordMetadata = await producer.send('orders', { key: 'u1', value: { id: 1, total: 2 } })
  await producer.send('orders', { key: null, value: null })
  await producer.send({ topic: 'orders', value: { id: 1, total: sent.offset } })
  // @ts-expect-error a field is missing
  await producer.send('orders', { value: { id: 1 } })
  // @ts-expect-error the key is no text
  await producer.send('orders', { key: 1, value: { id: 1, total: 2 } })
  // @ts-expect-error a record without topic
  await producer.send({ value: { id: 1, total: 2 } })
  // @ts-expect-error a partition is a number
  await producer.send('orders', { value: null, partition: '0' })
  // @ts-expect-error a header is text or bytes
  await producer.send('orders', { value: null, headers: { retries: 3 } })
  await producer.sendBatch('orders', [{ value: { id: 1, total: 2 } }])
  // @ts-expect-error one record of many is wrong
  await producer.sendBatch('orders', [{ value: { id: 1, total: 2 } }, { value: 'text' }])

  const plain: Producer = kafka.producer()
  await plain.send('words', { key: 'a', value: new Uint8Array([1]) })
  // @ts-expect-error without a serializer values are texts or bytes
  await plain.send('words', { value: { id: 1 } })
}

/** A consumer gives what its deserializers give. */
export async function consumers(): Promise<void> {
  const consumer: Consumer<number, Order> = kafka.consumer({ groupId: 'g', key: integer, value: json<Order>() })
  for await (const record of consumer) {
    const { key, value, offset, timestamp }: ConsumerRecord<number, Order> = record
    const total: number = (key ?? 0) + (value?.total ?? 0) + offset + timestamp
    // @ts-expect-error a value may be null
    const unchecked: number = record.value.total
    // @ts-expect-error a record is not to be changed
    record.offset = total + unchecked
  }
  for await (const record of kafka.consumer({ groupId: 'g' })) {
    const bytes: Uint8Array | null = record.value
    // @ts-expect-error without a deserializer values are bytes
    const text: string | null = record.value
    void [bytes, text]
  }
}

/** Settings have names and types, by Java's names and in camelCase. */
export function settings(): void {
  kafka.producer({ lingerMs: 5, 'batch.size': 1024, acks: 'all', compressionType: 'lz4' })
  kafka.consumer({ 'group.id': 'g', autoOffsetReset: 'earliest', isolationLevel: 'read_committed' })
  // @ts-expect-error no setting has this name
  kafka.producer({ lingerSeconds: 5 })
  // @ts-expect-error it is the consumer's
  kafka.producer({ groupId: 'g' })
  kafka.producer({ acks: 1, retries: '3', batchSize: '16384' })
  // @ts-expect-error no codec has this name
  kafka.producer({ compressionType: 'brotli' })
  // @ts-expect-error acks are all, 0 or 1
  kafka.producer({ acks: 2 })
  // @ts-expect-error a text that is no number
  kafka.producer({ lingerMs: 'soon' })
  // @ts-expect-error true is no number of milliseconds
  kafka.producer({ lingerMs: true })
  // @ts-expect-error serializers of values do not fit keys of another type
  const wrong: Producer<string, Order> = kafka.producer({ key: integer, value: json<Order>() })
  void wrong
}

/** Whoever has pino's shape may log, and interceptors see records of the producer's types. */
export function parts(): void {
  connect({ bootstrapServers: 'a:1', logger: pino() })
  connect({ bootstrapServers: 'a:1', logger: pino({ level: 'warn' }).child({ service: 'billing' }) })
  connect({ bootstrapServers: 'a:1', logger: console })
  // @ts-expect-error what has one level of four is no logger
  connect({ bootstrapServers: 'a:1', logger: { info: console.info } })
  const typed: Producer<string, Order> = kafka.producer({
    key: string,
    value: json<Order>(),
    interceptors: [traceProducer(), { onSend: record => ({ ...record, value: { id: 1, total: 2 } }) }],
  })
  // @ts-expect-error it would send records of another type
  kafka.producer({ key: string, value: json<Order>(), interceptors: [{ onSend: () => ({ topic: 'a', value: 'b' }) }] })
  const traced = traceConsumer(kafka.consumer({ groupId: 'g' }))
  const now: (record: ConsumerRecord<string, Order>) => number = record => traced(record, () => record.offset)
  const later: (record: ConsumerRecord) => Promise<number> = record => traced(record, async () => record.offset)
  void [typed, now, later]
}

/** What is asked of the admin is typed, as is what it answers. */
export async function admins(): Promise<void> {
  const admin: Admin = kafka.admin()
  await admin.createTopics([{ name: 'orders', partitions: 3 }])
  // @ts-expect-error a topic has a name
  await admin.createTopics([{ partitions: 3 }])
}

/** Faults of a cluster in a test are Kafka's, by name. */
export async function clusters(): Promise<void> {
  await using cluster = await startCluster({ topics: { orders: 3 } })
  cluster.failNext('Produce', 'NOT_LEADER_OR_FOLLOWER')
  // @ts-expect-error no error of Kafka has this name
  cluster.failNext('Produce', 'NOT_LEADER')
  // @ts-expect-error it goes down clean, killed or without power
  await cluster.restart('crash')
}

/** Who a client is has all that its mechanism needs. */
export const identified = [
  connect({ bootstrapServers: 'a:1', tls: true, sasl: { mechanism: 'PLAIN', username: 'a', password: 'b' } }),
  connect({ bootstrapServers: 'a:1', sasl: { mechanism: 'OAUTHBEARER', token: async () => 'token' } }),
  // @ts-expect-error a password is missing
  connect({ bootstrapServers: 'a:1', sasl: { mechanism: 'SCRAM-SHA-512', username: 'a' } }),
  // @ts-expect-error there is no such mechanism
  connect({ bootstrapServers: 'a:1', sasl: { mechanism: 'GSSAPI', username: 'a', password: 'b' } }),
  // @ts-expect-error no version of TLS that is not safe
  connect({ bootstrapServers: 'a:1', tls: { minVersion: 'TLSv1.1' } }),
]
