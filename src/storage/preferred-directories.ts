import { partitionName, type TopicPartition } from './topic-partition.ts'

/** Wishes for the directories of partitions that do not exist. */
const MAX_PREFERRED = 10_000

/** Where partitions are to be made that do not exist yet (KIP-113). Of so many wishes the oldest go first. */
export class PreferredDirectories {
  readonly #byPartition = new Map<string, string>()

  prefer(topicPartition: TopicPartition, directory: string): void {
    const name = partitionName(topicPartition)
    this.#byPartition.delete(name)
    this.#byPartition.set(name, directory)
    if (this.#byPartition.size > MAX_PREFERRED) this.#byPartition.delete(this.#byPartition.keys().next().value!)
  }

  /** The directory for a partition that is being made now; the wish is forgotten. */
  take(topicPartition: TopicPartition): string | undefined {
    const name = partitionName(topicPartition)
    const directory = this.#byPartition.get(name)
    this.#byPartition.delete(name)
    return directory
  }
}
