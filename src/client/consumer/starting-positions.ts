import { KafkaError } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import { partitionKey } from '../topic-partition.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { type Committer, fetchCommitted, listOffsets, type PartitionOffset, Timestamp } from './offset-requests.ts'
import { resetTimestamp } from './offset-reset.ts'
import { LogTruncationError } from './position-validation.ts'

/** How long the cluster has to tell where to begin; then it is asked anew about what is still read. */
const WAIT_MS = 60_000

export interface StartingPositionSettings<K, V> {
  readonly cluster: Cluster
  /** Who asks for committed offsets; undefined without a group. */
  readonly reader: () => Committer | undefined
  /** `auto.offset.reset` */
  readonly policy: string
  readonly isCommitted: boolean
  readonly partitions: ReadonlyMap<string, AssignedPartition<K, V>>
  /** Some partition can be fetched now that could not before. */
  readonly found: () => void
  readonly failed: (error: KafkaError) => void
}

/** Finds out where reading a partition begins: at what its group committed, else as `auto.offset.reset` says. */
export class StartingPositions<K, V> {
  readonly #settings: StartingPositionSettings<K, V>

  constructor(settings: StartingPositionSettings<K, V>) {
    this.#settings = settings
  }

  /** Finds it for all partitions that have no position, however long that takes. What will not go away is told to `failed`. */
  async find(): Promise<void> {
    const { cluster, found, partitions } = this.#settings
    const reader = this.#settings.reader()
    const unknown = [...partitions.values()].filter(one => one.position === undefined && !one.isPositioning)
    if (unknown.length === 0) return
    for (const one of unknown) one.isPositioning = true
    try {
      const patience = cluster.patience({ timeoutMs: WAIT_MS })
      const topics = [...new Set(unknown.map(({ topic }) => topic))]
      const metadata = await cluster.retrying('finding where to begin', patience, () => cluster.refresh(topics))
      const refusal = topics.map(topic => metadata.refusalOf(topic)).find(one => one !== undefined)
      if (refusal !== undefined) throw refusal
      // Where the program said itself where to begin, nothing else is waited for.
      if (!unknown.every(isWithout)) found()
      const committed =
        reader === undefined
          ? new Map<string, PartitionOffset>()
          : await fetchCommitted(cluster, reader, unknown, patience)
      for (const one of unknown.filter(isWithout)) {
        const found = committed.get(partitionKey(one))
        if (found === undefined) continue
        one.committed = found.offset
        one.seek(found.offset, found.leaderEpoch)
      }
      await this.#reset(unknown.filter(isWithout))
    } catch (error) {
      for (const one of unknown) one.isPositioning = false
      // Where the program said where to begin, nobody else looks for leaders any more.
      found()
      if (unknown.some(isWithout)) this.#failed(error, () => this.find())
      return
    }
    for (const one of unknown) one.isPositioning = false
    found()
  }

  /** Tries again what the cluster's troubles prevented; the rest is the program's to hear. */
  #failed(error: unknown, again: () => Promise<void>): void {
    const { cluster, failed } = this.#settings
    if (!(error instanceof KafkaError)) throw error
    if (!error.retriable) failed(error)
    if (!error.retriable || cluster.isClosed) return
    const { clock, logger, retryBackoffMaxMs } = cluster.settings
    logger.warn({ err: error }, 'it is not known yet where to begin; asking again')
    clock.schedule(retryBackoffMaxMs, () => void again())
  }

  /** The log does not hold what was to be read next. */
  outOfRange(partition: AssignedPartition<K, V>): void {
    const { failed, policy } = this.#settings
    if (policy === 'none') {
      const { topic, partition: number, fetchOffset } = partition
      const what = `offset ${fetchOffset} of ${topic}-${number} is not in the log, and auto.offset.reset is none`
      failed(new KafkaError('OFFSET_OUT_OF_RANGE', what))
      return
    }
    partition.unknow()
    void this.#resetOne(partition)
  }

  /** The leader has lost a part of what was read, what is left of it ends at `until` (KIP-320): goes on there. */
  truncated(partition: AssignedPartition<K, V>, until: number | undefined): void {
    const { cluster, failed, found, policy } = this.#settings
    const { position } = partition
    if (position === undefined) return
    if (until !== undefined && position <= until) {
      // Only what was fetched ahead is not the log's any more.
      partition.seek(position)
      found()
      return
    }
    if (policy === 'none') {
      failed(new LogTruncationError(partition, position, until))
      return
    }
    const { topic, partition: number } = partition
    cluster.settings.logger.warn(
      { topic, partition: number, position, until },
      'the log was truncated below what was read',
    )
    if (until === undefined) {
      partition.unknow()
      void this.#resetOne(partition)
      return
    }
    partition.seek(until)
    found()
  }

  async #resetOne(partition: AssignedPartition<K, V>): Promise<void> {
    partition.isPositioning = true
    try {
      if (isWithout(partition)) await this.#reset([partition])
    } catch (error) {
      partition.isPositioning = false
      this.#failed(error, () => this.#resetOne(partition))
      return
    }
    partition.isPositioning = false
    this.#settings.found()
  }

  async #reset(partitions: readonly AssignedPartition<K, V>[]): Promise<void> {
    if (partitions.length === 0) return
    const { cluster, isCommitted, partitions: ours, policy } = this.#settings
    const timestamp = resetTimestamp(policy, cluster.settings.clock.now())
    if (timestamp === undefined) {
      const names = partitions.map(partitionKey).join(', ')
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `nothing is committed for ${names}, and auto.offset.reset is none`)
    }
    const wanted = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }))
    const patience = cluster.patience({ timeoutMs: WAIT_MS })
    const found = await listOffsets(cluster, wanted, { patience, isCommitted })
    // Nothing is that young: then what comes next is where to begin.
    const late = found.filter(({ offset }) => offset < 0).map(one => ({ ...one, timestamp: Timestamp.latest }))
    const ends = await listOffsets(cluster, late, { patience, isCommitted })
    for (const { offset, leaderEpoch, ...place } of [...found.filter(one => one.offset >= 0), ...ends]) {
      const one = ours.get(partitionKey(place))
      if (one !== undefined && one.position === undefined) one.seek(offset, leaderEpoch)
    }
  }
}

const isWithout = (one: AssignedPartition<unknown, unknown>): boolean => one.isOurs && one.position === undefined
