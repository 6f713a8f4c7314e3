import { ErrorCode } from '../../protocol/index.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { OffsetCommitRecord } from './group-record.ts'
import { type MemberIdentity, validateMemberOfGeneration } from './member-validation.ts'

/** An OffsetCommit as the state machine takes it. */
export interface CommitRequest extends MemberIdentity {
  readonly groupId: string
  /** -1: not from a member. */
  readonly generationId: number
  /** -1: kept as long as the broker keeps offsets. */
  readonly retentionTimeMs: number
  readonly offsets: readonly CommitOffset[]
}

/** One offset to commit. */
export interface CommitOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  /** -1: now (all versions but v1). */
  readonly commitTimestamp: number
  readonly metadata: string | null
}

/** What a commit decides. */
export interface CommitDecision {
  /** Not `NONE`: nothing is written and every partition is answered this. */
  readonly errorCode: number
  /** One for each offset that is written, in the order of the request. */
  readonly records: readonly OffsetCommitRecord[]
  /** Per offset of the request: `NONE`, or why it is not written. */
  readonly offsetErrors: readonly number[]
  /** The member has shown that it lives. */
  readonly resetSession: boolean
}

/**
 * OffsetCommit. Members commit for their generation; others, with generation -1, while the group has no members.
 * Errors: `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID`, `ILLEGAL_GENERATION`, `REBALANCE_IN_PROGRESS`,
 * `COORDINATOR_NOT_AVAILABLE` for a dying group, and `OFFSET_METADATA_TOO_LARGE` for single offsets.
 */
export function decideCommit(
  group: ClassicGroup,
  request: CommitRequest,
  context: { readonly now: number; readonly maxMetadataLength: number },
): CommitDecision {
  const errorCode = validateCommit(group, request)
  if (errorCode !== ErrorCode.NONE) return refuse(errorCode)
  return { resetSession: group.state !== 'Empty', ...recordsOf(request, context) }
}

/**
 * TxnOffsetCommit. A client that says who it is (v3+, KIP-447) must be a member of the current generation; one that does
 * not is believed. It is no sign of life. Errors as {@link decideCommit}, but never `REBALANCE_IN_PROGRESS`.
 */
export function decideTransactionalCommit(
  group: ClassicGroup,
  request: CommitRequest,
  context: { readonly now: number; readonly maxMetadataLength: number },
): CommitDecision {
  if (group.state === 'Dead') return refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  const { generationId, memberId, groupInstanceId } = request
  const saysWho = memberId !== '' || groupInstanceId !== null
  if (generationId >= 0 || (saysWho && group.state !== 'Empty')) {
    const error = validateMemberOfGeneration(group, request, generationId)
    if (error !== ErrorCode.NONE) return refuse(error)
  }
  return { resetSession: false, ...recordsOf(request, context) }
}

function refuse(errorCode: number): CommitDecision {
  return { errorCode, records: [], offsetErrors: [], resetSession: false }
}

function recordsOf(
  request: CommitRequest,
  context: { readonly now: number; readonly maxMetadataLength: number },
): Omit<CommitDecision, 'resetSession'> {
  const records: OffsetCommitRecord[] = []
  const expireTimestamp =
    request.retentionTimeMs === -1 ? -1 : Math.min(context.now + request.retentionTimeMs, Number.MAX_SAFE_INTEGER)
  const offsetErrors = request.offsets.map(offset => {
    const metadata = offset.metadata ?? ''
    if (metadata.length > context.maxMetadataLength) return ErrorCode.OFFSET_METADATA_TOO_LARGE
    records.push({
      kind: 'offsetCommit',
      groupId: request.groupId,
      topic: offset.topic,
      partition: offset.partition,
      value: {
        offset: offset.offset,
        leaderEpoch: offset.leaderEpoch,
        metadata,
        commitTimestamp: offset.commitTimestamp === -1 ? context.now : offset.commitTimestamp,
        expireTimestamp,
      },
    })
    return ErrorCode.NONE
  })
  return { errorCode: ErrorCode.NONE, records, offsetErrors }
}

function validateCommit(group: ClassicGroup, request: CommitRequest): number {
  if (group.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  if (request.generationId < 0 && group.state === 'Empty') return ErrorCode.NONE
  if (request.generationId < 0 && request.memberId === '' && request.groupInstanceId === null) {
    return ErrorCode.UNKNOWN_MEMBER_ID
  }
  const error = validateMemberOfGeneration(group, request, request.generationId)
  if (error !== ErrorCode.NONE) return error
  // The member has the answer to its JoinGroup but not its assignment: what it commits cannot be of this generation.
  return group.state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}
