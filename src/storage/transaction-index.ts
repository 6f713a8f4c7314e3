import { type Disk, DiskError, type DiskFile, readWholeFile } from '../platform/index.ts'
import { crc32c } from '../protocol/index.ts'
import { readInt64, writeInt64 } from './int64.ts'
import { syncFile } from './sync-file.ts'
import type { TransactionSum } from './transaction-sums.ts'

/** An aborted transaction of one producer. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** Offset of the abort marker. */
  readonly lastOffset: number
  /** The last stable offset at the time of the abort. */
  readonly lastStableOffset: number
}

/** Bytes of an entry: version (int16, 0), producer id, first, last and last stable offset (int64 each). */
const ENTRY_BYTES = 34
const VERSION = 0
const NOTHING: TransactionSum = { bytes: 0, crc: 0 }

/**
 * The `.txnindex` file of a segment: the transactions whose abort marker lies in it, in the order of the markers. It is
 * made at the first abort; most segments have none. Entries are written through to the page cache.
 */
export class TransactionIndex {
  readonly #disk: Disk
  #path: string
  /** What the file holds; undefined before anybody has looked. */
  #entries: AbortedTransaction[] | undefined
  #hasFile: boolean
  /** The file has more entries than there are. */
  #isCut = false
  /** Of all entries; undefined where nobody has asked, or one was dropped. */
  #sum: TransactionSum | undefined

  constructor(options: { readonly disk: Disk; readonly path: string; readonly hasFile: boolean }) {
    this.#disk = options.disk
    this.#path = options.path
    this.#hasFile = options.hasFile
    if (!options.hasFile) this.#entries = []
  }

  get path(): string {
    return this.#path
  }

  get hasFile(): boolean {
    return this.#hasFile
  }

  /** Adds a transaction; the markers of a segment come in order. One that was made anew meanwhile may have it already. */
  add(aborted: AbortedTransaction): void {
    const entries = this.entries()
    if (entries.length > 0 && entries.at(-1)!.lastOffset >= aborted.lastOffset) return
    const bytes = encode(aborted)
    const file = this.#disk.open(this.#path, { create: true })
    this.#hasFile = true
    try {
      this.#cut(file)
      this.#putBack(file)
      writeWhole(file, bytes, entries.length * ENTRY_BYTES)
    } finally {
      file.close()
    }
    this.#entries!.push(aborted)
    if (this.#sum) this.#sum = summed(bytes, this.#sum)
  }

  /** All transactions of the segment. */
  entries(): readonly AbortedTransaction[] {
    this.#entries ??= this.#load()
    return this.#entries
  }

  /**
   * Drops transactions whose marker is at `offset` or above. The file is cut with the next sync or addition: not before the
   * records are cut for good, lest a power cut bring back an aborted transaction that is not known as one.
   */
  truncateTo(offset: number): void {
    const kept = this.entries().filter(entry => entry.lastOffset < offset)
    if (kept.length === this.entries().length) return
    this.#entries = kept
    this.#isCut = true
    this.#sum = undefined
  }

  #cut(file: DiskFile): void {
    if (this.#isCut) file.truncate(this.entries().length * ENTRY_BYTES)
    this.#isCut = false
  }

  /** Somebody may have removed the file: what is known of it goes into the new one. */
  #putBack(file: DiskFile): void {
    const entries = this.entries()
    if (file.size() < entries.length * ENTRY_BYTES) writeWhole(file, Buffer.concat(entries.map(encode)), 0)
  }

  /** Somebody has removed the file, and nobody knows what was in it. */
  get isLost(): boolean {
    return this.#entries === undefined && this.#disk.stat(this.#path) === undefined
  }

  /** Drops all entries, and what else may be in the file. */
  reset(): void {
    this.#entries = []
    this.#sum = undefined
    this.#isCut = false
    if (!this.#hasFile) return
    const file = this.#disk.open(this.#path, { create: true })
    file.truncate(0)
    file.close()
  }

  /** Makes the file what it has to be, where somebody has removed it, or it has more than there is. Not synced. */
  write(): void {
    if (!this.#hasFile || (!this.#isCut && this.#disk.stat(this.#path) !== undefined)) return
    const entries = this.entries()
    const file = this.#disk.open(this.#path, { create: true })
    try {
      this.#cut(file)
      if (entries.length > 0) this.#putBack(file)
    } finally {
      file.close()
    }
  }

  async sync(): Promise<void> {
    if (!this.#hasFile) return
    this.write()
    await syncFile(this.#disk, this.#path)
  }

  /** Length and checksum of all entries. */
  sum(): TransactionSum {
    this.#sum ??= this.entries().reduce((sum, entry) => summed(encode(entry), sum), NOTHING)
    return this.#sum
  }

  /**
   * Whether the file begins with what `sum` is of, where there is one, and holds nothing but entries that may be of a segment
   * which begins at `baseOffset`. A missing file holds nothing.
   */
  isBorneOut(sum: TransactionSum | undefined, baseOffset: number): boolean {
    const bytes = this.#hasFile ? readWholeFile(this.#disk, this.#path) : Buffer.alloc(0)
    if (sum !== undefined && (bytes.length < sum.bytes || crc32c(bytes, 0, sum.bytes) !== sum.crc)) return false
    if (bytes.length % ENTRY_BYTES !== 0) return false
    let previous = baseOffset - 1
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const { producerId, firstOffset, lastOffset } = decode(bytes, at)
      const mayBe = producerId >= 0 && firstOffset >= 0 && firstOffset < lastOffset && lastOffset > previous
      if (bytes.readInt16BE(at) !== VERSION || !mayBe) return false
      previous = lastOffset
    }
    return true
  }

  /** The file has been moved to `path`. */
  moved(path: string): void {
    this.#path = path
  }

  /** Forgets what was read, to save memory. */
  release(): void {
    if (this.#hasFile && !this.#isCut) this.#entries = undefined
  }

  #load(): AbortedTransaction[] {
    const bytes = readWholeFile(this.#disk, this.#path)
    return Array.from({ length: Math.floor(bytes.length / ENTRY_BYTES) }, (_, index) =>
      decode(bytes, index * ENTRY_BYTES),
    )
  }
}

function writeWhole(file: DiskFile, bytes: Buffer, position: number): void {
  if (file.write([bytes], position) < bytes.length) throw new DiskError('ENOSPC', 'write', file.path)
}

function encode({ producerId, firstOffset, lastOffset, lastStableOffset }: AbortedTransaction): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES)
  bytes.writeInt16BE(VERSION, 0)
  writeInt64(bytes, 2, producerId)
  writeInt64(bytes, 10, firstOffset)
  writeInt64(bytes, 18, lastOffset)
  writeInt64(bytes, 26, lastStableOffset)
  return bytes
}

function decode(bytes: Buffer, at: number): AbortedTransaction {
  return {
    producerId: readInt64(bytes, at + 2),
    firstOffset: readInt64(bytes, at + 10),
    lastOffset: readInt64(bytes, at + 18),
    lastStableOffset: readInt64(bytes, at + 26),
  }
}

/** The sum of what `sum` is of and these bytes behind it. */
function summed(bytes: Buffer, sum: TransactionSum): TransactionSum {
  return { bytes: sum.bytes + bytes.length, crc: crc32c(bytes, 0, bytes.length, sum.crc) }
}
