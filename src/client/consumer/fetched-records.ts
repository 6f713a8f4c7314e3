import {
  type BatchHeader,
  batchCrcValid,
  decodeEndTxnMarker,
  decodeRecords,
  KafkaError,
  nextBatch,
  recordCursor,
} from '../../protocol/index.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import { ConsumerRecord, type RecordSerdes } from './consumer-record.ts'

/** A batch of records may unpack to so many bytes at most. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024

/** What one Fetch brought of one partition. */
export interface FetchedBytes {
  readonly bytes: Uint8Array
  /** Offset that was asked for: a batch may begin before it. */
  readonly fetchOffset: number
  /** In the order of their first offsets; null for a reader of everything. */
  readonly aborted: readonly { readonly producerId: number; readonly firstOffset: number }[] | null
}

/** Records of one batch that a reader gets to see. */
export interface RecordChunk<K, V> {
  readonly records: readonly ConsumerRecord<K, V>[]
  /** Where reading goes on behind them. */
  readonly nextOffset: number
  /** Leader epoch of the batch. */
  readonly epoch: number
}

/**
 * Unpacks fetched bytes batch by batch, when records are asked for: what waits in memory are bytes. Control batches and, for a reader
 * of committed records, those of aborted transactions are passed over.
 */
export class FetchedRecords<K, V> {
  readonly #place: TopicPartition
  readonly #fetched: FetchedBytes
  readonly #serdes: RecordSerdes<K, V>
  readonly #checkCrcs: boolean
  readonly #aborting = new Set<number>()
  #nextAborted = 0
  #position = 0
  #nextOffset: number
  #epoch = -1

  constructor(
    place: TopicPartition,
    fetched: FetchedBytes,
    { serdes, checkCrcs }: { readonly serdes: RecordSerdes<K, V>; readonly checkCrcs: boolean },
  ) {
    this.#place = place
    this.#fetched = fetched
    this.#serdes = serdes
    this.#checkCrcs = checkCrcs
    this.#nextOffset = fetched.fetchOffset
  }

  /** Bytes that are not unpacked yet. */
  get bytesLeft(): number {
    return this.#fetched.bytes.length - this.#position
  }

  /** Offset behind everything that was unpacked or passed over. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Leader epoch of the last batch that was unpacked or passed over; -1 before. */
  get epoch(): number {
    return this.#epoch
  }

  /**
   * The records of the next batch that has any; undefined at the end.
   * @throws KafkaError CORRUPT_MESSAGE, INVALID_RECORD: the batch is not what was written
   */
  next(): RecordChunk<K, V> | undefined {
    const { bytes } = this.#fetched
    for (;;) {
      const header = nextBatch(bytes, this.#position)
      if (header === undefined) {
        this.#position = bytes.length
        return undefined
      }
      this.#position = header.position + header.length
      const records = this.#isVisible(header) ? this.#unpack(header) : []
      this.#nextOffset = Math.max(this.#nextOffset, header.lastOffset + 1)
      this.#epoch = header.partitionLeaderEpoch
      if (records.length > 0) return { records, nextOffset: this.#nextOffset, epoch: this.#epoch }
    }
  }

  /** The end of the last whole batch, where the next fetch begins, and its leader epoch; undefined where there is none. */
  static end(
    bytes: Uint8Array,
    fetchOffset: number,
  ): { readonly endOffset: number; readonly epoch: number } | undefined {
    let last: BatchHeader | undefined
    for (let position = 0; ; ) {
      const header = nextBatch(bytes, position)
      if (header === undefined) break
      last = header
      position = header.position + header.length
    }
    return last && { endOffset: Math.max(fetchOffset, last.lastOffset + 1), epoch: last.partitionLeaderEpoch }
  }

  #isVisible(header: BatchHeader): boolean {
    const { bytes, aborted } = this.#fetched
    if (this.#checkCrcs && !batchCrcValid(bytes, header)) {
      throw new KafkaError(
        'CORRUPT_MESSAGE',
        `batch at offset ${header.baseOffset} of ${partitionKey(this.#place)} fails its checksum`,
      )
    }
    if (aborted === null) return !header.isControl
    // Markers count too: where a compaction took the records, the marker is the first that is met of its transaction.
    while ((aborted[this.#nextAborted]?.firstOffset ?? Number.POSITIVE_INFINITY) <= header.lastOffset) {
      this.#aborting.add(aborted[this.#nextAborted++]!.producerId)
    }
    if (header.isControl) {
      if (this.#isAbort(header)) this.#aborting.delete(header.producerId)
      return false
    }
    if (!header.isTransactional) return true
    return !this.#aborting.has(header.producerId)
  }

  #isAbort(header: BatchHeader): boolean {
    const cursor = recordCursor(this.#fetched.bytes, header, { maxBytes: MAX_UNPACKED_BYTES })
    return cursor.next() && decodeEndTxnMarker(cursor.record())?.result === 'abort'
  }

  #unpack(header: BatchHeader): ConsumerRecord<K, V>[] {
    const epoch = header.partitionLeaderEpoch
    const records: ConsumerRecord<K, V>[] = []
    if (header.magic !== 2) {
      for (const record of decodeRecords(this.#fetched.bytes, header, { maxBytes: MAX_UNPACKED_BYTES })) {
        if (record.offset < this.#fetched.fetchOffset) continue
        records.push(new ConsumerRecord(this.#place, { ...record, headerCount: 0 }, epoch, this.#serdes))
      }
      return records
    }
    const cursor = recordCursor(this.#fetched.bytes, header, { maxBytes: MAX_UNPACKED_BYTES })
    while (cursor.next()) {
      if (cursor.offset < this.#fetched.fetchOffset) continue
      records.push(new ConsumerRecord(this.#place, cursor, epoch, this.#serdes))
    }
    return records
  }
}
