import { KafkaError } from '../../protocol/index.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import { AssignedPartition } from './assigned-partition.ts'

/** What a consumer reads now, by {@link partitionKey}. */
export class AssignedPartitions<K, V> {
  readonly #byKey = new Map<string, AssignedPartition<K, V>>()

  get size(): number {
    return this.#byKey.size
  }

  values(): Iterable<AssignedPartition<K, V>> {
    return this.#byKey.values()
  }

  /** Undefined for one that is not read. */
  find(place: TopicPartition): AssignedPartition<K, V> | undefined {
    return this.#byKey.get(partitionKey(place))
  }

  /** @throws KafkaError INVALID_REQUEST for one that is not read */
  get(place: TopicPartition): AssignedPartition<K, V> {
    const known = this.find(place)
    if (known) return known
    throw new KafkaError('INVALID_REQUEST', `${partitionKey(place)} is not assigned to this consumer`)
  }

  /** The places of all, or of those that `isMeant`. */
  places(isMeant: (partition: AssignedPartition<K, V>) => boolean = () => true): TopicPartition[] {
    return [...this.#byKey.values()].filter(isMeant).map(({ topic, partition }) => ({ topic, partition }))
  }

  add(places: readonly TopicPartition[]): void {
    for (const one of places) this.#byKey.set(partitionKey(one), new AssignedPartition(one))
  }

  /** What is left of them counts for nothing. */
  drop(places: readonly TopicPartition[]): void {
    for (const one of places) {
      const known = this.find(one)
      if (known) known.isOurs = false
      this.#byKey.delete(partitionKey(one))
    }
  }
}
