import type { AbortedTransaction } from './transaction-index.ts'

/** A segment as a cleaning sees it. */
export interface SegmentToClean {
  readonly baseOffset: number
  /** Bytes of records. */
  readonly bytes: number
  readonly indexBytes: number
  readonly timeIndexBytes: number
  /** Wall clock of the last write to the records. */
  readonly modifiedMs: number
}

/** The last that a log knows of a producer which may still write. */
export interface LastRecord {
  /** Offset of its last record; undefined where only a marker is left. */
  readonly lastDataOffset: number | undefined
  readonly producerEpoch: number
}

/** Limits and times of the topic that a cleaning keeps to. */
export interface CleaningSettings {
  readonly segmentBytes: number
  readonly maxIndexSize: number
  readonly indexIntervalBytes: number
  readonly deleteRetentionMs: number
}

/** What one cleaner may take. */
export interface CleaningMemory {
  /** The table of keys: its part of `log.cleaner.dedupe.buffer.size`. */
  readonly keyTableBytes: number
  /** `log.cleaner.io.buffer.load.factor`: how full that may get, 0 to 1. */
  readonly loadFactor: number
  /** Reading and writing: its part of `log.cleaner.io.buffer.size`. A batch that is larger is held all the same. */
  readonly ioBufferBytes: number
}

/** One round of cleaning of one log: all that it must know, so that a thread of its own can do it (structured clone). */
export interface CleaningTask {
  /** The partition's directory. */
  readonly directory: string
  /** All segments below `firstUncleanableOffset`, oldest first. */
  readonly segments: readonly SegmentToClean[]
  /** Below it earlier rounds have been. */
  readonly firstDirtyOffset: number
  /** Begin of a segment; from here on everything stays as it is. */
  readonly firstUncleanableOffset: number
  /** Wall clock of the round: delete horizons are held against it, and new ones count from it. */
  readonly nowMs: number
  /** All aborted transactions with records in the segments. */
  readonly aborted: readonly AbortedTransaction[]
  /** By producer id. */
  readonly producers: ReadonlyMap<number, LastRecord>
  readonly settings: CleaningSettings
  readonly memory: CleaningMemory
}

/** Segments whose replacement lies beside them, synced, in `.cleaned` files. */
export interface CleanedGroup {
  /** Base offsets, rising; the replacement has the first. */
  readonly replaced: readonly number[]
  /** Bytes of records in the replacement. */
  readonly bytes: number
  readonly hasTxnIndex: boolean
}

/**
 * What a cleaning says on its way. After a `slice` it may be held up for the sake of other work, and after
 * `group` whoever runs it puts the replacement in place before it goes on.
 */
export type CleaningStep = CleaningSlice | { readonly kind: 'group'; readonly group: CleanedGroup }

/** So many bytes were read and written since the last one. */
export interface CleaningSlice {
  readonly kind: 'slice'
  readonly bytes: number
}

/** What a round has done. */
export interface CleaningResult {
  /** The first offset that has not been cleaned. */
  readonly endOffset: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly recordsRead: number
  readonly recordsWritten: number
  /** Records without a key, which cannot be in a compacted log and went. */
  readonly keylessRecords: number
  /** How full the table of keys got, 0 to 1. */
  readonly keyTableUtilization: number
}
