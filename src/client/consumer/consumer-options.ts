import type { ClientParts, ConfigInput } from '../client-options.ts'
import type { Serde } from '../serializers.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { PartitionAssignor } from './assignors/assignor.ts'
import type { consumerKeys } from './consumer-config.ts'
import type { ConsumerRecord } from './consumer-record.ts'

/** Settings of a consumer. */
export interface ConsumerOptions<K = Uint8Array, V = Uint8Array> extends ConfigInput<typeof consumerKeys>, ClientParts {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
  /** Assignors of your own, preferred to those that are named in `partition.assignment.strategy`. */
  readonly assignors?: readonly PartitionAssignor[]
  /** Partitions came: told before anything of them is read, so that a `seek` here says where to begin. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void
  /**
   * Partitions go, to another member or because the consumer closes; their offsets are committed after this. It may itself `unsubscribe`
   * or `close` the consumer.
   */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  /** Partitions are gone already: the group took them. */
  readonly onLost?: (partitions: readonly TopicPartition[]) => void
}

/** How long one waits for an answer, unless a signal ends it. */
export interface WaitOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** How long a loop over batches goes on. */
export interface BatchesOptions {
  /** Ends the loop when the batch in hand is done, or at once while it waits for one. The consumer stays open: it can commit, and read on. */
  readonly signal?: AbortSignal
}

/** Records of one partition, a batch of their producer's at the most. */
export interface ConsumerBatch<K, V> extends TopicPartition {
  readonly records: readonly ConsumerRecord<K, V>[]
  readonly highWatermark: number
}
