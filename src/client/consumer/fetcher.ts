import { ErrorCode, errorName, KafkaError, type MessageOf, ZERO_UUID } from '../../protocol/index.ts'
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts'
import { Backoff } from '../backoff.ts'
import type { Cluster } from '../cluster.ts'
import { partitionKey } from '../topic-partition.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { ConsumerMetrics } from './consumer-metrics.ts'
import type { RecordSerdes } from './consumer-record.ts'
import type { FetchLimits } from './fetch-limits.ts'
import { FetchSession } from './fetch-session.ts'
import { FetchedRecords } from './fetched-records.ts'
import { type LogEnd, validatePositions } from './position-validation.ts'
import { RestingPartitions } from './resting-partitions.ts'

const FETCH = { request: FetchRequest, response: FetchResponse }
/** The last version that goes by the names of topics, for clusters where they have no ids. */
const LAST_BY_NAME = 12
const READ_COMMITTED = 1
/** So often metadata is looked up for a leader of an epoch that brokers do not know, before the one that they name is asked all the same. */
const LOOKS_FOR_EPOCH = 10

/** Failures after which the leader is looked for again, after a pause. */
const LOST_LEADER: ReadonlySet<string> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'OFFSET_NOT_AVAILABLE',
  // Java's consumer tries again, too: the next leader, or the next try, may be better.
  'UNKNOWN_SERVER_ERROR',
])

/** Failures of a session, after which everything is named again. */
const LOST_SESSION: ReadonlySet<string> = new Set([
  'FETCH_SESSION_ID_NOT_FOUND',
  'INVALID_FETCH_SESSION_EPOCH',
  'FETCH_SESSION_TOPIC_ID_ERROR',
])

export interface FetcherSettings<K, V> extends FetchLimits {
  readonly cluster: Cluster
  readonly serdes: RecordSerdes<K, V>
  readonly metrics: ConsumerMetrics
  /** What is read now. */
  readonly partitions: () => Iterable<AssignedPartition<K, V>>
  /** Something was added to a partition. */
  readonly arrived: () => void
  /** The offset is not in the log: where to go on has to be decided. */
  readonly outOfRange: (partition: AssignedPartition<K, V>) => void
  /** The leader has not all of what was read: up to `until`, as far as it knows. */
  readonly truncated: (partition: AssignedPartition<K, V>, until: LogEnd | undefined) => void
  /** What the program has to hear: a right that is missing. */
  readonly failed: (error: KafkaError) => void
}

type Answer = MessageOf<typeof FetchResponse>['responses'][number]['partitions'][number]

/** Whom to ask for a partition, and the leader epoch in which it is asked; -1 where brokers do not tell. */
interface Source {
  readonly broker: number
  readonly leaderEpoch: number
}

/**
 * Fetches ahead of the program: one request at a time to each broker, for those of its partitions that have little waiting. When
 * more than `prefetch.max.bytes` wait, nothing is fetched until the program has caught up; what paused partitions hold of that is given
 * up where others are read, but for a half. A new leader is first asked whether it has
 * what was fetched from the one before (KIP-320).
 */
export class Fetcher<K, V> {
  readonly #settings: FetcherSettings<K, V>
  readonly #resting: RestingPartitions<AssignedPartition<K, V>>
  readonly #busy = new Set<number>()
  readonly #sessions = new Map<number, FetchSession>()
  #isClosed = false

