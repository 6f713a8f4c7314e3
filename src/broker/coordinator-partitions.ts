import { type PartitionLoader, type PartitionWriter, readLog } from '../coordinator/index.ts'
import { ErrorCode, KafkaError } from '../protocol/index.ts'
import type { ReplicaManager } from '../replication/index.ts'

/** How a coordinator reads and writes its topic. */
export interface CoordinatorPartitionsOptions {
  readonly topic: string
  readonly replicas: ReplicaManager
  /** How long an append waits for the other replicas. */
  readonly appendTimeoutMs: number
  /** Bytes that one step of a load reads. */
  readonly loadBufferBytes: number
}

/** Gives a coordinator the partitions of its topic, over the replicas that this broker hosts. */
export class CoordinatorPartitions implements PartitionWriter, PartitionLoader {
  readonly #options: CoordinatorPartitionsOptions

  constructor(options: CoordinatorPartitionsOptions) {
    this.#options = options
  }

  async append(partition: number, batch: Uint8Array): Promise<number> {
    const { topic, replicas, appendTimeoutMs } = this.#options
    const [result] = await replicas.appendRecords({
      acks: -1,
      timeoutMs: appendTimeoutMs,
      origin: 'coordinator',
      allowInternalTopics: true,
      entries: [{ topic, partition, records: batch }],
    })
    if (!result) throw new KafkaError('UNKNOWN_SERVER_ERROR')
    if (result.errorCode !== ErrorCode.NONE) {
      throw KafkaError.fromCode(result.errorCode, result.errorMessage ?? undefined)
    }
    return result.baseOffset
  }

  async *load(partition: number): AsyncIterable<Uint8Array> {
    const { topic, replicas, loadBufferBytes } = this.#options
    const hosted = replicas.partition(topic, partition)
    if (hosted.log) yield* readLog(hosted.log, { bufferBytes: loadBufferBytes, goesOn: () => hosted.isLeader })
  }
}
