import { KafkaError } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import { grouped } from '../grouped.ts'
import { partitionKey } from '../topic-partition.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { AssignedPartitions } from './assigned-partitions.ts'
import { type Committer, fetchCommitted, listOffsets, type PartitionOffset, Timestamp } from './offset-requests.ts'
import { resetTimestamp } from './offset-reset.ts'
import { LogTruncationError, PositionError } from './position-error.ts'
import type { LogEnd } from './position-validation.ts'

/** How long the cluster has to tell where to begin; then it is asked anew about what is still read. */
const WAIT_MS = 60_000

export interface StartingPositionSettings<K, V> {
  readonly cluster: Cluster
  /** Who asks for committed offsets; undefined without a group. */
  readonly reader: () => Committer | undefined
  /** `auto.offset.reset` */
  readonly policy: string
  readonly isCommitted: boolean
  readonly partitions: Pick<AssignedPartitions<K, V>, 'values'>
  /** Some partition can be fetched now that could not before. */
  readonly found: () => void
  /** A partition cannot go on before the program says where. */
  readonly stuck: (partition: AssignedPartition<K, V>, error: PositionError) => void
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
      this.#begun(unknown)
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
      this.#begun(unknown)
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

  /** Lets those be read whose beginning is known by now. */
  #begun(partitions: readonly AssignedPartition<K, V>[]): void {
    const begun = partitions.filter(one => one.position !== undefined)
    for (const one of begun) one.isPositioning = false
    if (begun.length > 0) this.#settings.found()
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
    const { policy, stuck } = this.#settings
    if (policy === 'none') {
      const { topic, partition: number, fetchOffset: offset } = partition
      const what = `offset ${offset} of ${topic}-${number} is not in the log, and auto.offset.reset is none: seek() to one`
      stuck(partition, new PositionError('OFFSET_OUT_OF_RANGE', what, { topic, partition: number, offset }))
      return
    }
    partition.unknow()
    void this.#resetOne(partition)
  }

  /** The leader has lost a part of what was read, what is left of it ends at `until` (KIP-320): goes on there. */
  truncated(partition: AssignedPartition<K, V>, until: LogEnd | undefined): void {
    const { cluster, found, policy, stuck } = this.#settings
    const { position, positionEpoch } = partition
    if (position === undefined) return
    if (until !== undefined && position <= until.offset) {
      // Only what was fetched ahead is not the log's any more.
      partition.seek(position, positionEpoch)
      found()
      return
    }
    if (policy === 'none') {
      stuck(partition, new LogTruncationError(partition, position, until?.offset))
      return
    }
    const { topic, partition: number } = partition
    cluster.settings.logger.warn(
      { topic, partition: number, position, until: until?.offset },
      'the log was truncated below what was read',
    )
    if (until === undefined) {
      partition.unknow()
      void this.#resetOne(partition)
      return
    }
    partition.seek(until.offset, until.epoch)
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

  /** Each leader is asked for itself: those of partitions without one keep nobody waiting. */
  async #reset(partitions: readonly AssignedPartition<K, V>[]): Promise<void> {
    const { cluster, policy, stuck } = this.#settings
    const timestamp = resetTimestamp(policy, cluster.settings.clock.now())
    if (timestamp === undefined) {
      for (const one of partitions) {
        const what = `nothing is committed for ${partitionKey(one)}, and auto.offset.reset is none: seek() to an offset`
        const { topic, partition } = one
        stuck(one, new PositionError('OFFSET_OUT_OF_RANGE', what, { topic, partition, offset: undefined }))
      }
      return
    }
    const { metadata } = cluster
    const byLeader = grouped(partitions, one => metadata.partition(one.topic, one.partition)?.leader ?? -1)
    const results = await Promise.allSettled(Array.from(byLeader.values(), some => this.#resetTo(timestamp, some)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async #resetTo(timestamp: number, partitions: readonly AssignedPartition<K, V>[]): Promise<void> {
    const { cluster, isCommitted } = this.#settings
    // One that was let go of and has come back since is another, with a beginning of its own.
    const asked = new Map(partitions.map(one => [partitionKey(one), one]))
    const wanted = partitions.map(({ topic, partition }) => ({ topic, partition, timestamp }))
    const patience = cluster.patience({ timeoutMs: WAIT_MS })
    const found = await listOffsets(cluster, wanted, { patience, isCommitted })
    // Nothing is that young: then what comes next is where to begin.
    const late = found.filter(({ offset }) => offset < 0).map(one => ({ ...one, timestamp: Timestamp.latest }))
    const ends = await listOffsets(cluster, late, { patience, isCommitted })
    for (const { offset, leaderEpoch, ...place } of [...found.filter(one => one.offset >= 0), ...ends]) {
      const one = asked.get(partitionKey(place))
      if (one !== undefined && isWithout(one)) one.seek(offset, leaderEpoch)
    }
    this.#begun(partitions)
  }
}

const isWithout = (one: AssignedPartition<unknown, unknown>): boolean => one.isOurs && one.position === undefined
