import {
  close as closeLater,
  closeSync,
  existsSync,
  fdatasync,
  constants as fsConstants,
  fstatSync,
  fsync,
  ftruncateSync,
  mkdirSync,
  open,
  openSync,
  read,
  readdirSync,
  readSync,
  renameSync,
  rm,
  rmSync,
  statfsSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
  writevSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { type Disk, DiskError, type DiskFile, type DiskStat } from './disk.ts'
import { takeLock } from './node-disk-lock.ts'

/** The machine's disk. */
export const nodeDisk: Disk = {
  open: (path, options = {}) => {
    const flags = options.readOnly
      ? fsConstants.O_RDONLY
      : fsConstants.O_RDWR | (options.create ? fsConstants.O_CREAT : 0)
    return new NodeDiskFile(
      path,
      attempt('open', path, () => openSync(path, flags, 0o644)),
    )
  },

  stat: path =>
    attempt('stat', path, (): DiskStat | undefined => {
      const stat = statSync(path, { throwIfNoEntry: false })
      return stat && { size: stat.size, isDirectory: stat.isDirectory(), modifiedMs: Math.floor(stat.mtimeMs) }
    }),

  space: path =>
    attempt('space', path, () => {
      const { bsize, blocks, bavail } = statfsSync(path)
      return { totalBytes: bsize * blocks, usableBytes: bsize * bavail }
    }),

  list: directory => attempt('list', directory, () => readdirSync(directory)),

  makeDirectory: path => attempt('makeDirectory', path, () => makeDirectories(path)),

  setModified: (path, modifiedMs) =>
    attempt('setModified', path, () => utimesSync(path, modifiedMs / 1000, modifiedMs / 1000)),

  rename: (from, to) => attempt('rename', from, () => renameSync(from, to)),

  remove: path => attempt('remove', path, () => unlinkSync(path)),

  removeDirectory: path =>
    attempt('removeDirectory', path, () => rmSync(path, { recursive: true, force: true, maxRetries: 3 })),

  removeLater: path =>
    new Promise((resolve, reject) => {
      rm(path, { recursive: true, force: true, maxRetries: 3 }, error => {
        if (error) reject(diskError('removeLater', path, error))
        else resolve()
      })
    }),

  syncDirectory: path =>
    new Promise((resolve, reject) => {
      // Windows cannot open a directory; its file systems journal entries themselves.
      if (process.platform === 'win32') return resolve()
      open(path, fsConstants.O_RDONLY, (openError, fd) => {
        if (openError) return reject(diskError('syncDirectory', path, openError))
        fsync(fd, syncError => {
          closeLater(fd, () => (syncError ? reject(diskError('syncDirectory', path, syncError)) : resolve()))
        })
      })
    }),

  lock: path => attempt('lock', path, () => takeLock(path)),
}

class NodeDiskFile implements DiskFile {
  readonly path: string
  readonly #fd: number
  /** Calls in the thread pool that use the descriptor: it is closed after the last one, lest its number be reused. */
  #inFlight = 0
  #closed = false

  constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  size(): number {
    this.#assertOpen('size')
    return attempt('size', this.path, () => fstatSync(this.#fd).size)
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    this.#assertOpen('read')
    try {
      return readSync(this.#fd, target, offset, length, position)
    } catch (error) {
      throw diskError('read', this.path, error)
    }
  }

  readLater(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    this.#assertOpen('read')
    this.#inFlight += 1
    return new Promise((resolve, reject) => {
      read(this.#fd, target, offset, length, position, (error, count) => {
        this.#landed()
        if (error) reject(diskError('read', this.path, error))
        else resolve(count)
      })
    })
  }

  write(chunks: readonly Uint8Array[], position: number): number {
    this.#assertOpen('write')
    try {
      const [first] = chunks
      if (first === undefined) return 0
      if (chunks.length === 1) return writeSync(this.#fd, first, 0, first.length, position)
      return writevSync(this.#fd, chunks, position)
    } catch (error) {
      throw diskError('write', this.path, error)
    }
  }

  sync(): Promise<void> {
    this.#assertOpen('sync')
    this.#inFlight += 1
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, error => {
        this.#landed()
        if (error) reject(diskError('sync', this.path, error))
        else resolve()
      })
    })
  }

  truncate(size: number): void {
    this.#assertOpen('truncate')
    attempt('truncate', this.path, () => ftruncateSync(this.#fd, size))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#inFlight === 0) attempt('close', this.path, () => closeSync(this.#fd))
  }

  #landed(): void {
    this.#inFlight -= 1
    if (this.#closed && this.#inFlight === 0) closeLater(this.#fd, () => {})
  }

  #assertOpen(operation: string): void {
    if (this.#closed) throw new DiskError('EBADF', operation, this.path)
  }
}

/** As `mkdir -p`. Node's own never returns where a directory exists and yet nothing can be made in it, as in /proc. */
function makeDirectories(path: string): void {
  const parent = dirname(path)
  if (!existsSync(parent)) makeDirectories(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

function attempt<T>(operation: string, path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw diskError(operation, path, error)
  }
}

function diskError(operation: string, path: string, error: unknown): DiskError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
  return new DiskError(code, operation, path, error)
}
