import type { Workers } from '../platform/index.ts'
import { ErrorCode, type ErrorName, KafkaError } from '../protocol/index.ts'
import type { AppendOrigin, Log, LogAppendInfo, PreparedRecords, TopicPartition } from '../storage/index.ts'
import {
  type FetchIsolation,
  type FetchParams,
  type FetchPartition,
  type FetchPartitionResult,
  fetchError,
  UNKNOWN_LEADER,
} from './fetch-result.ts'
import { type FetchLimits, readForFetch, refusalOf } from './partition-read.ts'
import type { Purgatory } from './purgatory.ts'
import { RemoteReplica } from './remote-replica.ts'
import { WatchList } from './watch-list.ts'

/** Who leads a partition and who follows, as the controller decided it. */
export interface PartitionState {
  /** Broker id; -1 while there is no leader. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
  /** Version of this state: of the znode, or as AlterPartition counts (KIP-497). */
  readonly partitionEpoch: number
}

/** Told of what happens to a partition: coordinators listen to theirs. */
export interface PartitionListener {
  highWatermarkAdvanced?(highWatermark: number): void
  /** This broker became leader, or its leader epoch was raised. */
  becameLeader?(leaderEpoch: number): void
  /** This broker leads it no longer, its log directory failed, or it was deleted. */
  lostLeadership?(): void
}

/** Who appends, and how old that client's request is. */
interface AppendHow {
  readonly origin: AppendOrigin
  readonly apiVersion?: number
}

const NO_STATE: PartitionState = { leader: -1, leaderEpoch: -1, isr: [], replicas: [], partitionEpoch: -1 }

/**
 * One partition that this broker hosts: who leads it, its log, and the offset up to which it is committed
 * (Kafka's Partition).
 *
 * Invariants: the high watermark never passes the end offset of any replica in the ISR, nor, where the log must sync
 * before it acknowledges, the end of what is synced here; it does not go back while this broker leads. Whatever changes
 * what a waiting operation may see calls `purgatory.touched(watches)`.
 */
export class Partition {
  readonly topicPartition: TopicPartition
  readonly topicId: string
  /** Waiting fetches and produces of this partition. */
  readonly watches = new WatchList()
  /** Resolves when the last request that had to wait for a conversion is appended; undefined when none waits. */
  lastAppend: Promise<void> | undefined
  readonly #brokerId: number
  readonly #purgatory: Purgatory
  #log: Log | undefined
  #futureLog: Log | undefined
  #state = NO_STATE
  #remoteReplicas: readonly RemoteReplica[] = []
  #listeners: readonly PartitionListener[] = []
  #isOffline = false
  #isClosed = false
  #version = 0
  #leaderEpochStartOffset = -1
  /** End of what this broker itself vouches for: the log's end, or the end of what is synced. */
  #ownEndOffset = 0
  #appendedBytes = 0

  constructor(options: {
    readonly topicPartition: TopicPartition
    readonly topicId: string
    readonly brokerId: number
    readonly purgatory: Purgatory
  }) {
    this.topicPartition = options.topicPartition
    this.topicId = options.topicId
    this.#brokerId = options.brokerId
    this.#purgatory = options.purgatory
  }

  get log(): Log | undefined {
    return this.#log
  }

  /** The copy in another log directory that will replace `log` (KIP-113). */
  get futureLog(): Log | undefined {
    return this.#futureLog
  }

  set futureLog(log: Log | undefined) {
    this.#futureLog = log
  }

  get state(): PartitionState {
    return this.#state
  }

  get isLeader(): boolean {
    return this.#state.leader === this.#brokerId && !this.#isOffline
  }

  get isOffline(): boolean {
    return this.#isOffline
  }

  /** No longer hosted here. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Grows with every change of leadership: a fetch that waited across one answers at once. */
  get version(): number {
    return this.#version
  }

  /** Bytes ever appended through this object: the difference of two readings tells a waiting fetch what came. */
  get appendedBytes(): number {
    return this.#appendedBytes
  }

