import type { ErrorName } from '../../protocol/index.ts'
import type { ClassicGroup, GroupProtocol, ReplyTo } from './classic-group.ts'
import type { GroupMetadataRecord } from './group-record.ts'

/**
 * What a group's state machine works with and gives out. A decision is data: the next value of the group, the records
 * to write, who gets which answer, which timers to set. `GroupShard` carries it out; tests compare it.
 */

/** The limits of `group.*` configuration that decisions depend on. */
export interface GroupLimits {
  /** `group.min.session.timeout.ms`. */
  readonly minSessionTimeoutMs: number
  /** `group.max.session.timeout.ms`. */
  readonly maxSessionTimeoutMs: number
  /** `group.initial.rebalance.delay.ms`. */
  readonly initialRebalanceDelayMs: number
  /** `group.max.size`. */
  readonly maxSize: number
  /** Ids given out (KIP-394) and not yet used that one group may have; ours: Kafka has no bound. */
  readonly maxPendingMembers: number
}

/** What a decision may read besides the group. */
export interface DecisionContext {
  /** Wall clock, milliseconds since 1970. */
  readonly now: number
  readonly limits: GroupLimits
  /**
   * Nobody will look at the group's present value again, so the decision may write into its collections rather than
   * copy them: what makes a rebalance of thousands linear. Without it (tests) the group stays as it was.
   */
  readonly ownsGroup?: boolean
  /** A member id nobody has had: `prefix`, a dash, a random UUID. */
  readonly newMemberId: (prefix: string) => string
}

/** Timers of a group: the end of the joining phase, the end of the wait for SyncGroup, a member's session. */
export type TimerName = 'join' | 'sync' | `member:${string}`

/** An answer to JoinGroup; field names are the response message's. */
export interface JoinResult {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  /** KIP-814: the leader shall not run its assignor. */
  readonly skipAssignment: boolean
  readonly memberId: string
  readonly members: readonly JoinedMember[]
}

/** A member as the leader's assignor gets it. */
export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Uint8Array
}

/** An answer to SyncGroup. */
export interface SyncResult {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Uint8Array
}

/** An answer to a request that waited or was asked right now. */
export interface Reply {
  readonly to: ReplyTo
  readonly result: JoinResult | SyncResult
}

/** A line for the log: why the group did what it did. */
export interface Note {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
}

/** What shall be decided when the records of a decision are in the log, or could not be written. */
export type AfterStore =
  | { readonly kind: 'assignment'; readonly generationId: number; readonly memberId: string }
  | { readonly kind: 'empty' }
  | StaticMemberReplaced

/** A static member came back in a stable group under a new member id; the old one stands again if the log refuses. */
export interface StaticMemberReplaced {
  readonly kind: 'staticMember'
  readonly generationId: number
  readonly oldMemberId: string
  readonly newMemberId: string
  readonly oldLeaderId: string | undefined
  readonly old: {
    readonly protocols: readonly GroupProtocol[]
    readonly rebalanceTimeoutMs: number
    readonly sessionTimeoutMs: number
  }
  readonly supportsSkippingAssignment: boolean
}

/** What the log said to the records of a decision. */
export interface StoreOutcome {
  /** Undefined: the records are committed. */
  readonly error: ErrorName | undefined
}

/** What a decision does. */
export interface Decision {
  readonly group: ClassicGroup
  readonly records: readonly GroupMetadataRecord[]
  readonly afterStore: AfterStore | undefined
  readonly replies: readonly Reply[]
  /** Timers to set, in milliseconds from now, or to cancel (undefined). */
  readonly timers: ReadonlyMap<TimerName, number | undefined>
  readonly notes: readonly Note[]
}
