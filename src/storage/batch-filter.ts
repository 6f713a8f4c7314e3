import {
  type BatchHeader,
  decodeRecords,
  emptyBatch,
  encodeMessageSet,
  type LogRecord,
  RecordCursor,
  recordBytes,
  retainRecords,
  setDeleteHorizon,
} from '../protocol/index.ts'
import type { CleanedTransactions } from './cleaned-transactions.ts'
import type { CleaningTask } from './cleaning-task.ts'
import type { OffsetMap } from './offset-map.ts'
import type { AbortedTransaction } from './transaction-index.ts'
import { MAX_DECOMPRESSED_BYTES } from './transaction-marker.ts'

const LIMITS = { maxBytes: MAX_DECOMPRESSED_BYTES }

/** Where a batch lies. */
export interface BatchPlacement {
  /** Nothing comes behind it in the segment that is being written. */
  readonly isLast: boolean
  /** Its segment is old enough for tombstones of formats 0 and 1, which have no delete horizon, to go. */
  readonly dropsLegacyTombstones: boolean
}

/** What becomes of a batch. */
export interface FilteredBatch {
  /** The batch as it stays: where it lay, if nothing of it went; undefined when it goes. */
  readonly bytes: Uint8Array | undefined
  /** A marker stays that ends this transaction, and readers must be told of it. */
  readonly aborted?: AbortedTransaction | undefined
}

interface Verdict {
  /** Its records go, whatever their keys. */
  readonly dropsRecords: boolean
  /** It stays, if need be without records. */
  readonly staysEmpty: boolean
  /** It is a marker whose transaction has no record left: from now on its time runs. */
  readonly isMarkerOfNothing: boolean
}

/**
 * Decides what of each batch stays (the record filter of Kafka's Cleaner). Batches come in the order of the log.
 *
 * Of a key the last record stays; a tombstone until its delete horizon, which is set when a round first meets it (KIP-534,
 * KAFKA-4529, KAFKA-8522); a marker likewise, once nothing of its transaction is left. Records of aborted transactions go
 * at once. The last batch of a producer that may still write stays for the sake of its sequence (KAFKA-5490), its last
 * marker for the sake of its epochs (KAFKA-9144), and the last batch of a segment so that offsets are without a gap from
 * segment to segment: recovery takes such a gap for a loss, and the log's end must not move back (KAFKA-17076).
 */
export class BatchFilter {
  readonly #task: CleaningTask
  readonly #map: OffsetMap
  readonly #transactions: CleanedTransactions
  recordsRead = 0
  recordsWritten = 0
  keylessRecords = 0

  constructor(task: CleaningTask, map: OffsetMap, transactions: CleanedTransactions) {
    this.#task = task
    this.#map = map
    this.#transactions = transactions
  }

