import { type Consumer, type ConsumerRecord, type Kafka, KafkaError, type TopicPartition } from '../client/index.ts'
import { systemClock, type Timer } from '../platform/index.ts'
import { EndWatch } from './end-watch.ts'
import type { Place } from './option-values.ts'
import { Output } from './output.ts'
import { consumerFinder, offsetsOf } from './places.ts'
import { toJson } from './record-json.ts'
import { asLine, type Pieces, recordFormat } from './record-text.ts'
import { type ClusterOptions, consumerOptions, lookUpOptions, toCluster } from './to-cluster.ts'

/** Options of `monedula consume`, as the command line gives them. */
export interface ConsumeOptions extends ClusterOptions {
  readonly follow?: boolean
  readonly group?: string
  readonly fromBeginning?: boolean
  readonly partition?: readonly number[]
  readonly offset?: Place
  readonly maxMessages?: number
  readonly timeoutMs?: number
  readonly json?: boolean
  readonly format?: string
  readonly nullMarker: string
  readonly isolationLevel?: 'read_committed' | 'read_uncommitted'
}

/**
 * `monedula consume`: prints what is in a topic now and ends, or goes on with `--follow`. A group goes on where it stands; without one
 * `--follow` begins with what comes, unless it is told where to begin. A signal, or a reader of the output that has enough, ends it:
 * what was printed is committed, and the group left.
 */
export async function consume(topic: string, options: ConsumeOptions): Promise<void> {
  const { group, isolationLevel, partition } = options
  if (options.offset !== undefined && group !== undefined && partition === undefined) {
    throw new Error('--offset: a group goes on where it stands; name a --partition, or move it by monedula group reset')
  }
  const print = printer(options)
  const kafka = toCluster(options)
  const places = await partitionsOf(kafka, topic, partition)
  await using consumer = kafka.consumer({
    autoOffsetReset: beginsWithOldest(options) ? 'earliest' : 'latest',
    ...(group !== undefined && { groupId: group }),
    ...(isolationLevel !== undefined && { isolationLevel }),
    ...consumerOptions(options),
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void consumer.close())
  process.stdout.once('error', () => void consumer.close())
  if (group === undefined || partition) consumer.assign(await startsOf(consumer, places, options))
  else consumer.subscribe(topic)
  using silence = new Silence(consumer, options.timeoutMs)
  const end = options.follow ? undefined : new EndWatch(consumer, places)
  const printed = printAll(consumer, record => silence.heard(print(record)), options).finally(() => end?.stop())
  await Promise.all([printed, end?.done])
}

/** Where to begin; what `auto.offset.reset` does by itself needs no question to the cluster before. */
async function startsOf(
  consumer: Consumer,
  places: readonly TopicPartition[],
  { offset, group }: ConsumeOptions,
): Promise<readonly (TopicPartition & { readonly offset?: number })[]> {
  if (offset === undefined) return places
  const isDefault = offset.at === 'beginning' || offset.at === 'end'
  return isDefault && group === undefined ? places : await offsetsOf(consumerFinder(consumer), places, offset)
}

/** Prints record by record until the consumer is closed, or as many as are wanted. */
async function printAll(
  consumer: Consumer,
  print: (record: ConsumerRecord) => Pieces,
  { maxMessages = Number.POSITIVE_INFINITY }: ConsumeOptions,
): Promise<void> {
  const output = new Output()
  let count = 0
  for await (const record of consumer) {
    const full = output.write(...print(record))
    if (full) await full
    if (++count < maxMessages) continue
    // The last record of a loop that is left does not count as worked on by itself.
    consumer.seek(record, record.offset + 1)
    break
  }
  await output.flush()
}

function printer({ json, format, nullMarker }: ConsumeOptions): (record: ConsumerRecord) => Pieces {
  if (json) return record => [toJson(record), '\n']
  const asText = format === undefined ? asLine : recordFormat(format)
  return record => asText(record, nullMarker)
}

/** Where nothing was said or committed: with the oldest record, but for those who wait for new ones. */
function beginsWithOldest({ fromBeginning, follow, offset }: ConsumeOptions): boolean {
  if (offset !== undefined) return offset.at !== 'end'
  return fromBeginning === true || !follow
}

async function partitionsOf(
  kafka: Kafka,
  topic: string,
  wanted: readonly number[] | undefined,
): Promise<TopicPartition[]> {
  await using admin = kafka.admin(lookUpOptions)
  const [described] = await admin.describeTopics([topic]).catch((error: unknown) => {
    if (!(error instanceof KafkaError && error.code === 'UNKNOWN_TOPIC_OR_PARTITION')) throw error
    throw new Error(`there is no topic ${topic}: make it with monedula topic create ${topic}`, { cause: error })
  })
  const count = described?.partitions.length ?? 0
  const missing = wanted?.find(partition => partition >= count)
  if (missing !== undefined) throw new Error(`--partition ${missing}: ${topic} has partitions 0 to ${count - 1}`)
  const numbers = wanted ?? Array.from({ length: count }, (_, partition) => partition)
  return numbers.map(partition => ({ topic, partition }))
}

/** Closes a consumer when nothing has come for a while, if that was asked for. */
class Silence implements Disposable {
  readonly #consumer: Consumer
  readonly #limitMs: number | undefined
  #lastMs = systemClock.monotonicMs()
  #timer: Timer | undefined

  constructor(consumer: Consumer, limitMs: number | undefined) {
    this.#consumer = consumer
    this.#limitMs = limitMs
    this.#look()
  }

  /** Something has come; gives it back. */
  heard<T>(what: T): T {
    if (this.#limitMs !== undefined) this.#lastMs = systemClock.monotonicMs()
    return what
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel()
  }

  #look(): void {
    if (this.#limitMs === undefined) return
    const leftMs = this.#lastMs + this.#limitMs - systemClock.monotonicMs()
    if (leftMs <= 0) void this.#consumer.close()
    else this.#timer = systemClock.schedule(leftMs, () => this.#look())
  }
}
