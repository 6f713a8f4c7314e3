import type { Logger } from '../platform/index.ts'
import { ErrorCode, KafkaError } from '../protocol/index.ts'
import type { Log, LogManager } from '../storage/index.ts'
import type { DirectoryMoves } from './directory-moves.ts'
import type { HostedPartitions } from './hosted-partitions.ts'

/** A wish of AlterReplicaLogDirs. */
export interface DirectoryChange {
  readonly topic: string
  readonly partition: number
  /** One of `log.dirs`. */
  readonly directory: string
}

/** A directory as DescribeLogDirs shows it: fields as in the response. */
export interface DescribedDirectory {
  readonly errorCode: number
  readonly logDir: string
  readonly topics: readonly { readonly name: string; readonly partitions: readonly DescribedLog[] }[]
  /** Of the file system; -1 when unknown. */
  readonly totalBytes: number
  readonly usableBytes: number
}

export interface DescribedLog {
  readonly partitionIndex: number
  /** Bytes. */
  readonly partitionSize: number
  /** How much it is behind: a log behind its high watermark, a copy behind its log; -1 when there is none to compare. */
  readonly offsetLag: number
  /** A copy in the making. */
  readonly isFutureKey: boolean
}

/** What these need of the broker. */
export interface LogDirectoriesContext {
  readonly hosted: HostedPartitions
  readonly logManager: LogManager
  readonly moves: DirectoryMoves
  readonly logger: Logger
}

/** What lies in each log directory; of the partitions that `isWanted` picks. */
export function describeLogDirectories(
  isWanted: (topic: string, partition: number) => boolean,
  { logManager, logger }: LogDirectoriesContext,
): DescribedDirectory[] {
  return logManager.directories().map(({ path, isOffline, logs }) => {
    const failed = {
      errorCode: ErrorCode.KAFKA_STORAGE_ERROR,
      logDir: path,
      topics: [],
      totalBytes: -1,
      usableBytes: -1,
    }
    if (isOffline) return failed
    try {
      return {
        errorCode: ErrorCode.NONE,
        logDir: path,
        topics: [...byTopic(logs, isWanted, logManager)],
        ...logManager.spaceOf(path),
      }
    } catch (error) {
      logger.error({ err: error }, `Error while describing replicas in dir ${path}`)
      return failed
    }
  })
}

function byTopic(
  logs: Iterable<Log>,
  isWanted: (topic: string, partition: number) => boolean,
  logManager: LogManager,
): Iterable<DescribedDirectory['topics'][number]> {
  const topics = new Map<string, { name: string; partitions: DescribedLog[] }>()
  for (const log of logs) {
    const { topic, partition } = log.topicPartition
    if (!isWanted(topic, partition)) continue
    let described = topics.get(topic)
    if (!described) {
      described = { name: topic, partitions: [] }
      topics.set(topic, described)
    }
    const current = logManager.getLog(log.topicPartition)
    const end = log.isFuture ? current?.logEndOffset : current && Math.max(current.highWatermark, log.logEndOffset)
    described.partitions.push({
      partitionIndex: partition,
      partitionSize: log.size,
      offsetLag: end === undefined ? -1 : end - log.logEndOffset,
      isFutureKey: log.isFuture,
    })
  }
  return topics.values()
}

/** Begins to move partitions to other log directories; the codes are in the order of the changes. */
export function alterLogDirectories(changes: readonly DirectoryChange[], context: LogDirectoriesContext): number[] {
  return changes.map(change => {
    try {
      alterOne(change, context)
      return ErrorCode.NONE
    } catch (error) {
      const { topic, partition, directory } = change
      context.logger.warn({ err: error, directory }, `Unable to alter log dirs for ${topic}-${partition}`)
      if (!(error instanceof KafkaError)) return ErrorCode.UNKNOWN_SERVER_ERROR
      // Clients of this API know no other word for a replica that is not here.
      return error.code === 'NOT_LEADER_OR_FOLLOWER' ? ErrorCode.REPLICA_NOT_AVAILABLE : error.errorCode
    }
  })
}

function alterOne({ topic, partition, directory }: DirectoryChange, context: LogDirectoriesContext): void {
  const { hosted, logManager, moves } = context
  const directories = logManager.directories()
  const target = directories.find(({ path }) => path === directory)
  if (!target) throw new KafkaError('LOG_DIR_NOT_FOUND', `${directory} is none of this broker's log.dirs`)
  if (target.isOffline) throw new KafkaError('KAFKA_STORAGE_ERROR', `log directory ${directory} is offline`)
  const topicPartition = { topic, partition }
  const found = hosted.find(topic, partition)
  if (!found) {
    // A partition that comes here later is made there.
    logManager.preferDirectory(topicPartition, directory)
    throw new KafkaError(hosted.missing(topic, partition))
  }
  const log = found.logFor(-1, false)
  const future = logManager.getFutureLog(topicPartition)
  if (future?.directory === directory) {
    if (!found.futureLog) moves.start(found, future)
    return
  }
  if (future) {
    moves.stop(found)
    logManager.deleteFutureLog(topicPartition)
  }
  if (log.directory === directory) return
  // The copy of another partition's move may lie in the directory that is missing.
  if (directories.some(({ isOffline }) => isOffline))
    throw new KafkaError('KAFKA_STORAGE_ERROR', 'a log directory is offline')
  moves.start(found, logManager.createFutureLog(topicPartition, directory))
}
