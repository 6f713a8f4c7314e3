import type { Disk } from '../platform/index.ts'
import { type BatchHeader, decodeRecords, KafkaError, RecordCursor, recordBytes } from '../protocol/index.ts'
import { BatchFilter } from './batch-filter.ts'
import { BatchScanner } from './batch-scanner.ts'
import { CleanedSegment } from './cleaned-segment.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import type { CleaningResult, CleaningSlice, CleaningStep, CleaningTask, SegmentToClean } from './cleaning-task.ts'
import { FileRecords } from './file-records.ts'
import { OffsetMap } from './offset-map.ts'
import { OpenFiles } from './open-files.ts'
import { CLEANED_SUFFIX, LOG_SUFFIX, segmentFileName } from './segment-files.ts'
import { groupSegments } from './segment-groups.ts'
import { MAX_DECOMPRESSED_BYTES } from './transaction-marker.ts'

/** The least that is read at once. */
const MIN_WINDOW_BYTES = 4096
const LIMITS = { maxBytes: MAX_DECOMPRESSED_BYTES }

/**
 * Cleans one log once (Kafka's Cleaner): first learns the last offset of every key in the dirty part, or in as much of it
 * as the table has room for, then writes each group of segments anew without what later records of the same key have
 * made obsolete. It reads the segments and writes `.cleaned` files beside them; to put those in place is its caller's
 * work, at each `group` step. No file is open at a step, so segments may be renamed and removed then; whoever does that
 * goes no further with this round. The same code runs in a thread of its own and, in tests, on the event loop.
 *
 * @throws KafkaError for a log that cannot be cleaned (CORRUPT_MESSAGE, INVALID_RECORD), DiskError
 */
export async function* cleanLog(task: CleaningTask, disk: Disk): AsyncGenerator<CleaningStep, CleaningResult, void> {
  removeCleanedFiles(disk, task.directory)
  const cleaning = new LogCleaning(task, disk)
  yield* cleaning.mapKeys()
  yield* cleaning.cleanGroups()
  return cleaning.result()
}

/** Removes what rounds that came to nothing have left in a partition's directory. */
export function removeCleanedFiles(disk: Disk, directory: string): void {
  for (const name of disk.list(directory)) {
    if (name.endsWith(CLEANED_SUFFIX)) disk.remove(`${directory}/${name}`)
  }
}

class LogCleaning {
  readonly #task: CleaningTask
  readonly #disk: Disk
  readonly #openFiles = new OpenFiles(2)
  readonly #map: OffsetMap
  readonly #mapLimit: number
  readonly #windowBytes: number
  #filter: BatchFilter
  #bytesRead = 0
  #bytesWritten = 0

  constructor(task: CleaningTask, disk: Disk) {
    this.#task = task
    this.#disk = disk
    const { keyTableBytes, loadFactor, ioBufferBytes } = task.memory
    this.#windowBytes = Math.max(MIN_WINDOW_BYTES, Math.floor(ioBufferBytes / 2))
    const offsets = task.firstUncleanableOffset - task.firstDirtyOffset
    this.#map = new OffsetMap(Math.ceil((offsets + 1) / loadFactor) + 1, keyTableBytes)
    this.#mapLimit = Math.max(1, Math.floor(this.#map.slots * loadFactor))
    this.#filter = new BatchFilter(task, this.#map, new CleanedTransactions(task.aborted))
  }

  result(): CleaningResult {
    const { recordsRead, recordsWritten, keylessRecords } = this.#filter
    return {
      endOffset: this.#endOffset,
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
      recordsRead,
      recordsWritten,
      keylessRecords,
      keyTableUtilization: this.#map.utilization,
    }
  }

  get #endOffset(): number {
    return Math.max(this.#task.firstDirtyOffset, this.#map.latestOffset + 1)
  }

