import { KafkaError } from '../protocol/index.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'
import { Log } from './log.ts'
import type { LogConfig } from './log-config.ts'
import type { LogDirectory, StorageContext } from './log-directory.ts'
import type { LogOwner } from './log-parts.ts'
import { LogSegment } from './log-segment.ts'
import { LogSegments } from './log-segments.ts'
import { PartitionMetadataFile } from './partition-metadata.ts'
import { ProducerSnapshots } from './producer-snapshots.ts'
import { ProducerState } from './producer-state.ts'
import { NEW_SEGMENT_FILES } from './segment-files.ts'
import { partitionName, type TopicPartition } from './topic-partition.ts'
import { TransactionSums } from './transaction-sums.ts'

/** Which log to make, and where. */
export interface CreateOptions {
  readonly context: StorageContext
  readonly owner: LogOwner
  readonly directory: LogDirectory
  readonly topicPartition: TopicPartition
  readonly topicId: string | undefined
  readonly config: LogConfig
  /** Name of the log's own directory, where it is not the partition's. */
  readonly name?: string
  /** Brings to disk what else must be there before anything in this log counts as flushed. */
  readonly settleDirectory: () => Promise<void>
}

/**
 * Makes an empty log. Nothing of it is synced before the first flush: until then a power cut may take the whole of it,
 * and with it nothing that was promised. So making a thousand partitions does not take a thousand syncs' time.
 */
export function createLog(options: CreateOptions): Log {
  const { context, directory, topicPartition, config, topicId } = options
  const { disk } = context
  const name = options.name ?? partitionName(topicPartition)
  const path = `${directory.path}/${name}`
  if (name.length > 255) {
    throw new KafkaError('INVALID_TOPIC_EXCEPTION', `name of ${topicPartition.topic} is too long for a directory`)
  }
  return directory.run(() => {
    disk.makeDirectory(path)
    const segment = new LogSegment({
      context,
      directory: path,
      baseOffset: 0,
      config,
      files: NEW_SEGMENT_FILES,
      createdMs: context.clock.now(),
    })
    segment.records.create()
    segment.records.close()
    const metadata = new PartitionMetadataFile(disk, path)
    if (topicId !== undefined) metadata.create(topicId)
    return new Log({
      context,
      directory,
      path,
      topicPartition,
      topicId,
      config,
      segments: new LogSegments([segment]),
      epochs: new LeaderEpochCache(disk, path),
      producers: new ProducerState(),
      snapshots: new ProducerSnapshots(disk, path, []),
      sums: new TransactionSums(disk, path, false),
      logStartOffset: 0,
      logEndOffset: 0,
      recoveryPoint: 0,
      highWatermark: 0,
      entriesChanged: true,
      settleCreation: async () => {
        await Promise.all([options.settleDirectory(), topicId === undefined ? undefined : metadata.sync()])
      },
      owner: options.owner,
    })
  })
}
