import type { TopicPartition } from '../../topic-partition.ts'
import { type PartitionAssignor, subscribersOf } from './assignor.ts'

/**
 * Each topic by itself: its partitions in order, cut into one range for each of its members; the first members get one
 * more where it does not divide (Java's `RangeAssignor`). Topics with equally many partitions are spread alike, so that the same
 * keys of both meet in one member.
 */
export const rangeAssignor: PartitionAssignor = {
  name: 'range',
  protocols: ['eager'],
  assign({ members, partitionCounts }) {
    const assigned = new Map<string, TopicPartition[]>([...members.keys()].map(memberId => [memberId, []]))
    for (const [topic, count] of partitionCounts) {
      const subscribers = subscribersOf(topic, members)
      const size = Math.floor(count / subscribers.length)
      const oneMore = count % subscribers.length
      let next = 0
      for (const [index, memberId] of subscribers.entries()) {
        const end = next + size + (index < oneMore ? 1 : 0)
        for (; next < end; next++) assigned.get(memberId)?.push({ topic, partition: next })
      }
    }
    return assigned
  },
}
