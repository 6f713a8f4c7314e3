import type { Disk } from '../platform/index.ts'
import { LEADER_EPOCH_FILE } from './leader-epoch-cache.ts'
import type { LogConfig } from './log-config.ts'
import type { StorageContext } from './log-directory.ts'
import { LogSegment, NEW_SEGMENT_FILES } from './log-segment.ts'
import { PARTITION_METADATA_FILE } from './partition-metadata.ts'
import {
  CLEANED_SUFFIX,
  LOG_SUFFIX,
  parseSegmentFileName,
  SNAPSHOT_SUFFIX,
  SWAP_SUFFIX,
  segmentFileName,
} from './segment-files.ts'

/** A partition's directory as it was listed. */
export interface DirectoryListing {
  /** Kinds of files (`.log`, `.index`, ...) by base offset. */
  readonly segments: ReadonlyMap<number, ReadonlySet<string>>
  readonly hasMetadata: boolean
  readonly hasEpochs: boolean
}

/** Where to tidy up. */
export interface LeftoverOptions {
  readonly context: StorageContext
  readonly directory: string
  readonly config: LogConfig
}

/**
 * Finishes or undoes what an interrupted deletion or compaction left in a partition's directory, then lists it.
 *
 * `.deleted` and `.cleaned` files go. A `.swap` is the result of a compaction that was complete: the segments it
 * replaces go, and it takes its name. Unless a `.cleaned` of the same or a lower offset is there: then the compaction was
 * splitting a segment and was not done, and the swap goes too (KAFKA-6264).
 */
export function tidyDirectory(options: LeftoverOptions): DirectoryListing {
  const { disk } = options.context
  const names = disk.list(options.directory)
  const marked = names.filter(name => /\.(deleted|cleaned|swap)$/.test(name))
  if (marked.length === 0) return listing(names)
  finishInterrupted(options, marked)
  return listing(disk.list(options.directory))
}

function finishInterrupted(options: LeftoverOptions, marked: readonly string[]): void {
  const { directory, context } = options
  const { disk } = context
  const remove = (name: string): void => disk.remove(`${directory}/${name}`)
  const cleaned = marked.filter(name => name.endsWith(CLEANED_SUFFIX))
  const leastCleaned = Math.min(
    ...cleaned.map(name => parseSegmentFileName(name)?.baseOffset ?? Number.POSITIVE_INFINITY),
  )
  const swaps: string[] = []
  for (const name of marked) {
    const file = parseSegmentFileName(name)
    if (name.endsWith(SWAP_SUFFIX) && file !== undefined && file.baseOffset < leastCleaned) swaps.push(name)
    else remove(name)
  }
  for (const name of swaps.filter(swap => swap.endsWith(`${LOG_SUFFIX}${SWAP_SUFFIX}`))) {
    const { baseOffset } = parseSegmentFileName(name)!
    removeReplaced(options, baseOffset, endOfSwap(options, baseOffset))
  }
  for (const name of swaps) disk.rename(`${directory}/${name}`, `${directory}/${name.slice(0, -SWAP_SUFFIX.length)}`)
}

/** Removes segments from `baseOffset` on that begin below `endOffset`: a swap stands for them. */
function removeReplaced({ context, directory }: LeftoverOptions, baseOffset: number, endOffset: number): void {
  for (const name of context.disk.list(directory)) {
    const file = parseSegmentFileName(name)
    if (file === undefined || file.mark !== undefined || file.kind === SNAPSHOT_SUFFIX) continue
    if (file.baseOffset >= baseOffset && file.baseOffset < endOffset) context.disk.remove(`${directory}/${name}`)
  }
}

function endOfSwap({ context, directory, config }: LeftoverOptions, baseOffset: number): number {
  const path = `${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}${SWAP_SUFFIX}`
  const segment = new LogSegment({
    context,
    directory,
    baseOffset,
    config,
    files: { ...NEW_SEGMENT_FILES, log: context.disk.stat(path)?.size ?? 0 },
    createdMs: 0,
  })
  segment.records.moved(path)
  const end = segment.readNextOffset() ?? baseOffset + 1
  segment.close()
  return Math.max(end, baseOffset + 1)
}

function listing(names: readonly string[]): DirectoryListing {
  const files = new Map<number, Set<string>>()
  for (const name of names) {
    const file = parseSegmentFileName(name)
    if (file === undefined) continue
    const kinds = files.get(file.baseOffset)
    if (kinds === undefined) files.set(file.baseOffset, new Set([file.kind]))
    else kinds.add(file.kind)
  }
  return {
    segments: files,
    hasMetadata: names.includes(PARTITION_METADATA_FILE),
    hasEpochs: names.includes(LEADER_EPOCH_FILE),
  }
}

/** Removes index files whose segment is gone. */
export function removeOrphans(disk: Disk, directory: string, files: DirectoryListing): void {
  for (const [baseOffset, kinds] of files.segments) {
    if (kinds.has(LOG_SUFFIX)) continue
    for (const kind of kinds) {
      if (kind !== SNAPSHOT_SUFFIX) disk.remove(`${directory}/${segmentFileName(baseOffset, kind)}`)
    }
  }
}
