import { encodeJson, ZnodeObject } from './znode-json.ts'
import { ZnodePath } from './znode-paths.ts'

/** Content of `/brokers/topics/T/partitions/P/state`. */
export interface LeaderAndIsr {
  /** Broker id; -1 when no replica can lead. */
  readonly leader: number
  /** Grows with each change of leader. */
  readonly leaderEpoch: number
  /** Broker ids of the replicas in sync. */
  readonly isr: readonly number[]
  /** Epoch of the controller that wrote it. */
  readonly controllerEpoch: number
  /** A leader elected uncleanly is recovering what it can (KIP-704). */
  readonly isRecovering: boolean
}

/** `/brokers/topics/T/partitions/P/state` (version 1). */
export function encodePartitionState(state: LeaderAndIsr): Uint8Array {
  return encodeJson({
    controller_epoch: state.controllerEpoch,
    leader: state.leader,
    version: 1,
    leader_epoch: state.leaderEpoch,
    isr: state.isr,
    ...(state.isRecovering ? { leader_recovery_state: 1 } : {}),
  })
}

/** Reads `/brokers/topics/T/partitions/P/state`. */
export function decodePartitionState(topic: string, partition: number, data: Uint8Array | null): LeaderAndIsr {
  const json = ZnodeObject.parse(ZnodePath.partitionState(topic, partition), data)
  return {
    leader: json.int('leader'),
    leaderEpoch: json.int('leader_epoch'),
    isr: json.ints('isr'),
    controllerEpoch: json.int('controller_epoch'),
    isRecovering: json.int('leader_recovery_state', 0) === 1,
  }
}
