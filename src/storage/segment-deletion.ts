import type { LogDirectory, StorageContext } from './log-directory.ts'
import type { LogSegment } from './log-segment.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import { DELETED_SUFFIX } from './segment-files.ts'

/** Where segments are deleted, and when. */
export interface DeletionOptions {
  readonly context: StorageContext
  readonly directory: LogDirectory
  readonly snapshots: ProducerSnapshots
  /** `file.delete.delay.ms`: readers in other processes may still have the files open. */
  readonly delayMs: number
}

/**
 * Deletes the files of segments that have left their log: they are closed and renamed to `.deleted` at once, so that no
 * recovery takes them for a part of the log, and removed after the delay.
 */
export function deleteSegments(segments: readonly LogSegment[], options: DeletionOptions): void {
  const { context, directory, snapshots, delayMs } = options
  const { disk } = context
  const marked: string[] = []
  for (const segment of segments) {
    segment.close()
    const paths = [segment.records.path, ...segment.indexes.paths()]
    for (const path of paths) {
      // Somebody was faster.
      if (disk.stat(path) === undefined) continue
      disk.rename(path, `${path}${DELETED_SUFFIX}`)
      marked.push(`${path}${DELETED_SUFFIX}`)
    }
    const snapshot = snapshots.markDeleted(segment.baseOffset)
    if (snapshot !== undefined) marked.push(snapshot)
  }
  if (marked.length > 0) context.removals.remove(directory, marked, delayMs)
}

/** Removes a segment's files at once, for a recovery that has found them to be of no use. */
export function removeSegmentFiles(segment: LogSegment, { disk }: StorageContext): void {
  segment.close()
  for (const path of segment.indexes.paths()) disk.remove(path)
  disk.remove(segment.records.path)
}
