import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '../../protocol/messages/34-alter-replica-log-dirs.ts'
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.ts'
import { checkItems, PARTITION_FIELDS } from '../checked-items.ts'
import { grouped } from '../grouped.ts'
import { byTopic, type TopicPartition } from '../topic-partition.ts'
import { type AdminCall, asked, knowing, settle } from './admin-call.ts'
import { nameOf } from './partitions.ts'

const ALTER = { request: AlterReplicaLogDirsRequest, response: AlterReplicaLogDirsResponse }
const DESCRIBE = { request: DescribeLogDirsRequest, response: DescribeLogDirsResponse }

/** What one broker has of a partition (Java's TopicPartitionReplica). */
export interface Replica extends TopicPartition {
  /** Id of the broker. */
  readonly broker: number
}

/** A replica is to lie in another directory of its broker. */
export interface ReplicaMove extends Replica {
  /** One of the broker's `log.dirs`. */
  readonly path: string
}

/** Where a replica lies. */
export interface ReplicaPlace {
  readonly path: string
  /** Records behind the high watermark, or behind the replica that it is to take the place of. */
  readonly offsetLag: number
}

/** Where a replica lies, and where to it moves. */
export interface ReplicaLogDirs extends Replica {
  /** Undefined where the broker has no such replica, or it lies in a directory that failed. */
  readonly current: ReplicaPlace | undefined
  /** Undefined while it does not move. */
  readonly future: ReplicaPlace | undefined
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

const REPLICA_FIELDS = { ...PARTITION_FIELDS, broker: 'integer' } as const
const MOVE_FIELDS = { ...REPLICA_FIELDS, path: 'text' } as const

export async function describeLogDirs(call: AdminCall, brokers: readonly number[]): Promise<LogDir[]> {
  checkItems('describing log directories', brokers, 'integer')
  return (await Promise.all(brokers.map(broker => logDirsOf(call, broker, undefined)))).flat()
}

export async function describeReplicaLogDirs(call: AdminCall, of: readonly Replica[]): Promise<ReplicaLogDirs[]> {
  checkItems('describing replicas', of, REPLICA_FIELDS)
  const byBroker = grouped(of, ({ broker }) => broker)
  const dirs = await Promise.all(Array.from(byBroker, ([broker, replicas]) => logDirsOf(call, broker, replicas)))
  const found = dirs.flat().flatMap(({ broker, path, replicas }) => replicas.map(one => ({ ...one, broker, path })))
  const placesOf = grouped(found, keyOf)
  return of.map(replica => {
    const { topic, partition, broker } = replica
    const place = (isFuture: boolean): ReplicaPlace | undefined => {
      const one = placesOf.get(keyOf(replica))?.find(dir => dir.isFuture === isFuture)
      return one && { path: one.path, offsetLag: one.offsetLag }
    }
    return { topic, partition, broker, current: place(false), future: place(true) }
  })
}

export async function alterReplicaLogDirs(call: AdminCall, moves: readonly ReplicaMove[]): Promise<void> {
  const { cluster } = call
  await settle(call, { what: 'moving replicas', items: moves, keyOf, needed: MOVE_FIELDS }, async left => {
    await knowing(
      call,
      left.map(({ broker }) => broker),
    )
    const answers = await Promise.all(
      Array.from(
        grouped(left, ({ broker }) => broker),
        async ([broker, ofBroker]) => {
          const { results } = await cluster.request({ broker }, ALTER, { dirs: directoriesOf(ofBroker) })
          return results.flatMap(({ topicName, partitions }) =>
            partitions.map(({ partitionIndex, errorCode }) => ({
              key: keyOf({ topic: topicName, partition: partitionIndex, broker }),
              errorCode,
              result: undefined,
            })),
          )
        },
      ),
    )
    return answers.flat()
  })
}

const keyOf = (replica: Replica): string => `${nameOf(replica)} on broker ${replica.broker}`

function directoriesOf(moves: readonly ReplicaMove[]) {
  return Array.from(
    grouped(moves, ({ path }) => path),
    ([path, inPath]) => ({ path, topics: byTopic(inPath, ({ partition }) => partition) }),
  )
}

/** The directories of a broker, with what is in them of these replicas; of all when none are named. */
async function logDirsOf(
  call: AdminCall,
  broker: number,
  replicas: readonly TopicPartition[] | undefined,
): Promise<LogDir[]> {
  const topics =
    replicas === undefined
      ? null
      : byTopic(replicas, ({ partition }) => partition).map(({ name, partitions }) => ({ topic: name, partitions }))
  const { results } = await asked(call, `describing log directories of broker ${broker}`, async () => {
    await knowing(call, [broker])
    return call.cluster.request({ broker }, DESCRIBE, { topics })
  })
  return results.map(({ errorCode, logDir, topics: found, totalBytes, usableBytes }) => ({
    broker,
    path: logDir,
    error: errorCode === ErrorCode.NONE ? null : KafkaError.fromCode(errorCode),
    totalBytes,
    usableBytes,
    replicas: found.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
        topic: name,
        partition: partitionIndex,
        sizeBytes: partitionSize,
        offsetLag,
        isFuture: isFutureKey,
      })),
    ),
  }))
}
