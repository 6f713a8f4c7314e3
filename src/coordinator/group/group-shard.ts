import type { Clock, Deadline, DeadlineQueue, Logger } from '../../platform/index.ts'
import type { ErrorName } from '../../protocol/index.ts'
import type { RecordPosition } from '../runtime/coordinator-runtime.ts'
import { groupStoreError } from './append-error.ts'
import { type ClassicGroup, emptyGroup, type ReplyTo } from './classic-group.ts'
import type {
  AfterStore,
  Decision,
  DecisionContext,
  GroupLimits,
  JoinResult,
  SyncResult,
  TimerName,
} from './decision.ts'
import { GroupDraft } from './group-draft.ts'
import { GroupOffsets } from './group-offsets.ts'
import type { GroupRecord } from './group-record.ts'
import { staticMemberStored } from './join-group.ts'
import { joinTimerExpired, prepareRebalance, sessionExpired, syncTimerExpired } from './rebalance.ts'
import { replayGroupMetadata } from './replay.ts'
import { assignmentStored } from './sync-group.ts'
import { dissolve } from './unload.ts'

/** A group with what belongs to it here and now. */
export interface GroupEntry {
  /** Replaced by decisions and replays. */
  group: ClassicGroup
  readonly offsets: GroupOffsets
  readonly timers: Map<TimerName, Deadline>
}

/** What a {@link GroupShard} works with. */
export interface GroupShardOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly limits: GroupLimits
  readonly deadlines: DeadlineQueue
  readonly newMemberId: (prefix: string) => string
  /** Appends the records to the shard's partition and replays them: `CoordinatorRuntime.append`. */
  readonly append: (records: readonly GroupRecord[]) => Promise<void>
}

/**
 * The groups of one partition of `__consumer_offsets`, and the hands of their state machines: carries decisions out,
 * keeps timers and waiting requests, brings expired timers and the log's answers back as new decisions.
 */
export class GroupShard {
  readonly #options: GroupShardOptions
  readonly #groups = new Map<string, GroupEntry>()
  /** Groups in which a producer's transaction has offsets. */
  readonly #transactionGroups = new Map<number, Set<string>>()
  readonly #waiting = new Map<ReplyTo, (result: JoinResult & SyncResult) => void>()
  #nextReplyTo: ReplyTo = 1

  constructor(options: GroupShardOptions) {
    this.#options = options
  }

  /** All groups of the partition. */
  get groups(): ReadonlyMap<string, GroupEntry> {
    return this.#groups
  }

  get(groupId: string): GroupEntry | undefined {
    return this.#groups.get(groupId)
  }

  /** The group, made empty if there is none. It is in no log until something of it is. */
  getOrCreate(groupId: string): GroupEntry {
    let entry = this.#groups.get(groupId)
    if (entry === undefined) {
      entry = this.#newEntry(emptyGroup(groupId, this.#options.clock.now()))
      this.#groups.set(groupId, entry)
    }
    return entry
  }

  /** What decisions are made with, now. The shard keeps no group's value but the newest. */
  context(): DecisionContext {
    const { clock, limits, newMemberId } = this.#options
    return { now: clock.now(), limits, newMemberId, ownsGroup: true }
  }

  /**
   * Lets `decide` decide for a request whose answer may come later, and resolves with that answer. `decide` gets the
   * name to answer to.
   */
  ask<Result extends JoinResult | SyncResult>(
    entry: GroupEntry,
    decide: (group: ClassicGroup, replyTo: ReplyTo) => Decision,
  ): Promise<Result> {
    const replyTo = this.#nextReplyTo++
    return new Promise<Result>(resolve => {
      // Which answer belongs to which request is the state machine's to keep apart: it parks joins and syncs separately.
      this.#waiting.set(replyTo, resolve as (result: JoinResult | SyncResult) => void)
      this.apply(entry, decide(entry.group, replyTo))
    })
  }

