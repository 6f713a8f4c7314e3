import type { LogSegment } from './log-segment.ts'
import { CLEANED_SUFFIX, SWAP_SUFFIX } from './segment-files.ts'

/** The files of a cleaned segment take the mark that says: this stands for others. */
export function markAsSwap(segment: LogSegment): void {
  segment.renameRecords(path => remarked(path, CLEANED_SUFFIX, SWAP_SUFFIX))
  segment.indexes.rename(path => remarked(path, CLEANED_SUFFIX, SWAP_SUFFIX))
}

/**
 * Undoes {@link markAsSwap}. The records alone go back to `.cleaned`: beside that the `.swap` files of the indexes mean
 * nothing, whatever else a power cut leaves. They go when this is on disk, and the records when they are gone.
 */
export function takeBackSwap(segment: LogSegment): void {
  segment.renameRecords(path => remarked(path, SWAP_SUFFIX, CLEANED_SUFFIX))
}

/** The records of a segment take their own name; the indexes follow when that is on disk. */
export function nameRecords(segment: LogSegment): void {
  segment.renameRecords(path => remarked(path, SWAP_SUFFIX, ''))
}

/** The indexes take their own names. */
export function nameIndexes(segment: LogSegment): void {
  segment.indexes.rename(path => remarked(path, SWAP_SUFFIX, ''))
}

function remarked(path: string, from: string, to: string): string {
  return `${path.slice(0, path.length - from.length)}${to}`
}
