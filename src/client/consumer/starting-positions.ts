import { KafkaError } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import { partitionKey } from '../topic-partition.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { type Committer, fetchCommitted, listOffsets, type PartitionOffset, Timestamp } from './offset-requests.ts'
import { resetTimestamp } from './offset-reset.ts'

/** How long the cluster has to tell where to begin. */
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

  /** Finds it for all partitions that have no position. What goes wrong is told to `failed`. */
  async find(): Promise<void> {
    const { cluster, failed, found, partitions } = this.#settings
    const reader = this.#settings.reader()
    const unknown = [...partitions.values()].filter(one => one.position === undefined && !one.isPositioning)
    if (unknown.length === 0) return
    for (const one of unknown) one.isPositioning = true
    try {
      await cluster.refresh([...new Set(unknown.map(({ topic }) => topic))])
      // Where the program said itself where to begin, nothing else is waited for.
      if (!unknown.every(isWithout)) found()
      const committed =
        reader === undefined
          ? new Map<string, PartitionOffset>()
          : await fetchCommitted(cluster, reader, unknown, cluster.patience({ timeoutMs: WAIT_MS }))
      for (const one of unknown.filter(isWithout)) {
        const offset = committed.get(partitionKey(one))?.offset
        if (offset === undefined) continue
        one.committed = offset
        one.seek(offset)
      }
      await this.#reset(unknown.filter(isWithout))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      if (unknown.some(isWithout)) failed(error)
    } finally {
      for (const one of unknown) one.isPositioning = false
    }
    found()
  }

  /** The log does not hold what was to be read next. */
  outOfRange(partition: AssignedPartition<K, V>): void {
    const { failed, found, policy } = this.#settings
    if (policy === 'none') {
      const { topic, partition: number, fetchOffset } = partition
      const what = `offset ${fetchOffset} of ${topic}-${number} is not in the log, and auto.offset.reset is none`
      failed(new KafkaError('OFFSET_OUT_OF_RANGE', what))
      return
    }
    partition.unknow()
    this.#reset([partition]).then(found, failed)
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
    for (const { offset, ...place } of [...found.filter(one => one.offset >= 0), ...ends]) {
      const one = ours.get(partitionKey(place))
      if (one !== undefined && one.position === undefined) one.seek(offset)
    }
  }
}

const isWithout = (one: AssignedPartition<unknown, unknown>): boolean => one.isOurs && one.position === undefined