  get isUnderMinIsr(): boolean {
    return this.isLeader && this.#log !== undefined && this.#state.isr.length < this.#minIsr(this.#log)
  }

  get isUnderReplicated(): boolean {
    return this.isLeader && this.#state.isr.length < this.#state.replicas.length
  }

  /**
   * Takes a new state from the controller. With `log` the partition is hosted by it from now on (a first state must bring
   * one). A state older than the current one is ignored.
   */
  applyState(state: PartitionState, log?: Log): void {
    if (log) this.#host(log)
    const before = this.#state
    if (state.leaderEpoch < before.leaderEpoch) return
    if (state.leaderEpoch === before.leaderEpoch && state.partitionEpoch < before.partitionEpoch) return
    this.#state = state
    const wasLeader = before.leader === this.#brokerId
    const newTerm = state.leaderEpoch !== before.leaderEpoch || (state.leader === this.#brokerId) !== wasLeader
    if (newTerm) this.#beginTerm(wasLeader)
    else this.#remoteReplicas = this.#replicasFor(state)
    if (this.isLeader) this.#advanceHighWatermark()
  }

  #host(log: Log): void {
    this.#log = log
    this.#isOffline = false
    this.#vouchFor(log)
  }

  #beginTerm(wasLeader: boolean): void {
    this.#version++
    this.#remoteReplicas = []
    this.#remoteReplicas = this.#replicasFor(this.#state)
    const log = this.#log
    if (this.isLeader && log) {
      this.#leaderEpochStartOffset = log.logEndOffset
      this.#vouchFor(log)
      log.assignLeaderEpoch(this.#state.leaderEpoch, log.logEndOffset)
      for (const listener of this.#listeners) listener.becameLeader?.(this.#state.leaderEpoch)
    } else {
      this.#leaderEpochStartOffset = -1
      if (wasLeader) for (const listener of this.#listeners) listener.lostLeadership?.()
    }
    this.#purgatory.touched(this.watches)
  }

  #replicasFor(state: PartitionState): readonly RemoteReplica[] {
    if (state.leader !== this.#brokerId || state.replicas.length === 1) return []
    const known = new Map(this.#remoteReplicas.map(replica => [replica.brokerId, replica]))
    return state.replicas
      .filter(brokerId => brokerId !== this.#brokerId)
      .map(brokerId => known.get(brokerId) ?? new RemoteReplica(brokerId))
  }

  /** The log directory has failed: everything answers KAFKA_STORAGE_ERROR until a new log is given. */
  goOffline(): void {
    this.#isOffline = true
    this.#futureLog = undefined
    this.#end()
  }

  /** The partition is no longer hosted here; its log is being deleted. */
  close(): void {
    this.#isClosed = true
    this.#state = { ...this.#state, leader: -1 }
    this.#log = undefined
    this.#futureLog = undefined
    this.#end()
  }

  #end(): void {
    this.#version++
    this.#remoteReplicas = []
    for (const listener of this.#listeners) listener.lostLeadership?.()
    this.#purgatory.touched(this.watches)
  }

  /** Takes the log away for the moment in which another takes its place: until then requests are told to try again. */
  detachLog(): Log {
    const log = this.logFor(-1, false)
    this.#log = undefined
    return log
  }

  /** Goes on with a log that holds what the detached one did. */
  attachLog(log: Log): void {
    this.#log = log
    this.#futureLog = undefined
    if (!this.isLeader) return
    log.assignLeaderEpoch(this.#state.leaderEpoch, log.logEndOffset)
    this.#vouchFor(log)
    // What was synced while there was no log could not be counted then.
    this.#advanceHighWatermark()
    this.#purgatory.touched(this.watches)
  }

  addListener(listener: PartitionListener): void {
    this.#listeners = [...this.#listeners, listener]
  }

  removeListener(listener: PartitionListener): void {
    this.#listeners = this.#listeners.filter(other => other !== listener)
  }

  /** NONE, or why a request with this idea of the leader epoch (-1 none) is refused (KIP-320). */
  checkAccess(currentLeaderEpoch: number, requireLeader: boolean): ErrorName {
    if (this.#isOffline) return 'KAFKA_STORAGE_ERROR'
    if (currentLeaderEpoch !== -1) {
      if (currentLeaderEpoch < this.#state.leaderEpoch) return 'FENCED_LEADER_EPOCH'
      if (currentLeaderEpoch > this.#state.leaderEpoch) return 'UNKNOWN_LEADER_EPOCH'
    }
    return (requireLeader && !this.isLeader) || !this.#log ? 'NOT_LEADER_OR_FOLLOWER' : 'NONE'
  }

  /** The log, for a request that {@link checkAccess} lets through; throws its error otherwise. */
  logFor(currentLeaderEpoch: number, requireLeader: boolean): Log {
    const error = this.checkAccess(currentLeaderEpoch, requireLeader)
    if (error !== 'NONE' || !this.#log) throw new KafkaError(error)
    return this.#log
  }

  /** Records that this partition stores in another form, being converted; see {@link Log.prepare}. */
  prepareAppend(
    records: Uint8Array,
    { origin, apiVersion }: AppendHow,
    workers: Workers,
  ): Promise<PreparedRecords> | undefined {
    if (!this.isLeader) return undefined
    return this.#log?.prepare(records, apiVersion === undefined ? { origin } : { origin, apiVersion }, workers)
  }

  /**
   * Appends as leader. With `acks` -1 the ISR must be as large as `min.insync.replicas` asks.
   *
   * @throws KafkaError NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, NOT_ENOUGH_REPLICAS, and what `Log.appendAsLeader`
   * throws.
   */
  appendAsLeader(records: Uint8Array | PreparedRecords, options: AppendHow & { readonly acks: number }): LogAppendInfo {
    const log = this.logFor(-1, true)
    if (options.acks === -1 && this.#state.isr.length < this.#minIsr(log)) {
      throw new KafkaError('NOT_ENOUGH_REPLICAS', `the ISR [${this.#state.isr}] is smaller than min.insync.replicas`)
    }
    const { origin, apiVersion } = options
    const leaderEpoch = this.#state.leaderEpoch
    const info = log.appendAsLeader(
      records,
      apiVersion === undefined ? { leaderEpoch, origin } : { leaderEpoch, origin, apiVersion },
    )
    this.#appendedBytes += info.bytes
    if (log.mustSyncBeforeAck) this.#vouchWhenSynced(log)
    else {
      this.#ownEndOffset = log.logEndOffset
      this.#advanceHighWatermark()
    }
    return info
  }

  /** Counts what the log has as committed, or will when it is synced. */
  #vouchFor(log: Log): void {
    this.#ownEndOffset = log.mustSyncBeforeAck ? Math.min(log.recoveryPoint, log.logEndOffset) : log.logEndOffset
    if (this.#ownEndOffset < log.logEndOffset) this.#vouchWhenSynced(log)
  }

  /** Records count as committed only once they are synced, so no consumer sees what a power cut takes back. */
  #vouchWhenSynced(log: Log): void {
    const endOffset = log.logEndOffset
    const version = this.#version
    log.flushed(endOffset).then(
      () => {
        if (version !== this.#version || endOffset <= this.#ownEndOffset) return
        this.#ownEndOffset = endOffset
        this.#advanceHighWatermark()
      },
      // The log directory is offline then, and whoever waits is told by goOffline.
      () => {},
    )
  }

  /** As many in-sync replicas as the topic asks for, but not more than there are. */
  #minIsr(log: Log): number {
    return Math.min(log.config.minInSyncReplicas, this.#state.replicas.length)
  }

  /** Moves the high watermark to the smallest end offset of the ISR; not while that is smaller than it must be (KIP-966). */
  #advanceHighWatermark(): void {
    const log = this.#log
    if (!log || this.#state.isr.length < this.#minIsr(log)) return
    let endOffset = this.#ownEndOffset
    for (const replica of this.#remoteReplicas) {
      if (replica.endOffset < endOffset && this.#state.isr.includes(replica.brokerId)) endOffset = replica.endOffset
    }
    if (endOffset <= log.highWatermark) return
    log.highWatermark = endOffset
    this.#purgatory.touched(this.watches)
    for (const listener of this.#listeners) listener.highWatermarkAdvanced?.(endOffset)
  }

  /** Why this broker may not follow, if so: it is not among the replicas that the leader knows. */
  checkFollower(brokerId: number, request: FetchPartition): FetchPartitionResult | undefined {
    const access = this.checkAccess(request.currentLeaderEpoch, true)
    if (access !== 'NONE') return this.#failed(access)
    if (this.#remoteReplicas.some(replica => replica.brokerId === brokerId)) return undefined
    // With an epoch the follower may know more than this broker does yet; without one it must ask anew who leads.
    return this.#failed(request.currentLeaderEpoch === -1 ? 'NOT_LEADER_OR_FOLLOWER' : 'UNKNOWN_LEADER_EPOCH')
  }

  /** A follower has fetched at `offset`: it has everything below. Unknown brokers are ignored. */
  followerFetched(brokerId: number, offset: number, logStartOffset: number): void {
    const replica = this.#remoteReplicas.find(candidate => candidate.brokerId === brokerId)
    if (!replica) return
    replica.fetched(offset, logStartOffset)
    this.#advanceHighWatermark()
    this.#purgatory.touched(this.watches)
  }

  /**
   * How far an append that ends below `endOffset` and waits for all replicas has come: undefined while it must wait, then
   * NONE or the reason why it counts as failed.
   */
  replicationOutcome(endOffset: number): ErrorName | undefined {
    const access = this.checkAccess(-1, true)
    const log = this.#log
    if (access !== 'NONE' || !log) return access
    if (log.highWatermark < endOffset) return undefined
    return this.#state.isr.length < this.#minIsr(log) ? 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' : 'NONE'
  }

  /** The smallest log start offset of all live replicas: what DeleteRecords answers. */
  get lowWatermark(): number {
    let low = this.logFor(-1, true).logStartOffset
    for (const replica of this.#remoteReplicas) low = Math.min(low, replica.startOffset)
    return low
  }

  /** The offset at which such a fetch stops. */
  fetchLimit(isolation: FetchIsolation): number {
    const log = this.#log
    if (!log) return 0
    if (isolation === 'high_watermark') return log.highWatermark
    return isolation === 'log_end' ? log.logEndOffset : log.lastStableOffset
  }

  /** The lowest offset that is committed but was not when this broker began to lead, or -1 when all is settled. */
  get unsettledFrom(): number {
    const log = this.#log
    return log && this.#leaderEpochStartOffset > log.highWatermark ? this.#leaderEpochStartOffset : -1
  }

  /**
   * Reads for a fetch; what is wrong with the request is said in the result.
   *
   * @throws KafkaError KAFKA_STORAGE_ERROR, CORRUPT_MESSAGE
   */
  read(request: FetchPartition, params: FetchParams, limits: FetchLimits): FetchPartitionResult {
    const access = this.checkAccess(request.currentLeaderEpoch, !params.fromAnyReplica)
    const log = this.#log
    if (access !== 'NONE' || !log) return this.#failed(access)
    const refusal = refusalOf(log.config, params)
    if (refusal !== undefined) return this.#failed(refusal)
    return readForFetch(log, request, { params, limits }) ?? this.#failed('OFFSET_OUT_OF_RANGE')
  }

  #failed(error: ErrorName): FetchPartitionResult {
    const turnElsewhere = error === 'NOT_LEADER_OR_FOLLOWER' || error === 'FENCED_LEADER_EPOCH'
    const { leader, leaderEpoch } = this.#state
    const currentLeader = turnElsewhere ? { leaderId: leader, leaderEpoch } : UNKNOWN_LEADER
    return fetchError(this.topicPartition.partition, ErrorCode[error], currentLeader)
  }
}
