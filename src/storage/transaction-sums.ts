import type { Disk } from '../platform/index.ts'
import { AtomicFile, CheckpointError, formatCheckpoint, parseCheckpoint } from './checkpoint-file.ts'
import type { LogSegment } from './log-segment.ts'

export const TRANSACTION_SUMS_FILE = 'transaction-index-checkpoint'

/** Length of a transaction index, and the CRC-32C of that many bytes of it. */
export interface TransactionSum {
  readonly bytes: number
  readonly crc: number
}

/**
 * Checksums of a log's transaction indexes, which have none of their own, though a reader takes the records of an aborted
 * transaction for good where its entry is gone. A file of ours beside Kafka's (`base offset, bytes, CRC-32C`, one a line),
 * which Kafka passes over: an index that Kafka has appended to still begins with what was summed here, and one that Kafka or
 * an interrupted compaction has replaced is made anew once from the records.
 */
export class TransactionSums {
  readonly #disk: Disk
  readonly #directory: string
  #isThere: boolean
  #madeFile: AtomicFile | undefined

  constructor(disk: Disk, directory: string, isThere: boolean) {
    this.#disk = disk
    this.#directory = directory
    this.#isThere = isThere
  }

  /** Made on first use: few logs ever have sums. */
  get #file(): AtomicFile {
    this.#madeFile ??= new AtomicFile(this.#disk, `${this.#directory}/${TRANSACTION_SUMS_FILE}`)
    return this.#madeFile
  }

  /** The sums by base offset of the segment. A broken file counts as empty. */
  read(): Map<number, TransactionSum> {
    const sums = new Map<number, TransactionSum>()
    if (!this.#isThere) return sums
    try {
      for (const line of parseCheckpoint(this.#file.path, this.#file.read() ?? '')) {
        const [baseOffset = Number.NaN, bytes = Number.NaN, crc = Number.NaN] = line.split(' ').map(Number)
        if (![baseOffset, bytes, crc].every(Number.isSafeInteger)) {
          throw new CheckpointError(this.#file.path, `malformed line '${line}'`)
        }
        sums.set(baseOffset, { bytes, crc })
      }
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      return new Map()
    }
    return sums
  }

  /** Resolves when the sums of the indexes as they are now survive a power cut. A log that never had any gets no file. */
  async write(segments: readonly LogSegment[]): Promise<void> {
    const lines: string[] = []
    for (const { baseOffset, indexes } of segments) {
      if (!indexes.transactions.hasFile) continue
      const { bytes, crc } = indexes.transactions.sum()
      if (bytes > 0) lines.push(`${baseOffset} ${bytes} ${crc}`)
    }
    const text = formatCheckpoint(lines)
    if ((lines.length === 0 && !this.#isThere) || text === this.#file.durableContent) return
    this.#isThere = true
    await this.#file.write(() => text)
  }

  async settled(): Promise<void> {
    await this.#madeFile?.settled()
  }

  /** The log is being deleted: nothing is written any more. */
  abandon(): void {
    this.#file.abandon()
  }
}
