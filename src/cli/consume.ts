import type { Consumer, ConsumerRecord, Kafka, TopicPartition } from '../client/index.ts'
import { systemClock, type Timer } from '../platform/index.ts'
import { adminPatience, type ClusterOptions, toCluster } from './to-cluster.ts'

/** Options of `monedula consume`, as the command line gives them. */
export interface ConsumeOptions extends ClusterOptions {
  readonly follow?: boolean
  readonly group?: string
  readonly fromBeginning?: boolean
  readonly json?: boolean
  readonly max?: string
}

/** How often it is looked whether everything was read. */
const LOOK_MS = 20

/**
 * `monedula consume`: prints what is in a topic now and ends, or goes on with `--follow`. A group goes on where it stands; without one
 * `--follow` begins with what comes, unless `--from-beginning` is given.
 */
export async function consume(topic: string, options: ConsumeOptions): Promise<void> {
  const max = options.max === undefined ? Number.POSITIVE_INFINITY : Number(options.max)
  if (!(max >= 1)) throw new Error(`--max ${options.max}: give a number from 1 on`)
  const isFromStart = options.fromBeginning || !options.follow
  const kafka = toCluster(options)
  const ends = await endsOf(kafka, topic)
  await using consumer = kafka.consumer({
    autoOffsetReset: isFromStart ? 'earliest' : 'latest',
    ...(options.group !== undefined && { groupId: options.group }),
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void consumer.close())
  if (options.group === undefined) consumer.assign(ends)
  else consumer.subscribe(topic)
  const watch = options.follow ? undefined : closeAtEnd(consumer, ends)
  let count = 0
  try {
    for await (const record of consumer) {
      const line = options.json ? asJson(record) : asLine(record)
      if (!process.stdout.write(`${line}\n`)) await new Promise(resolve => process.stdout.once('drain', resolve))
      if (++count >= max) break
    }
  } finally {
    watch?.[Symbol.dispose]()
  }
}

async function endsOf(kafka: Kafka, topic: string): Promise<(TopicPartition & { readonly end: number })[]> {
  await using admin = kafka.admin(adminPatience)
  const [described] = await admin.describeTopics([topic])
  const places = (described?.partitions ?? []).map(({ partition }) => ({ topic, partition, at: 'latest' as const }))
  return (await admin.listOffsets(places)).map(({ partition, offset }) => ({ topic, partition, end: offset }))
}

/** Closes the consumer when it has worked on everything that was there at the start. */
function closeAtEnd(consumer: Consumer, ends: readonly (TopicPartition & { readonly end: number })[]): Disposable {
  const endOf = new Map(ends.map(({ partition, end }) => [partition, end]))
  let timer: Timer
  const look = (): void => {
    const { assignment } = consumer
    const isDone = assignment.every(one => (consumer.position(one) ?? -1) >= (endOf.get(one.partition) ?? 0))
    if (assignment.length > 0 && isDone) void consumer.close()
    else timer = systemClock.schedule(LOOK_MS, look)
  }
  timer = systemClock.schedule(0, look)
  return { [Symbol.dispose]: () => timer.cancel() }
}

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('utf8'))

function asLine({ keyBytes, valueBytes }: ConsumerRecord): string {
  const value = text(valueBytes) ?? ''
  return keyBytes === null ? value : `${text(keyBytes)}\t${value}`
}

function asJson({ topic, partition, offset, timestamp, headers, keyBytes, valueBytes }: ConsumerRecord): string {
  return JSON.stringify({
    topic,
    partition,
    offset,
    timestamp,
    key: text(keyBytes),
    value: text(valueBytes),
    headers: headers.map(({ key, value }) => [key, text(value)]),
  })
}
