import type { Logger, Workers } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { PreparedRecords } from '../storage/index.ts'
import type { HostedPartitions } from './hosted-partitions.ts'
import type { Partition } from './partition.ts'

/** Records as they came, prepared, or why they could not be. */
export type AppendableRecords = Uint8Array | PreparedRecords | KafkaError

/** What has to be known of the request whose records are prepared. */
export interface OrderedAppend {
  readonly entries: readonly {
    readonly topic: string
    readonly partition: number
    readonly records: Uint8Array | null
  }[]
  readonly how: Parameters<Partition['prepareAppend']>[1]
  readonly hosted: HostedPartitions
  readonly workers: Workers
  readonly logger: Logger
}

/**
 * Has the records of a request converted that are not stored as they came, beside the event loop. Undefined where there
 * is nothing to wait for, which is the rule. Otherwise the append, called with the records in the order of the entries,
 * runs when all of them are ready and every request that came before has been appended to the same partitions: the order
 * in a log is the order in which requests came.
 */
export function appendInOrder<Result>(
  { entries, how, hosted, workers, logger }: OrderedAppend,
  append: (records: readonly (AppendableRecords | null)[]) => Result | Promise<Result>,
): Promise<Result> | undefined {
  let ready: (AppendableRecords | null | Promise<AppendableRecords>)[] | undefined
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!
    const partition = hosted.find(entry.topic, entry.partition)
    if (partition === undefined || entry.records === null) continue
    const conversion = partition.prepareAppend(entry.records, how, workers)
    if (conversion === undefined && partition.lastAppend === undefined) continue
    ready ??= entries.map(({ records }) => records)
    if (conversion) ready[index] = conversion.catch((error: unknown) => failure(partition, error, logger))
  }
  if (ready === undefined) return undefined
  const partitions = new Set(entries.flatMap(({ topic, partition }) => hosted.find(topic, partition) ?? []))
  const before = Array.from(partitions, partition => partition.lastAppend)
  const appended = Promise.all([Promise.all(ready), ...before]).then(([records]) => ({ result: append(records) }))
  // The next request waits until this one is appended, not until it is acknowledged.
  const over = (): void => leave(partitions, turn)
  const turn: Promise<void> = appended.then(over, over)
  for (const partition of partitions) partition.lastAppend = turn
  return appended.then(({ result }) => result)
}

function leave(partitions: ReadonlySet<Partition>, turn: Promise<void>): void {
  for (const partition of partitions) if (partition.lastAppend === turn) partition.lastAppend = undefined
}

function failure({ topicPartition }: Partition, error: unknown, logger: Logger): KafkaError {
  const { topic, partition } = topicPartition
  logger.error({ err: error }, `Error converting records for partition ${topic}-${partition}`)
  return new KafkaError('UNKNOWN_SERVER_ERROR')
}
