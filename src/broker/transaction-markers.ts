import type { GroupCoordinator, MarkerWriter, PartitionName, ProducerMarker } from '../coordinator/index.ts'
import { OFFSETS_TOPIC } from '../metadata/index.ts'
import type { Clock } from '../platform/index.ts'
import { type ErrorName, encodeEndTxnMarker, errorName, KafkaError } from '../protocol/index.ts'
import type { ReplicaManager } from '../replication/index.ts'

export interface TransactionMarkersOptions {
  readonly clock: Clock
  readonly replicas: ReplicaManager
  readonly groups: GroupCoordinator
  /** How long an append waits for the other replicas. */
  readonly appendTimeoutMs: number
}

/** Writes the markers that end transactions into the partitions that this broker leads, whoever coordinates them. */
export class TransactionMarkers implements MarkerWriter {
  readonly #options: TransactionMarkersOptions

  constructor(options: TransactionMarkersOptions) {
    this.#options = options
  }

  write(marker: ProducerMarker, partitions: readonly PartitionName[]): Promise<readonly ErrorName[]> {
    return Promise.all(partitions.map(name => this.#writeOne(marker, name)))
  }

  async #writeOne(marker: ProducerMarker, { topic, partition }: PartitionName): Promise<ErrorName> {
    const { clock, replicas, groups, appendTimeoutMs } = this.#options
    try {
      if (topic === OFFSETS_TOPIC) {
        await groups.appendMarker(partition, marker)
        return 'NONE'
      }
      const [result] = await replicas.appendRecords({
        acks: -1,
        timeoutMs: appendTimeoutMs,
        origin: 'coordinator',
        allowInternalTopics: true,
        entries: [{ topic, partition, records: encodeEndTxnMarker({ ...marker, timestamp: clock.now() }) }],
      })
      return result === undefined ? 'UNKNOWN_SERVER_ERROR' : errorName(result.errorCode)
    } catch (error) {
      return error instanceof KafkaError ? error.code : 'UNKNOWN_SERVER_ERROR'
    }
  }
}
