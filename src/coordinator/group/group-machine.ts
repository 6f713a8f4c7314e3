import type { StateMachine } from '../runtime/coordinator-runtime.ts'
import { decodeGroupRecord, encodeGroupRecord, type GroupRecord } from './group-record.ts'
import type { GroupShard } from './group-shard.ts'

/** Groups as the runtime sees them. */
export function groupMachine(create: (partition: number) => GroupShard): StateMachine<GroupShard, GroupRecord> {
  return {
    create,
    replay: (shard, record, position) => shard.replay(record, position),
    endTransaction: (shard, producerId, result) => shard.endTransaction(producerId, result),
    loaded: shard => shard.loaded(),
    unloaded: shard => shard.unloaded(),
    encode: encodeGroupRecord,
    decode: decodeGroupRecord,
  }
}
