import { dirname } from 'node:path'
import { bufferPool, type Disk, DiskError, type DiskFile } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { OpenFiles, Reopenable } from './open-files.ts'

/**
 * The `.log` file of a segment: bytes at positions, not knowing what they mean. It is opened on first use.
 *
 * `append` returns when the bytes are in the page cache: they survive the process, not the machine. `sync` resolves when
 * all that was appended before the call survives both.
 */
export class FileRecords implements Reopenable {
  readonly #disk: Disk
  readonly #openFiles: OpenFiles
  #path: string
  #file: DiskFile | undefined
  #size: number

  /** `size` is the length of the file, which the caller knows from a listing or because it is new. */
  constructor(path: string, size: number, { disk, openFiles }: { disk: Disk; openFiles: OpenFiles }) {
    this.#path = path
    this.#size = size
    this.#disk = disk
    this.#openFiles = openFiles
  }

  get path(): string {
    return this.#path
  }

  /** Bytes in the file. */
  get size(): number {
    return this.#size
  }

  /** Makes the empty file, so that the segment is there for a recovery. */
  create(): void {
    this.#file?.close()
    this.#file = this.#disk.open(this.#path, { create: true })
    this.#openFiles.opened(this)
  }

  /**
   * Writes at the end with one call.
   * @throws DiskError; what a full disk took of the bytes is cut off again first (ENOSPC).
   */
  append(chunks: readonly Uint8Array[], bytes: number): void {
    const file = this.#open()
    const written = file.write(chunks, this.#size)
    if (written < bytes) {
      file.truncate(this.#size)
      throw new DiskError('ENOSPC', 'write', this.#path)
    }
    this.#size += bytes
  }

  /**
   * Reads `length` bytes at `position` into `target`; fewer only at the end of the file, which somebody else may have cut off.
   *
   * @throws KafkaError CORRUPT_MESSAGE at what was cut off, and where the file was removed while it was not open: its records are lost, and the disk is well
   */
  readInto(target: Uint8Array, position: number, length: number): number {
    const wanted = Math.min(length, this.#size - position)
    if (wanted <= 0) return 0
    const file = this.#open()
    let count = 0
    while (count < wanted) {
      const more = file.read(target, count, wanted - count, position + count)
      if (more === 0 && count > 0) return count
      if (more === 0) throw new KafkaError('CORRUPT_MESSAGE', `${this.#path} is cut off before ${position}`)
      count += more
    }
    return count
  }

  /** `length` bytes from `position` in memory of the pool's; fewer, and errors, as with {@link readInto}. */
  read(position: number, length: number): Uint8Array {
    const target = bufferPool.take(Math.max(0, Math.min(length, this.#size - position)))
    const count = this.readInto(target, position, target.length)
    return count === target.length ? target : target.subarray(0, count)
  }

  /** Somebody has removed the file, but not its directory: the disk is well. What is in it can be read as long as it is open. */
  get isRemoved(): boolean {
    return this.#disk.stat(this.#path) === undefined && this.#disk.stat(dirname(this.#path)) !== undefined
  }

  /** Somebody has removed the file, and what was in it with it. */
  get isLost(): boolean {
    return this.#file === undefined && this.#size > 0 && this.isRemoved
  }

  truncate(size: number): void {
    if (size >= this.#size) return
    this.#open().truncate(size)
    this.#size = size
  }

  async sync(): Promise<void> {
    await this.#open().sync()
  }

  release(): void {
    this.#file?.close()
    this.#file = undefined
  }

  close(): void {
    if (this.#file === undefined) return
    this.release()
    this.#openFiles.closed(this)
  }

  /** The file has been moved to `path`; it is not open. */
  moved(path: string): void {
    this.#path = path
  }

  #open(): DiskFile {
    if (this.#file === undefined) {
      this.#file = this.#openFile()
      this.#openFiles.opened(this)
    } else {
      this.#openFiles.touched(this)
    }
    return this.#file
  }

  #openFile(): DiskFile {
    try {
      return this.#disk.open(this.#path, { create: this.#size === 0 })
    } catch (error) {
      const isRemoval = error instanceof DiskError && error.code === 'ENOENT' && this.isRemoved
      throw isRemoval ? new KafkaError('CORRUPT_MESSAGE', `${this.#path} was removed`) : error
    }
  }
}
