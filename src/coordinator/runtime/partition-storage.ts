/**
 * How a coordinator reaches the log of its topic. The broker implements both over its replicas; tests in memory. A
 * coordinator never sees logs, replicas or disks.
 */

/** Appends to the partitions of a coordinator's topic. */
export interface PartitionWriter {
  /**
   * Appends one batch (format 2, offsets from 0) as the partition's leader and resolves with the offset that its first
   * record got, once all in-sync replicas have it: `acks=all`. Appends to one partition resolve in the order of the
   * calls.
   *
   * @throws (rejects with) KafkaError: NOT_LEADER_OR_FOLLOWER, NOT_ENOUGH_REPLICAS, REQUEST_TIMED_OUT,
   * MESSAGE_TOO_LARGE, KAFKA_STORAGE_ERROR and what else an append can meet.
   */
  append(partition: number, batch: Uint8Array): Promise<number>
}

/** Reads the partitions of a coordinator's topic from their start. */
export interface PartitionLoader {
  /**
   * The log of the partition from its start to its end at the time of the call, as chunks of whole batches. Ends early
   * when the partition is no longer led here.
   */
  load(partition: number): AsyncIterable<Uint8Array>
}

/** What {@link readLog} needs of a partition's log; `Log` of the storage layer fits. */
export interface ReadableLog {
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Whole batches from the one that holds `startOffset`; at least one, however large, with `minOneMessage`. */
  read(
    startOffset: number,
    limits: { readonly maxBytes: number; readonly maxOffset: number; readonly minOneMessage: boolean },
  ): { readonly chunks: readonly Uint8Array[] }
}
