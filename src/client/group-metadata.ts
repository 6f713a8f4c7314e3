/** A consumer's place in its group, so that one that has been put out commits nothing (KIP-447). From outside of a group just its id. */
export interface GroupMetadata {
  readonly groupId: string
  readonly generationId?: number
  readonly memberId?: string
  readonly groupInstanceId?: string | null
}

/** The same with what stands for somebody who is no member. */
export function placeIn(group: GroupMetadata): Required<GroupMetadata> {
  const { groupId, generationId = -1, memberId = '', groupInstanceId = null } = group
  return { groupId, generationId, memberId, groupInstanceId }
}
