import { ByteReader, ByteWriter, KafkaError } from '../../../protocol/index.ts'
import { partitionKey, type TopicPartition } from '../../topic-partition.ts'
import type { GroupAssignment, GroupSubscription, MemberSubscription, PartitionAssignor } from './assignor.ts'
import { type PreviousOwnership, stickyBalance } from './sticky-balance.ts'

/**
 * Even, and moving as little as possible (Java's `StickyAssignor`). Members tell what they had in their user data, since they have
 * given it up by then.
 */
export const stickyAssignor: PartitionAssignor = {
  name: 'sticky',
  protocols: ['eager'],
  userData: encodeOwned,
  assign: group =>
    stickyBalance(
      group,
      previousOf(group, ({ userData }) => decodeOwned(userData)),
    ),
}

/**
 * As `sticky`, but members go on reading what they keep (KIP-429, Java's `CooperativeStickyAssignor`). A partition that is to change
 * hands is given to nobody yet: its owner lets go of it, and the rebalance after that gives it to the new one.
 */
export const cooperativeStickyAssignor: PartitionAssignor = {
  name: 'cooperative-sticky',
  protocols: ['eager', 'cooperative'],
  userData: (_, generationId) => {
    const writer = new ByteWriter()
    writer.int32(generationId)
    return writer.finish()
  },
  assign(group) {
    const previous = previousOf(group, ({ ownedPartitions, generationId, userData }) => ({
      owned: ownedPartitions,
      generationId: generationId >= 0 ? generationId : decodeGeneration(userData),
    }))
    return withoutTransfers(stickyBalance(group, previous), group)
  },
}

function withoutTransfers(wanted: Map<string, TopicPartition[]>, { members }: GroupSubscription): GroupAssignment {
  const given = [...wanted.values()].flat().map(partitionKey)
  const owners = new Map(given.map(key => [key, new Set<string>()]))
  for (const [memberId, { ownedPartitions }] of members) {
    for (const owned of ownedPartitions) owners.get(partitionKey(owned))?.add(memberId)
  }
  const isFree = (partition: TopicPartition, memberId: string): boolean => {
    const others = owners.get(partitionKey(partition))
    return others === undefined || others.size === 0 || (others.size === 1 && others.has(memberId))
  }
  return new Map(
    [...wanted].map(([memberId, partitions]) => [memberId, partitions.filter(one => isFree(one, memberId))]),
  )
}

/** Topics and partitions that a member may claim to have had. */
const MAX_ELEMENTS = 2 ** 20

interface Ownership {
  readonly owned: readonly TopicPartition[]
  readonly generationId: number
}

function previousOf(group: GroupSubscription, ownership: (member: MemberSubscription) => Ownership): PreviousOwnership {
  return new Map([...group.members].map(([memberId, member]) => [memberId, ownership(member)]))
}

/** Java's format: topics with their partitions, then the generation. */
function encodeOwned(owned: readonly TopicPartition[], generationId: number): Uint8Array {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of owned) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
  const writer = new ByteWriter()
  writer.arrayLength(byTopic.size)
  for (const [topic, partitions] of byTopic) {
    writer.string(topic)
    writer.arrayLength(partitions.length)
    for (const partition of partitions) writer.int32(partition)
  }
  writer.int32(generationId)
  return writer.finish()
}

/** What a member's user data says it had. What cannot be read counts as nothing: it costs only that partitions move. */
function decodeOwned(userData: Uint8Array | null): Ownership {
  if (userData === null || userData.length === 0) return { owned: [], generationId: -1 }
  try {
    const reader = new ByteReader(userData)
    reader.limitElements(MAX_ELEMENTS)
    const owned: TopicPartition[] = []
    for (let topics = reader.arrayLength(6); topics > 0; topics--) {
      const topic = reader.string()
      for (let count = reader.arrayLength(4); count > 0; count--) owned.push({ topic, partition: reader.int32() })
    }
    return { owned, generationId: reader.remaining >= 4 ? reader.int32() : -1 }
  } catch (error) {
    if (error instanceof KafkaError) return { owned: [], generationId: -1 }
    throw error
  }
}

function decodeGeneration(userData: Uint8Array | null): number {
  return userData !== null && userData.length >= 4 ? new ByteReader(userData).int32() : -1
}
