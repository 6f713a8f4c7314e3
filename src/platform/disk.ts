/**
 * The disk as everything above this layer sees it: `nodeDisk` is the machine's, `MemoryDisk` its deterministic twin
 * that loses what was not synced when it crashes.
 *
 * Reads and writes are synchronous because a page-cache hit costs about 4 µs that way and about 100 µs through the
 * thread pool; what may really wait for the device (`sync`, `syncDirectory`, `readLater`, `removeLater`) is asynchronous. Every
 * failure is thrown as a {@link DiskError}.
 */
export interface Disk {
  /** Opens a file. `create` makes it when missing; without it a missing file is an error `ENOENT`. */
  open(path: string, options?: { readonly create?: boolean; readonly readOnly?: boolean }): DiskFile
  /** What is at `path`, or undefined when nothing is. */
  stat(path: string): DiskStat | undefined
  /** The size of the file system that holds `path`, and what of it this process may still fill. */
  space(path: string): DiskSpace
  /** Names in a directory, in no order. */
  list(directory: string): readonly string[]
  /** Makes a directory and its parents; does nothing when it is there. */
  makeDirectory(path: string): void
  /** Sets the time of a file's last modification: for a file that stands in the place of an older one. */
  setModified(path: string, modifiedMs: number): void
  /** Moves a file or directory; an existing file at `to` is replaced atomically. */
  rename(from: string, to: string): void
  /** Removes a file. */
  remove(path: string): void
  /** Removes a directory with all that is in it; does nothing when it is missing. */
  removeDirectory(path: string): void
  /**
   * Removes a file, or a directory with all that is in it, off the event loop: freeing a large file takes long. Does
   * nothing when it is missing.
   */
  removeLater(path: string): Promise<void>
  /** Resolves when the directory's entries (creations, renames, removals) survive a power cut. */
  syncDirectory(path: string): Promise<void>
  /**
   * Takes the lock of `path` for this process, creating the file when missing, or returns undefined when another live
   * process holds it. A lock does not outlive its process.
   */
  lock(path: string): DiskLock | undefined
}

/** An open file. It is never renamed or removed while open (Windows refuses both). */
export interface DiskFile {
  readonly path: string
  /** Length in bytes. */
  size(): number
  /** Reads up to `length` bytes at `position` into `target` from `offset`; returns how many (0 at the end). */
  read(target: Uint8Array, offset: number, length: number, position: number): number
  /** As {@link read}, off the event loop: for large or cold reads. */
  readLater(target: Uint8Array, offset: number, length: number, position: number): Promise<number>
  /**
   * Writes the chunks one after another at `position` and returns how many bytes went in. Fewer than given means that
   * the disk is full: no error is raised for it.
   */
  write(chunks: readonly Uint8Array[], position: number): number
  /** Resolves when what was written survives a power cut. After a failure the file must not be trusted again. */
  sync(): Promise<void>
  /** Cuts or, with zeros, extends the file to `size` bytes. */
  truncate(size: number): void
  close(): void
}

/** Of a file or directory. */
export interface DiskStat {
  readonly size: number
  readonly isDirectory: boolean
  readonly modifiedMs: number
}

/** Of a file system, in bytes. */
export interface DiskSpace {
  readonly totalBytes: number
  readonly usableBytes: number
}

/** A held lock. */
export interface DiskLock {
  release(): void
}

/** A disk operation that failed; `code` is the system's (`ENOENT`, `ENOSPC`, `EIO`, ...). */
export class DiskError extends Error {
  readonly code: string
  readonly path: string

  constructor(code: string, operation: string, path: string, cause?: unknown) {
    super(`${operation} ${path}: ${code}`, { cause })
    this.name = 'DiskError'
    this.code = code
    this.path = path
  }
}