  constructor(settings: FetcherSettings<K, V>) {
    this.#settings = settings
    const { clock, retryBackoffMs, retryBackoffMaxMs, random } = settings.cluster.settings
    this.#resting = new RestingPartitions({
      clock,
      backoff: new Backoff(retryBackoffMs, retryBackoffMaxMs, random),
      look: () => this.#look(),
      rested: () => this.wake(),
    })
  }

  /** Sends what can be sent now. Called when partitions come, the program has read, or a fetch was answered. */
  wake(): void {
    if (this.#isClosed) return
    const { cluster, prefetchMaxBytes, partitionMaxBytes } = this.#settings
    const toFetch = new Map<number, AssignedPartition<K, V>[]>()
    const toValidate = new Map<number, { partition: AssignedPartition<K, V>; leaderEpoch: number }[]>()
    const lost: AssignedPartition<K, V>[] = []
    const paused: AssignedPartition<K, V>[] = []
    let buffered = 0
    let refusal: KafkaError | undefined
    for (const partition of this.#settings.partitions()) {
      const bytes = partition.bufferedBytes
      buffered += bytes
      if (partition.isPaused) paused.push(partition)
      if (partition.position === undefined || partition.trouble !== undefined) continue
      if (partition.isValidating || this.#resting.has(partition)) continue
      const source = this.#sourceOf(partition)
      const isWaiting = partition.isPaused || bytes >= partitionMaxBytes
      // Who looks for a position has asked for the metadata, too.
      if (source === undefined) {
        refusal ??= cluster.metadata.refusalOf(partition.topic)
        if (!isWaiting && !partition.isPositioning) lost.push(partition)
      } else if (isOutdated(partition, source) && !this.#hasWaited(partition, source)) lost.push(partition)
      else if (mustValidate(partition, source)) addTo(toValidate, this.#leaderOf(partition), { partition, ...source })
      else if (!isWaiting && !this.#busy.has(source.broker)) addTo(toFetch, source.broker, partition)
    }
    if (refusal !== undefined) {
      this.#settings.failed(refusal)
      return
    }
    for (const [leader, asked] of toValidate) void this.#validate(leader, asked)
    // Nothing is added to what paused ones hold, and they keep no room from those that are read.
    if (toFetch.size > 0 && buffered > prefetchMaxBytes / 2) buffered -= dropAhead(paused, prefetchMaxBytes / 2)
    const roomBytes = Math.floor((prefetchMaxBytes - buffered) / (toFetch.size + this.#busy.size))
    if (buffered < prefetchMaxBytes)
      for (const [broker, partitions] of toFetch) void this.#fetch(broker, partitions, Math.max(1, roomBytes))
    this.#resting.rest(lost)
    if (lost.length === 0 && cluster.isStale) void cluster.refresh().catch(() => {})
  }

  /** Whether a leader of an epoch was waited for long enough: perhaps none ever comes, as when it is that of a topic which was deleted. */
  #hasWaited(place: AssignedPartition<K, V>, { leaderEpoch }: Source): boolean {
    const looks = this.#resting.failuresOf(place)
    if (looks === LOOKS_FOR_EPOCH) {
      const { topic, partition, fetchEpoch } = place
      const fields = { topic, partition, epoch: fetchEpoch, leaderEpoch }
      this.#settings.cluster.settings.logger.warn(
        fields,
        'no leader comes of the epoch to go on from: the one there is is asked',
      )
    }
    return looks >= LOOKS_FOR_EPOCH
  }

  /** Fetches nothing any more. */
  close(): void {
    this.#isClosed = true
    this.#resting.close()
  }

  /** Tells brokers that keep a session to forget it (KIP-227), where they are within reach; does not fail. */
  async endSessions(timeoutMs: number): Promise<void> {
    const { cluster } = this.#settings
    const ending = Array.from(this.#sessions, async ([broker, session]) => {
      const end = session.end()
      if (end === undefined || !cluster.metadata.brokers.has(broker)) return
      if (!cluster.node(broker, 'fetch').isConnected) return
      // Where a fetch waits for records, what comes behind it would wait, too.
      const purpose = this.#busy.has(broker) ? 'data' : 'fetch'
      await cluster.request({ broker, purpose }, FETCH, { ...end, maxWaitMs: 0, minBytes: 0 }, { timeoutMs })
    })
    await Promise.allSettled(ending)
  }

  #sourceOf(partition: AssignedPartition<K, V>): Source | undefined {
    const { metadata } = this.#settings.cluster
    const leaderEpoch = metadata.partition(partition.topic, partition.partition)?.leaderEpoch ?? -1
    const leader = this.#leaderOf(partition)
    if (!metadata.brokers.has(leader)) return undefined
    const isElsewhere = metadata.brokers.has(partition.preferredReplica)
    return { broker: isElsewhere ? partition.preferredReplica : leader, leaderEpoch }
  }

  #leaderOf({ topic, partition }: AssignedPartition<K, V>): number {
    return this.#settings.cluster.metadata.partition(topic, partition)?.leader ?? -1
  }

  async #validate(
    leader: number,
    asked: readonly { readonly partition: AssignedPartition<K, V>; readonly leaderEpoch: number }[],
  ): Promise<void> {
    const { cluster, failed, truncated } = this.#settings
    for (const { partition } of asked) partition.isValidating = true
    const lost: AssignedPartition<K, V>[] = []
    try {
      const epochs = new Map(asked.map(({ partition, leaderEpoch }) => [partition, leaderEpoch]))
      for (const validation of await validatePositions(cluster, leader, asked)) {
        const { partition, kind } = validation
        if (kind === 'valid') partition.validEpoch = epochs.get(partition) ?? -1
        else if (kind === 'truncated') truncated(partition, validation.until)
        else if (kind === 'refused') failed(validation.error)
        else lost.push(partition)
      }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      lost.push(...asked.map(({ partition }) => partition))
    } finally {
      for (const { partition } of asked) partition.isValidating = false
    }
    this.#resting.rest(lost)
    this.wake()
  }

  async #fetch(broker: number, partitions: readonly AssignedPartition<K, V>[], roomBytes: number): Promise<void> {
    const { cluster, maxWaitMs, metrics, minBytes, partitionMaxBytes, isCommitted, rack } = this.#settings
    const maxBytes = Math.min(this.#settings.maxBytes, roomBytes)
    const session = this.#sessions.get(broker) ?? new FetchSession()
    this.#sessions.set(broker, session)
    const asked = new Map(
      partitions.map(partition => {
        const { generation, fetchOffset, validEpoch } = partition
        return [partitionKey(partition), { partition, generation, fetchOffset, validEpoch }]
      }),
    )
    const wasFull = session.isFull
    const all = partitions.map(({ topic, partition, fetchOffset, validEpoch }) => ({
      topic,
      topicId: cluster.metadata.topic(topic)?.id ?? ZERO_UUID,
      partition,
      fetchOffset,
      currentLeaderEpoch: validEpoch,
      partitionMaxBytes,
    }))
    const { hasIds, ...wanted } = session.next(all)
    const names = new Map(all.map(({ topicId, topic }) => [topicId, topic]))
    this.#busy.add(broker)
    const lost: AssignedPartition<K, V>[] = []
    const sinceMs = cluster.settings.clock.monotonicMs()
    try {
      const answer = await cluster.request(
        { broker, purpose: 'fetch' },
        FETCH,
        version => ({
          maxWaitMs,
          minBytes,
          maxBytes,
          isolationLevel: isCommitted && version >= 4 ? READ_COMMITTED : 0,
          ...wanted,
          ...(version >= 11 ? { rackId: rack } : {}),
        }),
        { ...(hasIds ? {} : { maxVersion: LAST_BY_NAME }), timeoutMs: maxWaitMs + cluster.settings.requestTimeoutMs },
      )
      if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
      session.answered(answer.sessionId)
      metrics.fetches += 1
      metrics.fetchMs += cluster.settings.clock.monotonicMs() - sinceMs
      for (const { topic: name, topicId, partitions: answers } of answer.responses) {
        const topic = name === '' ? (names.get(topicId) ?? '') : name
        for (const one of answers) {
          const place = { topic, partition: one.partitionIndex }
          const known = asked.get(partitionKey(place))
          if (known && isAwaited(known)) {
            const isTaken = this.#take(known.partition, known.fetchOffset, one)
            if (isTaken) this.#resting.worked(known.partition)
            else if (!cluster.leaderMoved(place, one.currentLeader, answer.nodeEndpoints)) lost.push(known.partition)
          }
        }
      }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      session.failed(error.code)
      metrics.fetchesFailed += 1
      if (error.fatal) return this.#settings.failed(error)
      for (const partition of partitions) partition.preferredReplica = -1
      // A session that the broker has forgotten says nothing about who leads.
      if (wasFull || !LOST_SESSION.has(error.code)) lost.push(...partitions)
    } finally {
      this.#busy.delete(broker)
    }
    this.#resting.rest(lost)
    this.wake()
  }

  /** Takes the answer for one partition; false when it is to be asked again later, after a look for its leader. */
  #take(partition: AssignedPartition<K, V>, fetchOffset: number, answer: Answer): boolean {
    const { arrived, checkCrcs, failed, isCommitted, outOfRange, serdes } = this.#settings
    if (answer.errorCode === ErrorCode.NONE) {
      partition.highWatermark = answer.highWatermark
      partition.lastStableOffset = answer.lastStableOffset
      partition.logStartOffset = answer.logStartOffset
      if (answer.preferredReadReplica >= 0) partition.preferredReplica = answer.preferredReadReplica
      const bytes = answer.records
      if (bytes === null || bytes.length === 0) return true
      this.#settings.metrics.bytesFetched += bytes.length
      const aborted = isCommitted ? [...(answer.abortedTransactions ?? [])] : null
      aborted?.sort((one, other) => one.firstOffset - other.firstOffset)
      const records = new FetchedRecords<K, V>(partition, { bytes, fetchOffset, aborted }, { serdes, checkCrcs })
      const end = FetchedRecords.end(bytes, fetchOffset)
      if (end === undefined) return true
      partition.add(records, end)
      arrived()
      return true
    }
    const wasElsewhere = partition.preferredReplica >= 0
    partition.preferredReplica = -1
    if (LOST_LEADER.has(errorName(answer.errorCode))) return false
    if (answer.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      // A replica may lag behind the leader, which knows better (KIP-392).
      if (wasElsewhere) return true
      // What was fetched before still counts: it is worked on first.
      if (partition.position !== fetchOffset) return false
      outOfRange(partition)
      return true
    }
    const error = KafkaError.fromCode(answer.errorCode)
    const where = `${partition.topic}-${partition.partition}`
    if (!error.retriable) failed(new KafkaError(error.code, `${where}: ${error.message}`))
    return error.retriable
  }

  async #look(): Promise<void> {
    const { cluster, failed } = this.#settings
    try {
      await cluster.refresh()
    } catch (error) {
      if (error instanceof KafkaError && error.fatal) failed(error)
    }
  }
}

