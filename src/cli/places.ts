import type { Admin, Consumer, TopicPartition } from '../client/index.ts'
import type { Place } from './option-values.ts'

type Offset = TopicPartition & { readonly offset: number }

/** Looks up where partitions begin, end, or have their first record that is not older than a time; offset -1 where there is none. */
export type OffsetFinder = (
  partitions: readonly TopicPartition[],
  at: 'earliest' | 'latest' | number,
) => Promise<readonly Offset[]>

/** A consumer sees what its isolation level lets it see. */
export const consumerFinder =
  (consumer: Consumer): OffsetFinder =>
  (partitions, at) => {
    if (at === 'earliest') return consumer.beginningOffsets(partitions)
    if (at === 'latest') return consumer.endOffsets(partitions)
    return consumer.offsetsForTimes(partitions.map(one => ({ ...one, timestamp: at })))
  }

export const adminFinder =
  (admin: Admin): OffsetFinder =>
  (partitions, at) =>
    admin.listOffsets(partitions.map(one => ({ ...one, at })))

/** The offset of a place in each partition. A time that is later than all records stands for the end. */
export async function offsetsOf(
  find: OffsetFinder,
  partitions: readonly TopicPartition[],
  place: Place,
): Promise<Offset[]> {
  switch (place.at) {
    case 'offset':
      return partitions.map(one => ({ ...one, offset: place.offset }))
    case 'beginning':
      return (await find(partitions, 'earliest')).map(plain)
    case 'end':
      return (await find(partitions, 'latest')).map(plain)
    case 'before-end': {
      const [begins, ends] = await Promise.all([find(partitions, 'earliest'), find(partitions, 'latest')])
      const beginOf = new Map(begins.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]))
      return ends.map(({ topic, partition, offset }) => {
        const begin = beginOf.get(`${topic}-${partition}`) ?? 0
        return { topic, partition, offset: Math.max(begin, offset - place.count) }
      })
    }
    case 'time': {
      const times = await find(partitions, place.timestamp)
      const late = times.filter(({ offset }) => offset < 0).map(({ topic, partition }) => ({ topic, partition }))
      const ends = late.length === 0 ? [] : await find(late, 'latest')
      return [...times.filter(({ offset }) => offset >= 0), ...ends].map(plain)
    }
  }
}

const plain = ({ topic, partition, offset }: Offset): Offset => ({ topic, partition, offset })
