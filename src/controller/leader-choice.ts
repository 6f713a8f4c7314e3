import type { PartitionImage } from '../metadata/index.ts'
import { KafkaError } from '../protocol/index.ts'

/** What may be known of brokers when a leader is chosen. */
export interface LeaderChoice {
  readonly isAlive: (brokerId: number) => boolean
  readonly controllerEpoch: number
}

const FAILED = 'Failed to elect leader for partition'

/**
 * The partition with its preferred replica (the first) as leader. Throws ELECTION_NOT_NEEDED when it leads already, and
 * PREFERRED_LEADER_NOT_AVAILABLE when it is not alive and in sync.
 */
export function choosePreferredLeader(partition: PartitionImage, choice: LeaderChoice): PartitionImage {
  const preferred = partition.replicas[0] ?? -1
  if (partition.leader === preferred) throw notNeeded()
  if (!choice.isAlive(preferred) || !partition.isr.includes(preferred)) {
    throw new KafkaError('PREFERRED_LEADER_NOT_AVAILABLE', `${FAILED}: its preferred replica is not in sync and alive`)
  }
  return led(partition, preferred, choice)
}

/**
 * The partition led by a live replica even when none in sync is alive, which loses what only the others have. Throws
 * ELECTION_NOT_NEEDED when a live leader is there, ELIGIBLE_LEADERS_NOT_AVAILABLE when no replica is alive.
 */
export function chooseAnyLeader(partition: PartitionImage, choice: LeaderChoice): PartitionImage {
  if (partition.leader >= 0 && choice.isAlive(partition.leader)) throw notNeeded()
  const leader = firstLive(partition, choice) ?? partition.replicas.find(choice.isAlive)
  if (leader === undefined) {
    throw new KafkaError('ELIGIBLE_LEADERS_NOT_AVAILABLE', `${FAILED}: none of its replicas is alive`)
  }
  return led(partition, leader, choice)
}

/**
 * The partition led by a live replica in sync, or by any live one where `unclean` allows it; undefined when there is
 * nobody, or when its leader is alive.
 */
export function chooseLeaderWhenOffline(
  partition: PartitionImage,
  choice: LeaderChoice & { readonly unclean: boolean },
): PartitionImage | undefined {
  if (partition.leader >= 0 && choice.isAlive(partition.leader)) return undefined
  const leader = firstLive(partition, choice) ?? (choice.unclean ? partition.replicas.find(choice.isAlive) : undefined)
  return leader === undefined ? undefined : led(partition, leader, choice)
}

/** The partition with the same leader in the next epoch: what the leader had not written down is nobody's any more. */
export function renewEpoch(partition: PartitionImage, { controllerEpoch }: LeaderChoice): PartitionImage {
  return {
    ...partition,
    controllerEpoch,
    leaderEpoch: partition.leaderEpoch + 1,
    partitionEpoch: partition.partitionEpoch + 1,
  }
}

function firstLive({ replicas, isr }: PartitionImage, { isAlive }: LeaderChoice): number | undefined {
  return replicas.find(brokerId => isr.includes(brokerId) && isAlive(brokerId))
}

function led(partition: PartitionImage, leader: number, choice: LeaderChoice): PartitionImage {
  const inSync = partition.isr.filter(brokerId => choice.isAlive(brokerId))
  return {
    ...renewEpoch(partition, choice),
    leader,
    isr: inSync.includes(leader) ? inSync : [leader],
  }
}

function notNeeded(): KafkaError {
  return new KafkaError('ELECTION_NOT_NEEDED', 'Leader election not needed for topic partition.')
}
