import type { TopicPartition } from '../../topic-partition.ts'
import { type PartitionAssignor, subscribersOf } from './assignor.ts'

/** All partitions of all topics in order, dealt to the members by turns (Java's `RoundRobinAssignor`). */
export const roundRobinAssignor: PartitionAssignor = {
  name: 'roundrobin',
  protocols: ['eager'],
  assign({ members, partitionCounts }) {
    const memberIds = [...members.keys()].sort()
    const assigned = new Map<string, TopicPartition[]>(memberIds.map(memberId => [memberId, []]))
    let turn = 0
    for (const topic of [...partitionCounts.keys()].sort()) {
      const subscribers = new Set(subscribersOf(topic, members))
      if (subscribers.size === 0) continue
      for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) {
        while (!subscribers.has(memberIds[turn % memberIds.length]!)) turn += 1
        assigned.get(memberIds[turn++ % memberIds.length]!)?.push({ topic, partition })
      }
    }
    return assigned
  },
}