  *mapKeys(): Generator<CleaningStep, void, void> {
    const { segments, firstDirtyOffset, firstUncleanableOffset } = this.#task
    const transactions = new CleanedTransactions(
      this.#task.aborted.filter(({ lastOffset }) => lastOffset >= firstDirtyOffset),
    )
    this.#map.latestOffset = firstDirtyOffset - 1
    for (const [index, segment] of segments.entries()) {
      const nextBase = segments[index + 1]?.baseOffset ?? firstUncleanableOffset
      if (nextBase <= firstDirtyOffset) continue
      for (const step of this.#scan(segment)) {
        if ('kind' in step) {
          yield step
          continue
        }
        if (step.header.lastOffset < firstDirtyOffset) continue
        if (!this.#mapBatch(step, transactions)) return
      }
      this.#map.latestOffset = nextBase - 1
    }
  }

  /** Takes in the keys of a batch; false when there was no room for all of them. */
  #mapBatch({ bytes, header }: ScannedBatch, transactions: CleanedTransactions): boolean {
    if (header.isControl) transactions.onMarker(bytes, header)
    else if (!transactions.onBatch(header) && !this.#mapRecords(bytes, header)) return false
    this.#map.latestOffset = header.lastOffset
    return true
  }

  #mapRecords(bytes: Uint8Array, header: BatchHeader): boolean {
    if (header.magic < 2) {
      for (const { key, offset } of decodeRecords(bytes, header, LIMITS)) if (!this.#mapKey(key, offset)) return false
      return true
    }
    const cursor = new RecordCursor(recordBytes(bytes, header, LIMITS), header)
    while (cursor.next()) if (!this.#mapKey(cursor.key, cursor.offset)) return false
    return true
  }

  #mapKey(key: Uint8Array | null, offset: number): boolean {
    if (key === null || offset < this.#task.firstDirtyOffset) return true
    if (this.#map.size >= this.#mapLimit) {
      // All records before this one are in the map: the next round goes on from here.
      this.#map.latestOffset = offset - 1
      return false
    }
    this.#map.put(key, offset)
    return true
  }

  async *cleanGroups(): AsyncGenerator<CleaningStep, void, void> {
    const { segments, settings, firstUncleanableOffset } = this.#task
    const endOffset = this.#endOffset
    const due = segments.filter(({ baseOffset }) => baseOffset < endOffset)
    const groupEnd = segments[due.length]?.baseOffset ?? firstUncleanableOffset
    for (const group of groupSegments(due, settings, groupEnd)) yield* this.#cleanGroup(group)
  }

  async *#cleanGroup(group: readonly SegmentToClean[]): AsyncGenerator<CleaningStep, void, void> {
    const { directory, settings } = this.#task
    const cleaned = new CleanedSegment({
      disk: this.#disk,
      openFiles: this.#openFiles,
      directory,
      baseOffset: group[0]!.baseOffset,
      ...settings,
    })
    const last = group.at(-1)!
    const horizonMs = this.#legacyHorizonMs()
    let written = 0
    for (const segment of group) {
      const dropsLegacyTombstones = segment.modifiedMs <= horizonMs
      for (const step of this.#scan(segment)) {
        if ('kind' in step) {
          cleaned.write()
          yield { kind: 'slice', bytes: step.bytes + cleaned.bytes - written }
          written = cleaned.bytes
          continue
        }
        const isLast = segment === last && step.end === segment.bytes
        const { bytes, aborted } = this.#filter.filter(step.bytes, step.header, { isLast, dropsLegacyTombstones })
        if (bytes !== undefined) cleaned.add(bytes)
        if (aborted !== undefined) cleaned.addAborted(aborted)
      }
      this.#bytesRead += segment.bytes
    }
    this.#bytesWritten += cleaned.bytes
    await cleaned.finish(last.modifiedMs)
    await this.#disk.syncDirectory(directory)
    const replaced = group.map(({ baseOffset }) => baseOffset)
    yield { kind: 'group', group: { replaced, bytes: cleaned.bytes, hasTxnIndex: cleaned.hasTxnIndex } }
  }

  /** Tombstones of formats 0 and 1 may go from segments that are older than the newest clean one by the retention. */
  #legacyHorizonMs(): number {
    const clean = this.#task.segments.filter(({ baseOffset }) => baseOffset < this.#task.firstDirtyOffset)
    return clean.length === 0 ? 0 : clean.at(-1)!.modifiedMs - this.#task.settings.deleteRetentionMs
  }

  /**
   * The batches of a segment, each checked against its CRC, with a step in between whenever a window has been read: a few
   * milliseconds.
   */
  *#scan(segment: SegmentToClean): Generator<CleaningSlice | ScannedBatch, void, void> {
    const path = `${this.#task.directory}/${segmentFileName(segment.baseOffset, LOG_SUFFIX)}`
    const records = new FileRecords(path, segment.bytes, { disk: this.#disk, openFiles: this.#openFiles })
    const scanner = new BatchScanner(records, { position: 0, windowBytes: this.#windowBytes })
    let slice = 0
    try {
      for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
        if (!scanner.crcValid()) throw corrupt(path, scanner.position, 'does not match its checksum')
        yield { ...scanner.batch(), end: scanner.end }
        slice += header.length
        if (slice < this.#windowBytes) continue
        records.close()
        yield { kind: 'slice', bytes: slice }
        slice = 0
      }
      if (scanner.end !== segment.bytes) throw corrupt(path, scanner.end, 'is not whole')
    } finally {
      records.close()
    }
    if (slice > 0) yield { kind: 'slice', bytes: slice }
  }
}

interface ScannedBatch {
  readonly bytes: Uint8Array
  readonly header: BatchHeader
  /** Where the batch ends in its segment. */
  readonly end: number
}

function corrupt(path: string, position: number, reason: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', `batch at ${position} in ${path} ${reason}`)
}