  /** Decides on the batch at `header`, whose CRC has been checked. @throws CORRUPT_MESSAGE, INVALID_RECORD */
  filter(bytes: Uint8Array, header: BatchHeader, placement: BatchPlacement): FilteredBatch {
    if (header.magic < 2) return { bytes: this.#filterLegacy(bytes, header, placement) }
    if (!header.isControl) {
      const dropsRecords = this.#transactions.onBatch(header)
      const staysEmpty = placement.isLast || this.#isLastOfProducer(header)
      return { bytes: this.#apply(bytes, header, { dropsRecords, staysEmpty, isMarkerOfNothing: false }) }
    }
    const { isEmpty, aborted } = this.#transactions.onMarker(bytes, header)
    const isDue = header.hasDeleteHorizon && header.baseTimestamp <= this.#task.nowMs
    const dropsRecords = isEmpty && isDue && !this.#isLastOfProducer(header)
    const verdict = { dropsRecords, staysEmpty: placement.isLast, isMarkerOfNothing: isEmpty }
    return { bytes: this.#apply(bytes, header, verdict), aborted }
  }

  #isLastOfProducer(header: BatchHeader): boolean {
    const last = header.producerId < 0 ? undefined : this.#task.producers.get(header.producerId)
    if (last === undefined) return false
    if (last.lastDataOffset !== undefined) return header.lastOffset === last.lastDataOffset
    return header.isControl && header.producerEpoch === last.producerEpoch
  }

  #apply(bytes: Uint8Array, header: BatchHeader, verdict: Verdict): Uint8Array | undefined {
    if (verdict.dropsRecords || header.recordCount === 0) {
      this.recordsRead += header.recordCount
      return verdict.staysEmpty ? emptyBatch(header) : undefined
    }
    const records = recordBytes(bytes, header, LIMITS)
    const { runs, count, maxTimestamp, hasTombstones } = this.#keep(records, header)
    this.recordsRead += header.recordCount
    this.recordsWritten += count
    if (count === 0) return verdict.staysEmpty ? emptyBatch(header) : undefined
    const needsHorizon = (hasTombstones || verdict.isMarkerOfNothing) && !header.hasDeleteHorizon
    if (!needsHorizon && count === header.recordCount) {
      return bytes.subarray(header.position, header.position + header.length)
    }
    const kept = runs.length === 2 ? records.subarray(runs[0], runs[1]) : joined(records, runs)
    if (!needsHorizon) return retainRecords(bytes, header, { records: kept, count, maxTimestamp })
    const cursor = new RecordCursor(kept, { ...header, recordCount: count })
    const decoded: LogRecord[] = []
    while (cursor.next()) decoded.push(cursor.record())
    return setDeleteHorizon(header, decoded, this.#task.nowMs + this.#task.settings.deleteRetentionMs)
  }

  /** Where in `records` those lie that stay: begin and end of each run of neighbours. */
  #keep(records: Uint8Array, header: BatchHeader) {
    const cursor = new RecordCursor(records, header)
    const isOverdue = header.hasDeleteHorizon && this.#task.nowMs >= header.baseTimestamp
    const runs: number[] = []
    let [start, count, maxTimestamp, hasTombstones] = [0, 0, -1, false]
    while (cursor.next()) {
      const end = start + cursor.sizeBytes
      if (header.isControl || this.#keepsRecord(cursor.offset, cursor.key, cursor.hasValue || !isOverdue)) {
        if (runs.at(-1) === start) runs[runs.length - 1] = end
        else runs.push(start, end)
        count += 1
        if (cursor.timestamp > maxTimestamp) maxTimestamp = cursor.timestamp
        if (!cursor.hasValue) hasTombstones = true
      }
      start = end
    }
    return { runs, count, maxTimestamp, hasTombstones }
  }

  #keepsRecord(offset: number, key: Uint8Array | null, mayStay: boolean): boolean {
    if (offset > this.#map.latestOffset) return true
    if (key === null) {
      this.keylessRecords += 1
      return false
    }
    return mayStay && offset >= this.#map.get(key)
  }

  /** Formats 0 and 1 have no empty batches: where one would be needed, the last message stays. */
  #filterLegacy(bytes: Uint8Array, header: BatchHeader, placement: BatchPlacement): Uint8Array | undefined {
    const all = [...decodeRecords(bytes, header, LIMITS)]
    let kept = all.filter(({ offset, key, value }) =>
      this.#keepsRecord(offset, key, value !== null || !placement.dropsLegacyTombstones),
    )
    if (kept.length === 0 && placement.isLast) kept = all.slice(-1)
    this.recordsRead += all.length
    this.recordsWritten += kept.length
    if (kept.length === 0) return undefined
    if (kept.length === all.length) return bytes.subarray(header.position, header.position + header.length)
    return encodeMessageSet({
      magic: header.magic as 0 | 1,
      messages: kept,
      timestampType: header.timestampType,
      compression: header.compression as Exclude<BatchHeader['compression'], 'zstd'>,
    })
  }
}

function joined(records: Uint8Array, runs: readonly number[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (let index = 0; index < runs.length; index += 2) parts.push(records.subarray(runs[index], runs[index + 1]))
  return Buffer.concat(parts)
}
