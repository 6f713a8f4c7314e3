import * as p from '../../../src/protocol/everything.ts'

/** A member as the leader of its group sees it. */
export interface Subscriber {
  readonly memberId: string
  readonly metadata: Uint8Array
}

/** What a member sends as it joins: what it reads, and what it keeps while it asks. */
export function subscription(topic: string, keeps: readonly number[]): Uint8Array {
  const ownedPartitions = keeps.length === 0 ? [] : [{ topic, partitions: [...keeps] }]
  return versioned(1, p.encodeMessageBytes(p.ConsumerProtocolSubscription, 1, { topics: [topic], ownedPartitions }))
}

/** Every partition to one member, in turns; what another keeps, to nobody, until that one has let it go. */
export function assign(
  topic: string,
  partitions: number,
  subscribers: readonly Subscriber[],
): { readonly memberId: string; readonly assignment: Uint8Array }[] {
  const members = [...subscribers].sort((one, other) => (one.memberId < other.memberId ? -1 : 1))
  const holders = new Map<number, string>()
  for (const { memberId, metadata } of members) for (const kept of keptOf(metadata)) holders.set(kept, memberId)
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  return members.map(({ memberId }, index) => {
    const own = all.filter(
      partition => partition % members.length === index && (holders.get(partition) ?? memberId) === memberId,
    )
    const assignedPartitions = [{ topic, partitions: own }]
    return {
      memberId,
      assignment: versioned(0, p.encodeMessageBytes(p.ConsumerProtocolAssignment, 0, { assignedPartitions })),
    }
  })
}

/** The partitions that an assignment gives. */
export function assigned(assignment: Uint8Array): number[] {
  const reader = new p.ByteReader(assignment.subarray(2))
  const { assignedPartitions } = p.decodeMessage(p.ConsumerProtocolAssignment, 0, reader)
  return assignedPartitions.flatMap(({ partitions }) => partitions)
}

function keptOf(metadata: Uint8Array): number[] {
  const reader = new p.ByteReader(metadata.subarray(2))
  const { ownedPartitions } = p.decodeMessage(p.ConsumerProtocolSubscription, 1, reader)
  return ownedPartitions.flatMap(({ partitions }) => partitions)
}

/** What is embedded in group requests has its version before it. */
function versioned(version: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([0, version]), bytes])
}