  /** Carries a decision out. */
  apply(entry: GroupEntry, decision: Decision): void {
    entry.group = decision.group
    for (const { level, message } of decision.notes) this.#options.logger[level]({}, message)
    for (const [name, afterMs] of decision.timers) this.#setTimer(entry, name, afterMs)
    for (const { to, result } of decision.replies) {
      this.#waiting.get(to)?.(result as JoinResult & SyncResult)
      this.#waiting.delete(to)
    }
    const { afterStore } = decision
    if (afterStore === undefined) return
    this.#options.append(decision.records).then(
      () => this.#stored(entry, afterStore, undefined),
      error => this.#stored(entry, afterStore, groupStoreError(error)),
    )
  }

  /** The member's session starts anew; the cheap path of heartbeats. */
  resetSession(entry: GroupEntry, memberId: string): void {
    const member = entry.group.members.get(memberId)
    if (member !== undefined) this.#setTimer(entry, `member:${memberId}`, member.sessionTimeoutMs)
  }

  /** Applies a record to the group it belongs to. */
  replay(record: GroupRecord, position: RecordPosition): void {
    if (record.kind === 'groupMetadata') {
      const current = this.#groups.get(record.groupId)
      if (record.value === null) {
        if (position.loading && current !== undefined) current.group = this.#withoutMetadata(record.groupId)
        this.#forgetIfNothing(record.groupId)
        return
      }
      const at = { now: this.#options.clock.now(), loading: position.loading }
      const group = replayGroupMetadata(current?.group, { groupId: record.groupId, value: record.value }, at)
      if (current === undefined) this.#groups.set(record.groupId, this.#newEntry(group))
      else current.group = group
      return
    }
    const entry = this.getOrCreate(record.groupId)
    entry.offsets.replay(record, record.value, position)
    if (position.transactionOf !== undefined) this.#noteTransaction(position.transactionOf, record.groupId)
    if (record.value === null) this.#forgetIfNothing(record.groupId)
  }

  endTransaction(producerId: number, result: 'commit' | 'abort'): void {
    const groupIds = this.#transactionGroups.get(producerId)
    this.#transactionGroups.delete(producerId)
    for (const groupId of groupIds ?? []) {
      this.#groups.get(groupId)?.offsets.endTransaction(producerId, result)
      this.#forgetIfNothing(groupId)
    }
  }

  /** All records are replayed: sessions start, and groups that have grown too large rebalance. */
  loaded(): void {
    for (const entry of this.#groups.values()) {
      const draft = new GroupDraft(entry.group, this.context())
      for (const member of draft.members.values()) draft.resetSession(member)
      const { maxSize } = this.#options.limits
      if (draft.members.size > maxSize) {
        prepareRebalance(
          draft,
          `Freshly-loaded group is over capacity (${maxSize}). Rebalancing in order to give a chance for consumers to commit offsets`,
        )
      }
      this.apply(entry, draft.finish())
    }
  }

  /** The partition is given up: everybody who waits shall look for another coordinator. */
  unloaded(): void {
    for (const entry of this.#groups.values()) {
      this.apply(entry, dissolve(entry.group, this.context()))
      for (const timer of entry.timers.values()) timer.unset()
    }
    this.#groups.clear()
    this.#transactionGroups.clear()
  }

  /** Appends records to the shard's partition and replays them when they are committed. Rejects with KafkaError. */
  append(records: readonly GroupRecord[]): Promise<void> {
    return this.#options.append(records)
  }

  /** Takes a group that is nothing any more out of memory; its tombstone, if it needed one, is written. */
  forget(entry: GroupEntry): void {
    if (this.#groups.get(entry.group.groupId) !== entry) return
    for (const timer of entry.timers.values()) timer.unset()
    this.#groups.delete(entry.group.groupId)
  }

  #forgetIfNothing(groupId: string): void {
    const entry = this.#groups.get(groupId)
    if (entry === undefined || entry.group.members.size > 0 || entry.group.pendingMembers.size > 0) return
    const isNothing = entry.group.state === 'Dead' || entry.group.generationId === 0
    if (isNothing && entry.offsets.isEmptyWithout(0)) this.forget(entry)
  }

  #withoutMetadata(groupId: string): ClassicGroup {
    return emptyGroup(groupId, this.#options.clock.now())
  }

  #newEntry(group: ClassicGroup): GroupEntry {
    return { group, offsets: new GroupOffsets(), timers: new Map() }
  }

  #noteTransaction(producerId: number, groupId: string): void {
    const groupIds = this.#transactionGroups.get(producerId)
    if (groupIds === undefined) this.#transactionGroups.set(producerId, new Set([groupId]))
    else groupIds.add(groupId)
  }

  #stored(entry: GroupEntry, after: AfterStore, error: ErrorName | undefined): void {
    if (this.#groups.get(entry.group.groupId) !== entry) return
    const context = { ...this.context(), error }
    if (after.kind === 'assignment') {
      this.apply(entry, assignmentStored(entry.group, after, context))
    } else if (after.kind === 'staticMember') {
      this.apply(entry, staticMemberStored(entry.group, after, context))
    } else if (error !== undefined) {
      // The generation before comes back if this broker fails now; its members are gone and will time out.
      this.#options.logger.warn({ error }, `Failed to write empty metadata for group ${entry.group.groupId}`)
    }
  }

  #setTimer(entry: GroupEntry, name: TimerName, afterMs: number | undefined): void {
    let timer = entry.timers.get(name)
    if (afterMs === undefined) {
      timer?.unset()
      entry.timers.delete(name)
      return
    }
    if (timer === undefined) {
      timer = this.#options.deadlines.create(() => this.#expired(entry, name))
      entry.timers.set(name, timer)
    }
    this.#options.deadlines.set(timer, afterMs)
  }

  #expired(entry: GroupEntry, name: TimerName): void {
    if (this.#groups.get(entry.group.groupId) !== entry) return
    const draft = new GroupDraft(entry.group, this.context())
    if (name === 'join') joinTimerExpired(draft)
    else if (name === 'sync') syncTimerExpired(draft)
    else sessionExpired(draft, name.slice('member:'.length))
    this.apply(entry, draft.finish())
  }
}