/** Leaves partitions so many bytes of what was fetched of them, and takes it from those that hold most. Returns what they gave up. */
function dropAhead(partitions: readonly AssignedPartition<unknown, unknown>[], mostBytes: number): number {
  const held = partitions.map(partition => ({ partition, bytes: partition.bufferedBytes }))
  const before = held.reduce((sum, { bytes }) => sum + bytes, 0)
  let left = before
  for (const { partition, bytes } of held.sort((one, other) => other.bytes - one.bytes)) {
    if (left <= mostBytes) break
    partition.dropAhead()
    left -= bytes
  }
  return before - left
}

/**
 * Whether the answer to a fetch is still of use: not where the partition went, somebody seeked, or another broker, the next leader,
 * was faster.
 */
function isAwaited({
  partition,
  generation,
  fetchOffset,
}: {
  readonly partition: AssignedPartition<unknown, unknown>
  readonly generation: number
  readonly fetchOffset: number
}): boolean {
  return partition.isOurs && partition.generation === generation && partition.fetchOffset === fetchOffset
}

/** Whether the leader has changed since it was known that what was fetched is in the log. Adopts the leader where nothing is to be asked. */
function mustValidate(partition: AssignedPartition<unknown, unknown>, { leaderEpoch }: Source): boolean {
  if (partition.validEpoch === leaderEpoch) return false
  if (leaderEpoch >= 0 && partition.fetchEpoch >= 0) return true
  partition.validEpoch = leaderEpoch
  return false
}

/** Whether the leader is known as of before an epoch that records have been read from: it may not lead any more (KIP-320). */
function isOutdated({ fetchEpoch, validEpoch }: AssignedPartition<unknown, unknown>, { leaderEpoch }: Source): boolean {
  return validEpoch < 0 && leaderEpoch >= 0 && fetchEpoch > leaderEpoch
}

function addTo<T>(byBroker: Map<number, T[]>, broker: number, item: T): void {
  const items = byBroker.get(broker)
  if (items === undefined) byBroker.set(broker, [item])
  else items.push(item)
}
