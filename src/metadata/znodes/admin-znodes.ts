import { encodeJson, ZnodeObject } from './znode-json.ts'
import { ZnodePath } from './znode-paths.ts'

/** A partition by name. */
export interface NamedPartition {
  readonly topic: string
  readonly partition: number
}

/** A partition and the replicas that it shall have. */
export interface RequestedAssignment extends NamedPartition {
  readonly replicas: readonly number[]
}

/** `/admin/reassign_partitions`: what old tools ask for. */
export function encodeReassignment(partitions: readonly RequestedAssignment[]): Uint8Array {
  return encodeJson({
    version: 1,
    partitions: partitions.map(({ topic, partition, replicas }) => ({ topic, partition, replicas })),
  })
}

/** Reads `/admin/reassign_partitions`. */
export function decodeReassignment(data: Uint8Array | null): readonly RequestedAssignment[] {
  return ZnodeObject.parse(ZnodePath.reassignPartitions, data)
    .objects('partitions')
    .map(item => ({ ...namedPartition(item), replicas: item.ints('replicas') }))
}

/** `/admin/preferred_replica_election`, and `/isr_change_notification/isr_change_N`. */
export function encodePartitionList(partitions: readonly NamedPartition[]): Uint8Array {
  return encodeJson({ version: 1, partitions: partitions.map(({ topic, partition }) => ({ topic, partition })) })
}

/** Reads what {@link encodePartitionList} writes. */
export function decodePartitionList(path: string, data: Uint8Array | null): readonly NamedPartition[] {
  return ZnodeObject.parse(path, data).objects('partitions').map(namedPartition)
}

function namedPartition(json: ZnodeObject): NamedPartition {
  return { topic: json.string('topic'), partition: json.int('partition') }
}

/** `/log_dir_event_notification/log_dir_event_N`: a log directory of the broker has failed (KIP-112). */
export function encodeLogDirEvent(brokerId: number): Uint8Array {
  return encodeJson({ version: 1, broker: brokerId, event: 1 })
}

/** Reads a log directory event; gives the broker. */
export function decodeLogDirEvent(path: string, data: Uint8Array | null): number {
  return ZnodeObject.parse(path, data).int('broker')
}
