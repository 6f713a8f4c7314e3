import { ErrorCode, type ErrorName } from '../../protocol/index.ts'
import type { CoordinatorRuntime } from '../runtime/coordinator-runtime.ts'
import { partitionForKey } from '../runtime/partition-for-key.ts'
import type { GroupRecord } from './group-record.ts'
import type { GroupShard } from './group-shard.ts'

export type GroupRuntime = CoordinatorRuntime<GroupShard, GroupRecord>

/** Longer names fit into no record: their length is an int16 there. */
const MAX_NAME_LENGTH = 10_000

/** Finds the partition that a group lives in, and whether it can be asked. */
export class GroupLookup {
  readonly runtime: GroupRuntime
  readonly #partitions: number

  constructor(runtime: GroupRuntime, partitions: number) {
    this.runtime = runtime
    this.#partitions = partitions
  }

  /** The partition of `__consumer_offsets` that holds the group. */
  partitionFor(groupId: string): number {
    return partitionForKey(groupId, this.#partitions)
  }

  /**
   * Why the group cannot be asked here now; undefined when it can. The empty id is a group of its own for those who
   * only store offsets, and for administrators; members need a name.
   */
  errorOf(groupId: string, rules: { readonly mayBeEmpty: boolean }): ErrorName | undefined {
    if (groupId === '' && !rules.mayBeEmpty) return 'INVALID_GROUP_ID'
    if (groupId.length > MAX_NAME_LENGTH) return 'INVALID_GROUP_ID'
    return this.runtime.errorOf(this.partitionFor(groupId))
  }

  /** The shard of a group for which {@link errorOf} said nothing. */
  shardOf(groupId: string): GroupShard {
    return this.runtime.read(this.partitionFor(groupId))
  }
}

/** Whether a name can be written into a record. */
export function isStorable(...names: readonly (string | null)[]): boolean {
  return names.every(name => name === null || name.length <= MAX_NAME_LENGTH)
}

/** Number of an error, 0 without one. */
export function numberOf(error: ErrorName | undefined): number {
  return error === undefined ? ErrorCode.NONE : ErrorCode[error]
}
