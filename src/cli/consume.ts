import { type Admin, type Consumer, type ConsumerRecord, KafkaError, type TopicPartition } from '../client/index.ts'
import { systemClock, type Timer } from '../platform/index.ts'
import { EndWatch } from './end-watch.ts'
import type { Place } from './option-values.ts'
import { consumerFinder, offsetsOf } from './places.ts'
import { Printing } from './printing.ts'
import { toJson } from './record-json.ts'
import { asLine, type Pieces, recordFormat } from './record-text.ts'
import { type ClusterOptions, consumerOptions, lookUpOptions, settingOf, toCluster } from './to-cluster.ts'

/** As the consumer's own. */
const COMMIT_INTERVAL_MS = 5_000

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
  const isPatient = options.follow === true
  const kafka = toCluster(options, { isPatient })
  const places = await partitionsOf(kafka.admin(lookUpOptions({ isPatient })), topic, partition)
  const commitIntervalMs = commitIntervalOf(options)
  await using consumer = kafka.consumer({
    'auto.offset.reset': beginsWithOldest(options) ? 'earliest' : 'latest',
    ...(group !== undefined && { 'group.id': group }),
    ...(isolationLevel !== undefined && { 'isolation.level': isolationLevel }),
    ...consumerOptions(options),
    ...(commitIntervalMs !== undefined && { 'enable.auto.commit': false }),
    onRevoked: async gone => {
      await printing.commit()
      printing.forget(gone)
    },
    onLost: gone => printing.forget(gone),
  })
  await using printing = new Printing(consumer, consumer.groupId === undefined ? undefined : commitIntervalMs)
  const finish = (): void => void printing.finish()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, finish)
  process.stdout.once('error', finish)
  if (group === undefined || partition) consumer.assign(await startsOf(consumer, places, options))
  else consumer.subscribe(topic)
  using silence = new Silence(finish, options.timeoutMs)
  const end = options.follow ? undefined : new EndWatch(watched(consumer, printing), places)
  const printed = printing
    .all(record => silence.heard(print(record)), options.maxMessages ?? Number.POSITIVE_INFINITY)
    .finally(() => end?.stop())
  await Promise.all([printed, end?.done])
}

/** A consumer that ends by what is printed of it. */
const watched = (consumer: Consumer, printing: Printing): ConstructorParameters<typeof EndWatch>[0] => ({
  get assignment() {
    return consumer.assignment
  },
  position: place => consumer.position(place),
  endOffsets: places => consumer.endOffsets(places),
  close: () => printing.finish(),
})

/** Time between commits; undefined when none are wanted, or the setting is one that the consumer refuses. */
function commitIntervalOf(options: ConsumeOptions): number | undefined {
  const isWanted = (settingOf(options, 'enable.auto.commit') ?? 'true').trim().toLowerCase() === 'true'
  return isWanted ? Number(settingOf(options, 'auto.commit.interval.ms') ?? COMMIT_INTERVAL_MS) : undefined
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
  lookUp: Admin,
  topic: string,
  wanted: readonly number[] | undefined,
): Promise<TopicPartition[]> {
  await using admin = lookUp
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

/** Ends reading when nothing has come for a while, if that was asked for. */
class Silence implements Disposable {
  readonly #end: () => void
  readonly #limitMs: number | undefined
  #lastMs = systemClock.monotonicMs()
  #timer: Timer | undefined

  constructor(end: () => void, limitMs: number | undefined) {
    this.#end = end
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
    if (leftMs <= 0) this.#end()
    else this.#timer = systemClock.schedule(leftMs, () => this.#look())
  }
}
