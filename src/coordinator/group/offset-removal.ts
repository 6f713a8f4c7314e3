import { type GroupRecord, groupTombstone } from './group-record.ts'
import type { GroupEntry, GroupShard } from './group-shard.ts'
import { dies, tombstone } from './offset-expiry.ts'

/** Records of one append; a group with very many offsets takes several. */
const RECORDS_PER_APPEND = 5_000

/**
 * Writes tombstones for committed offsets of the group, and for the group itself if nothing of it is left then.
 * Resolves with the number of offsets removed.
 *
 * @throws (rejects with) what the log refused an append with; the group then stands, with the offsets that are left.
 */
export async function removeOffsets(
  shard: GroupShard,
  entry: GroupEntry,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): Promise<number> {
  const present = distinct(partitions).filter(({ topic, partition }) => entry.offsets.get(topic, partition))
  const records = present.map(key => tombstone(entry.group.groupId, key))
  const removesGroup = dies(entry.group, entry.offsets, present.length)
  if (removesGroup && entry.group.generationId > 0) records.push(groupTombstone(entry.group.groupId))
  await write(shard, entry, { records, removesGroup })
  return present.length
}

/** Writes tombstones for all that there is of an empty group, what is still on its way into the log included. */
export async function removeGroup(shard: GroupShard, entry: GroupEntry): Promise<number> {
  const offsets = Array.from(entry.offsets.keys(), key => tombstone(entry.group.groupId, key))
  const records = entry.group.generationId > 0 ? [...offsets, groupTombstone(entry.group.groupId)] : offsets
  await write(shard, entry, { records, removesGroup: true })
  return offsets.length
}

/** Writes what `decideExpiry` decided. */
export async function write(
  shard: GroupShard,
  entry: GroupEntry,
  removal: { readonly records: readonly GroupRecord[]; readonly removesGroup: boolean },
): Promise<void> {
  const before = entry.group
  // Nobody shall join a group whose tombstone is being written.
  if (removal.removesGroup) entry.group = { ...before, state: 'Dead' }
  try {
    for (let from = 0; from < removal.records.length; from += RECORDS_PER_APPEND) {
      await shard.append(removal.records.slice(from, from + RECORDS_PER_APPEND))
    }
  } catch (error) {
    if (removal.removesGroup) entry.group = before
    throw error
  }
  if (removal.removesGroup) shard.forget(entry)
}

function distinct<Key extends { readonly topic: string; readonly partition: number }>(keys: readonly Key[]): Key[] {
  return [...new Map(keys.map(key => [`${key.partition} ${key.topic}`, key])).values()]
}
