import type { Random } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'

/** A broker that replicas may be put on. */
export interface PlacementBroker {
  readonly brokerId: number
  readonly rack: string | null
}

/** What is to be placed. */
export interface PlacementRequest {
  readonly brokers: readonly PlacementBroker[]
  readonly partitions: number
  readonly replicationFactor: number
  /** Number of the first partition; default 0. */
  readonly firstPartition?: number
  /** Position among the brokers where partition 0 begins, and the first shift; default drawn from `random`. */
  readonly start?: number
  readonly random: Random
}

/**
 * Broker ids for each new partition, the preferred leader first, as Kafka's AdminUtils spreads them: leaders go round
 * the brokers; followers stand at a distance from their leader that grows by one with each round, so that the load of a
 * lost broker falls on all others. When every broker has a rack, brokers of alternating racks are gone round and no
 * rack gets a second replica before each has one.
 *
 * Throws INVALID_PARTITIONS and INVALID_REPLICATION_FACTOR.
 */
export function placeReplicas(request: PlacementRequest): readonly (readonly number[])[] {
  const { brokers, partitions, replicationFactor } = request
  if (partitions <= 0) throw new KafkaError('INVALID_PARTITIONS', 'Number of partitions must be larger than 0.')
  if (replicationFactor <= 0) {
    throw new KafkaError('INVALID_REPLICATION_FACTOR', 'Replication factor must be larger than 0.')
  }
  if (replicationFactor > brokers.length) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `Replication factor: ${replicationFactor} larger than available brokers: ${brokers.length}.`,
    )
  }
  const sorted = brokers.toSorted((a, b) => a.brokerId - b.brokerId)
  // Racks on some brokers only say nothing about the others.
  const byRack = sorted.every(({ rack }) => rack !== null)
  const ring = byRack ? alternateRacks(sorted) : sorted
  const racks = byRack ? new Set(sorted.map(({ rack }) => rack)).size : 0
  const start = request.start ?? request.random.below(ring.length)
  let shift = request.start ?? request.random.below(ring.length)
  const first = request.firstPartition ?? 0
  return Array.from({ length: partitions }, (_, index) => {
    const partition = first + index
    if (partition > 0 && partition % ring.length === 0) shift += 1
    const leader = (partition + start) % ring.length
    return placePartition(ring, { leader, replicationFactor, shift, racks })
  })
}

function placePartition(
  ring: readonly PlacementBroker[],
  at: {
    readonly leader: number
    readonly replicationFactor: number
    readonly shift: number
    /** 0: racks do not count. */
    readonly racks: number
  },
): readonly number[] {
  const first = ring[at.leader]
  if (!first) throw new RangeError('no brokers')
  const chosen = new Set([first.brokerId])
  const usedRacks = new Set([first.rack])
  const shift = at.racks > 0 ? at.shift * at.racks : at.shift
  for (let step = 0; chosen.size < at.replicationFactor; step += 1) {
    const distance = 1 + ((shift + step) % (ring.length - 1))
    const broker = ring[(at.leader + distance) % ring.length]
    if (!broker || chosen.has(broker.brokerId)) continue
    if (at.racks > 0 && usedRacks.has(broker.rack) && usedRacks.size < at.racks) continue
    chosen.add(broker.brokerId)
    usedRacks.add(broker.rack)
  }
  return [...chosen]
}

/** One broker of each rack in turn, racks and brokers in order, until all are in the ring. */
function alternateRacks(sorted: readonly PlacementBroker[]): readonly PlacementBroker[] {
  const racks = [...new Set(sorted.map(({ rack }) => rack))].sort()
  const byRack = racks.map(rack => sorted.filter(broker => broker.rack === rack))
  const rounds = Math.max(...byRack.map(({ length }) => length))
  return Array.from({ length: rounds }, (_, round) => byRack.flatMap(brokers => brokers[round] ?? [])).flat()
}
