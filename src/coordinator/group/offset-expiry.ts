import { type ClassicGroup, CONSUMER_PROTOCOL_TYPE } from './classic-group.ts'
import type { CommittedOffset, GroupOffsets } from './group-offsets.ts'
import { type GroupRecord, groupTombstone } from './group-record.ts'

/** When offsets are too old. */
export interface ExpiryContext {
  readonly now: number
  /** `offsets.retention.minutes`, in milliseconds. */
  readonly retentionMs: number
}

/**
 * Tombstones for a group's expired offsets (KIP-211), and for the group itself when nothing of it is left. Offsets live
 * as long as the group reads their topic, and for the retention after it stopped:
 *
 * - of a group without members, since it became empty;
 * - of a stable consumer group, topics that nobody subscribes to, since their last commit;
 * - of a group that only ever stored offsets, since their last commit.
 *
 * Nothing expires while the group rebalances (KAFKA-13636), or of a group with members whose subscriptions are not
 * known. A commit under way keeps its partition. Offsets with an expiry of their own go when it has come.
 */
export function decideExpiry(group: ClassicGroup, offsets: GroupOffsets, context: ExpiryContext): GroupRecord[] {
  const since = expiryBase(group)
  const expired = since === undefined ? [] : expiredOffsets(group, offsets, { ...context, since })
  const records: GroupRecord[] = expired.map(key => tombstone(group.groupId, key))
  if (dies(group, offsets, expired.length) && group.generationId > 0) records.push(groupTombstone(group.groupId))
  return records
}

/** Whether the group is nothing any more once `removed` of its offsets are gone: empty, no offsets, nobody about to join. */
export function dies(group: ClassicGroup, offsets: GroupOffsets, removed: number): boolean {
  if (group.state !== 'Empty' && group.state !== 'Dead') return false
  if (group.pendingMembers.size > 0) return false
  return offsets.isEmptyWithout(removed)
}

/** The tombstone of one offset. */
export function tombstone(groupId: string, key: { topic: string; partition: number }): GroupRecord {
  return { kind: 'offsetCommit', groupId, topic: key.topic, partition: key.partition, value: null }
}

type ExpiryBase = (offset: CommittedOffset) => number

function expiryBase(group: ClassicGroup): ExpiryBase | undefined {
  const sinceCommit: ExpiryBase = offset => offset.commitTimestamp
  if (group.protocolType === undefined) return sinceCommit
  if (group.state === 'Empty') {
    const sinceEmpty = group.stateTimestamp
    // Records before version 2 do not tell when the group became empty.
    return sinceEmpty === undefined ? sinceCommit : () => sinceEmpty
  }
  const isReader = group.protocolType === CONSUMER_PROTOCOL_TYPE && group.subscribedTopics !== undefined
  return isReader && group.state === 'Stable' ? sinceCommit : undefined
}

function expiredOffsets(
  group: ClassicGroup,
  offsets: GroupOffsets,
  context: ExpiryContext & { readonly since: ExpiryBase },
): { topic: string; partition: number }[] {
  const inUse = group.state === 'Stable' ? group.subscribedTopics : undefined
  const expired: { topic: string; partition: number }[] = []
  for (const topic of offsets.topics()) {
    if (inUse?.has(topic)) continue
    for (const [partition, offset] of offsets.partitions(topic)) {
      const isOld =
        offset.expireTimestamp === -1
          ? context.now - context.since(offset) >= context.retentionMs
          : context.now >= offset.expireTimestamp
      if (isOld && !offsets.isAppending(topic, partition)) expired.push({ topic, partition })
    }
  }
  return expired
}
