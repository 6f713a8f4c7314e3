import { LEADER_EPOCH_FILE } from './leader-epoch-cache.ts'
import type { LogConfig } from './log-config.ts'
import type { StorageContext } from './log-directory.ts'
import { LogSegment } from './log-segment.ts'
import { PARTITION_METADATA_FILE } from './partition-metadata.ts'
import {
  CLEANED_SUFFIX,
  LOG_SUFFIX,
  NEW_SEGMENT_FILES,
  parseSegmentFileName,
  SNAPSHOT_SUFFIX,
  SWAP_SUFFIX,
  segmentFileName,
} from './segment-files.ts'
import { TRANSACTION_SUMS_FILE } from './transaction-sums.ts'

/** A partition's directory as it was listed. */
export interface DirectoryListing {
  /** Kinds of files (`.log`, `.index`, ...) by base offset. */
  readonly segments: ReadonlyMap<number, ReadonlySet<string>>
  readonly hasMetadata: boolean
  readonly hasEpochs: boolean
  readonly hasTransactionSums: boolean
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
 * splitting a segment and was not done, or was taken back, and the swap goes too (KAFKA-6264).
 *
 * Whatever is left when the power goes in the middle of this means to the next start what it means to this one: each step
 * is on disk before the next, which would make something else of its leftovers, begins.
 */
export async function tidyDirectory(options: LeftoverOptions): Promise<DirectoryListing> {
  const { disk } = options.context
  const names = disk.list(options.directory)
  const marked = names.filter(name => /\.(deleted|cleaned|swap)$/.test(name))
  if (marked.length === 0) return listing(names)
  await finishInterrupted(options, marked)
  return listing(disk.list(options.directory))
}

async function finishInterrupted(options: LeftoverOptions, marked: readonly string[]): Promise<void> {
  const { directory, context } = options
  const { disk } = context
  const sync = (): Promise<void> => disk.syncDirectory(directory)
  const removeAll = (names: readonly string[]): void => {
    for (const name of names) disk.remove(`${directory}/${name}`)
  }
  const baseOf = (name: string): number => parseSegmentFileName(name)?.baseOffset ?? Number.POSITIVE_INFINITY
  const cleaned = marked.filter(name => name.endsWith(CLEANED_SUFFIX))
  const leastCleaned = Math.min(...cleaned.map(baseOf))
  const swaps = marked.filter(name => name.endsWith(SWAP_SUFFIX) && baseOf(name) < leastCleaned)
  removeAll(marked.filter(name => !cleaned.includes(name) && !swaps.includes(name)))
  if (cleaned.length > 0) await sync()
  removeAll(cleaned)
  if (swaps.length === 0) return
  const isLog = (name: string): boolean => name.endsWith(`${LOG_SUFFIX}${SWAP_SUFFIX}`)
  const rename = (name: string): void =>
    disk.rename(`${directory}/${name}`, `${directory}/${name.slice(0, -SWAP_SUFFIX.length)}`)
  for (const name of swaps.filter(isLog)) removeReplaced(options, baseOf(name), endOfSwap(options, baseOf(name)))
  await sync()
  for (const name of swaps.filter(isLog)) rename(name)
  await sync()
  for (const name of swaps.filter(swap => !isLog(swap))) rename(name)
  await sync()
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
    hasTransactionSums: names.includes(TRANSACTION_SUMS_FILE),
  }
}

/** Removes index files whose segment is gone, and tells of them: a deletion was cut off, or somebody has removed the records. */
export function removeOrphans({ disk, logger }: StorageContext, directory: string, files: DirectoryListing): void {
  for (const [baseOffset, kinds] of files.segments) {
    if (kinds.has(LOG_SUFFIX)) continue
    for (const kind of kinds) {
      if (kind === SNAPSHOT_SUFFIX) continue
      const path = `${directory}/${segmentFileName(baseOffset, kind)}`
      logger.warn({ file: path }, 'index file of records that are missing is removed')
      disk.remove(path)
    }
  }
}
