import { type PartitionLoader, type PartitionWriter, readLog } from '../coordinator/index.ts'
import { ErrorCode, KafkaError } from '../protocol/index.ts'
import type { ReplicaManager } from '../replication/index.ts'

/** How long an append of a coordinator waits for the other replicas. */
const APPEND_TIMEOUT_MS = 5_000

/** Gives a coordinator the partitions of its topic, over the replicas that this broker hosts. */
export class CoordinatorPartitions implements PartitionWriter, PartitionLoader {
  readonly #topic: string
  readonly #replicas: ReplicaManager

  constructor(topic: string, replicas: ReplicaManager) {
    this.#topic = topic
    this.#replicas = replicas
  }

  async append(partition: number, batch: Uint8Array): Promise<number> {
    const [result] = await this.#replicas.appendRecords({
      acks: -1,
      timeoutMs: APPEND_TIMEOUT_MS,
      origin: 'coordinator',
      allowInternalTopics: true,
      entries: [{ topic: this.#topic, partition, records: batch }],
    })
    if (!result) throw new KafkaError('UNKNOWN_SERVER_ERROR')
    if (result.errorCode !== ErrorCode.NONE) {
      throw KafkaError.fromCode(result.errorCode, result.errorMessage ?? undefined)
    }
    return result.baseOffset
  }

  async *load(partition: number): AsyncIterable<Uint8Array> {
    const hosted = this.#replicas.partition(this.#topic, partition)
    if (hosted.log) yield* readLog(hosted.log, { goesOn: () => hosted.isLeader })
  }
}
