import { ByteReader, decodeMessage } from '../../protocol/index.ts'
import { ConsumerProtocolSubscription } from '../../protocol/messages/data/consumer-protocol.ts'
import { type ClassicGroup, CONSUMER_PROTOCOL_TYPE, metadataFor } from './classic-group.ts'

const NO_TOPICS: ReadonlySet<string> = new Set()

/**
 * The topics that the members of a `consumer` group subscribe to. Undefined where that is not known: another protocol
 * type, no protocol chosen yet, or metadata that is not a subscription. Whoever asks must then take every topic for
 * subscribed, so that nothing which is in use expires.
 */
export function subscribedTopics(
  group: Pick<ClassicGroup, 'members' | 'protocolName' | 'protocolType'>,
): ReadonlySet<string> | undefined {
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined
  if (group.members.size === 0) return NO_TOPICS
  if (group.protocolName === undefined) return undefined
  const topics = new Set<string>()
  try {
    for (const member of group.members.values()) {
      for (const topic of topicsOf(metadataFor(member, group.protocolName))) topics.add(topic)
    }
  } catch {
    // Clients may put anything there; the group works without the coordinator understanding it.
    return undefined
  }
  return topics
}

/** Version 0 is the beginning of every version, those yet to come too. */
function topicsOf(metadata: Uint8Array): readonly string[] {
  const reader = new ByteReader(metadata)
  if (reader.int16() < 0) throw new RangeError('a subscription with a negative version')
  return decodeMessage(ConsumerProtocolSubscription, 0, reader).topics
}
