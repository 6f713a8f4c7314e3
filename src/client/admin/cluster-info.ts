import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.ts'
import { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/messages/60-describe-cluster.ts'
import type { BrokerInfo } from '../cluster-metadata.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { type AdminCall, asked } from './admin-call.ts'

const DESCRIBE_CLUSTER = { request: DescribeClusterRequest, response: DescribeClusterResponse }
const DESCRIBE_LOG_DIRS = { request: DescribeLogDirsRequest, response: DescribeLogDirsResponse }

export interface ClusterDescription {
  readonly clusterId: string
  /** Id of the controller; -1 while there is none. */
  readonly controllerId: number
  readonly brokers: readonly BrokerInfo[]
}

export interface ReplicaInfo extends TopicPartition {
  readonly sizeBytes: number
  /** Records behind the high watermark, or behind the replica that it is to take the place of. */
  readonly offsetLag: number
  /** Being moved here from another directory. */
  readonly isFuture: boolean
}

/** A directory of a broker's `log.dirs`. */
export interface LogDir {
  readonly broker: number
  readonly path: string
  /** KAFKA_STORAGE_ERROR where the directory has failed. */
  readonly error: KafkaError | null
  /** Of the disk; -1 where the broker does not tell. */
  readonly totalBytes: number
  readonly usableBytes: number
  readonly replicas: readonly ReplicaInfo[]
}

export async function describeCluster(call: AdminCall): Promise<ClusterDescription> {
  const { clusterId, controllerId, brokers } = await asked(call, 'describing the cluster', () =>
    call.cluster.requestAny(DESCRIBE_CLUSTER, {}),
  )
  return {
    clusterId,
    controllerId,
    brokers: brokers.map(({ brokerId, host, port, rack }) => ({ id: brokerId, host, port, rack })),
  }
}

export async function describeLogDirs(call: AdminCall, brokers: readonly number[]): Promise<LogDir[]> {
  const dirs = await Promise.all(
    brokers.map(async broker => {
      const { results } = await asked(call, `describing log directories of broker ${broker}`, () =>
        call.cluster.request({ broker }, DESCRIBE_LOG_DIRS, { topics: null }),
      )
      return results.map(({ errorCode, logDir, topics, totalBytes, usableBytes }) => ({
        broker,
        path: logDir,
        error: errorCode === ErrorCode.NONE ? null : KafkaError.fromCode(errorCode),
        totalBytes,
        usableBytes,
        replicas: topics.flatMap(({ name, partitions }) =>
          partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
            topic: name,
            partition: partitionIndex,
            sizeBytes: partitionSize,
            offsetLag,
            isFuture: isFutureKey,
          })),
        ),
      }))
    }),
  )
  return dirs.flat()
}
