/**
 * What consumers of classic groups tell each other through the broker, which does not look into it (Java's ConsumerProtocol). Whoever is
 * in the group may have sent anything.
 */
import { ByteReader, decodeMessage, KafkaError, type MessageOf, type Schema } from '../../protocol/index.ts'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
} from '../../protocol/messages/data/consumer-protocol.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { MemberSubscription } from './assignors/assignor.ts'

/** Topics and partitions in what one member sent: beyond this it is no subscription of anybody. */
const MAX_ELEMENTS = 2 ** 20

/** What a member wants that cannot be understood. */
const NOTHING: MemberSubscription = {
  topics: [],
  userData: null,
  ownedPartitions: [],
  generationId: -1,
  rackId: null,
}

/** What a member told its leader; undefined where it cannot be read. Topics that it names twice are there once. */
export function readSubscription(bytes: Uint8Array): MemberSubscription | undefined {
  const message = read(ConsumerProtocolSubscription, bytes)
  if (message === undefined) return undefined
  const { topics, userData, ownedPartitions, generationId, rackId } = message
  return { topics: [...new Set(topics)], userData, ownedPartitions: flat(ownedPartitions), generationId, rackId }
}

/** The same of all members; those that cannot be read want nothing, and are named to `unreadable`. */
export function readSubscriptions(
  members: readonly { readonly memberId: string; readonly metadata: Uint8Array }[],
  unreadable: (memberId: string) => void,
): Map<string, MemberSubscription> {
  return new Map(
    members.map(({ memberId, metadata }) => {
      const subscription = readSubscription(metadata)
      if (subscription === undefined) unreadable(memberId)
      return [memberId, subscription ?? NOTHING]
    }),
  )
}

/** What a leader gave a member; undefined where it cannot be read, nothing where there are no bytes. */
export function readAssignment(bytes: Uint8Array): TopicPartition[] | undefined {
  if (bytes.length === 0) return []
  const message = read(ConsumerProtocolAssignment, bytes)
  return message && flat(message.assignedPartitions)
}

/** Versions that came after ours begin like the last that we know. */
function read<S extends Schema>(schema: S, bytes: Uint8Array): MessageOf<S> | undefined {
  try {
    const reader = new ByteReader(bytes)
    reader.limitElements(MAX_ELEMENTS)
    const version = Math.min(reader.int16(), schema.versions.max)
    return decodeMessage(schema, version, reader)
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
}

const flat = (
  topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): TopicPartition[] => topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
