import { ByteReader, decodeMessage, decodeWithVersion, encodeWithVersion } from '../../protocol/index.ts'
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../protocol/messages/data/group-records.ts'
import type { EncodedRecord } from '../runtime/coordinator-runtime.ts'
import { type ClassicGroup, metadataFor, NO_BYTES } from './classic-group.ts'

/**
 * The records of `__consumer_offsets`: what a classic group is and which offsets it has committed. A key's first two
 * bytes, its version, tell the kind: 0 and 1 an offset, 2 a group. A null value takes the thing away. Values are
 * written in the versions that Kafka 3.9 writes, the newest that older brokers and tools read.
 */
export type GroupRecord = GroupMetadataRecord | OffsetCommitRecord

/** A group at the time of an assignment, or when it became empty; null when it is deleted. */
export interface GroupMetadataRecord {
  readonly kind: 'groupMetadata'
  readonly groupId: string
  readonly value: GroupMetadataValue | null
}

/** An offset of a group for a partition; null when it expired or was deleted. */
export interface OffsetCommitRecord {
  readonly kind: 'offsetCommit'
  readonly groupId: string
  readonly topic: string
  readonly partition: number
  readonly value: OffsetCommitValue | null
}

const OFFSET_KEY_VERSION = 1
const GROUP_KEY_VERSION = 2
const GROUP_VALUE_VERSION = 3
/** With a leader epoch, without an expiry of its own. */
const OFFSET_VALUE_VERSION = 3
/** The only one with an expiry of its own (commits of OffsetCommit v2 to v4 that ask for a retention). */
const EXPIRING_OFFSET_VALUE_VERSION = 1

/** The record of `group` with the assignment of each member; members without one get none. */
export function groupMetadataRecord(
  group: ClassicGroup,
  assignment: ReadonlyMap<string, Uint8Array>,
): GroupMetadataRecord {
  return {
    kind: 'groupMetadata',
    groupId: group.groupId,
    value: {
      protocolType: group.protocolType ?? '',
      generation: group.generationId,
      protocol: group.protocolName ?? null,
      leader: group.leaderId ?? null,
      currentStateTimestamp: group.stateTimestamp ?? -1,
      members: Array.from(group.members.values(), member => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: metadataFor(member, group.protocolName),
        assignment: assignment.get(member.memberId) ?? NO_BYTES,
      })),
    },
  }
}

/** The record that takes a group away. */
export function groupTombstone(groupId: string): GroupMetadataRecord {
  return { kind: 'groupMetadata', groupId, value: null }
}

/** Key and value as they go into the log. */
export function encodeGroupRecord(record: GroupRecord): EncodedRecord {
  if (record.kind === 'groupMetadata') {
    return {
      key: encodeWithVersion(GroupMetadataKey, GROUP_KEY_VERSION, { group: record.groupId }),
      value: record.value && encodeWithVersion(GroupMetadataValue, GROUP_VALUE_VERSION, record.value),
    }
  }
  const { groupId, topic, partition, value } = record
  const version = value?.expireTimestamp === -1 ? OFFSET_VALUE_VERSION : EXPIRING_OFFSET_VALUE_VERSION
  return {
    key: encodeWithVersion(OffsetCommitKey, OFFSET_KEY_VERSION, { group: groupId, topic, partition }),
    value: value && encodeWithVersion(OffsetCommitValue, version, value),
  }
}

/**
 * What {@link encodeGroupRecord} and every Kafka since 0.8.2 has written; undefined for keys of a later kind, which a
 * newer Kafka may have left behind.
 *
 * @throws MalformedError, KafkaError UNSUPPORTED_VERSION for bytes that are no such record.
 */
export function decodeGroupRecord(key: Uint8Array, value: Uint8Array | null): GroupRecord | undefined {
  const reader = new ByteReader(key)
  const keyVersion = reader.int16()
  if (keyVersion === GROUP_KEY_VERSION) {
    const { group } = decodeMessage(GroupMetadataKey, keyVersion, reader)
    return { kind: 'groupMetadata', groupId: group, value: value && decodeGroupValue(value) }
  }
  if (keyVersion < 0 || keyVersion > OFFSET_KEY_VERSION) return undefined
  const { group, topic, partition } = decodeMessage(OffsetCommitKey, keyVersion, reader)
  const decoded = value && decodeWithVersion(OffsetCommitValue, value).message
  return { kind: 'offsetCommit', groupId: group, topic, partition, value: decoded }
}

function decodeGroupValue(value: Uint8Array): GroupMetadataValue {
  const { version, message } = decodeWithVersion(GroupMetadataValue, value)
  if (version > 0) return message
  // Before KIP-62 the session timeout was also the limit of a rebalance.
  const members = message.members.map(member => ({ ...member, rebalanceTimeout: member.sessionTimeout }))
  return { ...message, members }
}
