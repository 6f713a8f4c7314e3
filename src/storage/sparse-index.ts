import { type Disk, DiskError } from '../platform/index.ts'

/** Entries kept in memory until they are written: one system call for that many. */
const UNWRITTEN_MAX = 128
const FIRST_CAPACITY = 8
/** A file search ends by reading this many entries at once. */
const BLOCK_ENTRIES = 512

/** Where an index lies and what it may grow to. */
export interface SparseIndexOptions {
  readonly disk: Disk
  readonly path: string
  readonly entryBytes: number
  /** There is a file. */
  readonly hasFile: boolean
}

/**
 * Fixed-width entries in rising order behind a segment: the base of the offset and the time index.
 *
 * Kafka maps its indexes into memory; here the latest entries are in memory until {@link write}, all others are searched
 * in the file, where a look costs a few reads from the page cache, so that an index costs no memory while nobody asks
 * and no descriptor at all. An index carries no checksum: after an unclean stop it is built anew from the records.
 * Where somebody has removed the file, looks and writes fail with ENOENT.
 */
export abstract class SparseIndex {
  readonly #disk: Disk
  readonly #entryBytes: number
  #path: string
  /** Whole entries in the file; undefined before anybody has asked. */
  #fileCount: number | undefined
  #unwritten: Buffer | undefined
  #unwrittenCount = 0
  /** The file is there, even if empty. */
  #hasFile: boolean
  /** The file has more entries than count. */
  #isCut = false

  constructor(options: SparseIndexOptions) {
    this.#disk = options.disk
    this.#path = options.path
    this.#entryBytes = options.entryBytes
    this.#fileCount = options.hasFile ? undefined : 0
    this.#hasFile = options.hasFile
  }

  get path(): string {
    return this.#path
  }

  get entryCount(): number {
    return this.#fileEntries + this.#unwrittenCount
  }

  get #fileEntries(): number {
    this.#fileCount ??= Math.floor((this.#disk.stat(this.#path)?.size ?? 0) / this.#entryBytes)
    return this.#fileCount
  }

  /** The file is there, and holds nothing but whole entries. */
  get isWhole(): boolean {
    const { size } = this.#disk.stat(this.#path) ?? { size: -1 }
    return this.#hasFile && size >= 0 && size % this.#entryBytes === 0
  }

  /** The key of an entry, by which entries rise. */
  protected abstract keyAt(bytes: Buffer, at: number): number

  /** Room for one more entry, as bytes to fill in and where. Memory only. */
  protected append(): { bytes: Buffer; at: number } {
    let bytes = this.#unwritten
    if (this.#unwrittenCount >= UNWRITTEN_MAX) {
      this.write()
      bytes = this.#unwritten
    }
    const at = this.#unwrittenCount * this.#entryBytes
    if (bytes === undefined || at >= bytes.length) {
      const capacity = Math.min(UNWRITTEN_MAX, bytes === undefined ? FIRST_CAPACITY : this.#unwrittenCount * 4)
      const grown = Buffer.alloc(capacity * this.#entryBytes)
      if (bytes !== undefined) grown.set(bytes)
      this.#unwritten = grown
      bytes = grown
    }
    this.#unwrittenCount += 1
    return { bytes, at }
  }

  /** The bytes of entry `index`. */
  protected entry(index: number): Buffer {
    const inFile = this.#fileEntries
    if (index >= inFile) {
      const at = (index - inFile) * this.#entryBytes
      return this.#unwritten!.subarray(at, at + this.#entryBytes)
    }
    return this.#readEntries(index, 1)
  }

  /** Index of the last entry whose key is not above `key`; -1 when there is none. */
  protected floor(key: number): number {
    if (this.#unwrittenCount > 0 && this.keyAt(this.#unwritten!, 0) <= key) {
      return this.#fileEntries + this.#floorIn(this.#unwritten!, this.#unwrittenCount, key)
    }
    let low = 0
    let high = this.#fileEntries
    if (high === 0) return -1
    const file = this.#disk.open(this.#path, { readOnly: true })
    try {
      const probe = Buffer.allocUnsafe(this.#entryBytes)
      while (high - low > BLOCK_ENTRIES) {
        const middle = (low + high) >>> 1
        file.read(probe, 0, this.#entryBytes, middle * this.#entryBytes)
        if (this.keyAt(probe, 0) <= key) low = middle
        else high = middle
      }
      const block = Buffer.allocUnsafe((high - low) * this.#entryBytes)
      const read = Math.floor(file.read(block, 0, block.length, low * this.#entryBytes) / this.#entryBytes)
      return low + this.#floorIn(block, read, key)
    } finally {
      file.close()
    }
  }

  /**
   * Keeps the first `count` entries. The file is cut with the next {@link write}: not before the records are cut for good,
   * lest a power cut bring back records of which the index has lost the entries.
   */
  protected keep(count: number): void {
    if (count >= this.entryCount) return
    const inFile = this.#fileEntries
    this.#unwrittenCount = Math.max(0, count - inFile)
    if (count >= inFile) return
    this.#fileCount = count
    this.#isCut = true
  }

  /** Drops all entries, and what else may be in the file. */
  reset(): void {
    this.#unwrittenCount = 0
    this.#unwritten = undefined
    this.#fileCount = 0
    this.#isCut = false
    if (!this.#hasFile) return
    const file = this.#disk.open(this.#path, { create: true })
    file.truncate(0)
    file.close()
  }

  /**
   * Hands the entries in memory to the file, which is made where there was none yet. Not synced.
   *
   * @throws DiskError, with ENOENT when somebody has removed the file and the entries in it
   */
  write(): void {
    if (this.#unwrittenCount === 0 && this.#hasFile && !this.#isCut) return
    const file = this.#disk.open(this.#path, { create: true })
    try {
      const bytes = this.#unwrittenCount * this.#entryBytes
      const start = this.#fileEntries * this.#entryBytes
      if (file.size() < start) throw new DiskError('ENOENT', 'write', this.#path)
      if (this.#isCut) file.truncate(start)
      if (bytes > 0) {
        const written = file.write([this.#unwritten!.subarray(0, bytes)], start)
        if (written < bytes) throw new DiskError('ENOSPC', 'write', this.#path)
      }
    } finally {
      file.close()
    }
    this.#hasFile = true
    this.#isCut = false
    this.#fileCount = this.#fileEntries + this.#unwrittenCount
    this.#unwrittenCount = 0
    this.#unwritten = undefined
  }

  /** The file has been moved to `path`. */
  moved(path: string): void {
    this.#path = path
  }

  /** Whether there is a file to move or remove. */
  get hasFile(): boolean {
    return this.#hasFile
  }

  #floorIn(bytes: Buffer, count: number, key: number): number {
    let low = -1
    let high = count
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.keyAt(bytes, middle * this.#entryBytes) <= key) low = middle
      else high = middle
    }
    return low
  }

  #readEntries(index: number, count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count * this.#entryBytes)
    const file = this.#disk.open(this.#path, { readOnly: true })
    try {
      file.read(bytes, 0, bytes.length, index * this.#entryBytes)
    } finally {
      file.close()
    }
    return bytes
  }
}
