import type { Disk, DiskFile, DiskLock, DiskSpace, DiskStat } from './disk.ts'
import { DiskError } from './disk.ts'
import { type CrashOptions, MemoryFileContent } from './memory-disk-file.ts'

/** The operations in which a fault can be placed. */
export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'remove'
  | 'list'
  | 'makeDirectory'
  | 'syncDirectory'

/** A failure to come. */
export interface DiskFault {
  readonly operation: DiskOperation
  /** Which paths it hits; default all. */
  readonly path?: (path: string) => boolean
  /** The system's error code; default `EIO`. */
  readonly code?: string
  /** How many operations fail; default 1. */
  readonly times?: number
  /** How many matching operations go well before; default 0. */
  readonly after?: number
}

/** How a {@link MemoryDisk} is made. */
export interface MemoryDiskOptions {
  /** Bytes that all files together may hold; default no limit. Beyond it a write comes up short, then fails `ENOSPC`. */
  readonly capacityBytes?: number
  /** Wall clock of modification times; default always 0. */
  readonly now?: () => number
  /** How long a sync takes, which makes durable what was written before it began; default until the next turn. */
  readonly syncDelay?: () => Promise<void>
}

/** A directory: what is seen now, what survives a crash, and the changes between them. */
class Directory {
  readonly isDirectory = true
  readonly entries = new Map<string, Node>()
  readonly durable = new Map<string, Node>()
  pending: EntryChange[] = []
  /** So many changes were made durable before those that are pending. */
  durableChanges = 0

  set(name: string, node: Node | undefined, move?: object): void {
    this.pending.push({ name, node, move })
    apply(this.entries, name, node)
  }
}

type Node = Directory | MemoryFileContent

/** An un-synced change of one entry. The two halves of a rename share `move` and survive together. */
interface EntryChange {
  readonly name: string
  readonly node: Node | undefined
  readonly move: object | undefined
}

function apply(entries: Map<string, Node>, name: string, node: Node | undefined): void {
  if (node === undefined) entries.delete(name)
  else entries.set(name, node)
}

/**
 * The deterministic twin of `nodeDisk`: a disk in memory that forgets what was not synced when it {@link crash}es, fails
 * where it is told to, and can write down what was done to it. Paths are separated by `/`.
 */
export class MemoryDisk implements Disk {
  readonly #options: MemoryDiskOptions
  #root = new Directory()
  readonly #locks = new Set<string>()
  #faults: { fault: DiskFault; skip: number; left: number }[] = []
  #trace: string[] | undefined
  #usedBytes = 0
  #capacityBytes: number
  #crashed = false

  constructor(options: MemoryDiskOptions = {}) {
    this.#options = options
    this.#capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY
  }

  /** Bytes in all files. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Sets how many bytes all files together may hold from now on. */
  setCapacity(bytes: number): void {
    this.#capacityBytes = bytes
  }

  /** Lets coming operations fail. */
  failNext(fault: DiskFault): void {
    this.#faults.push({ fault, skip: fault.after ?? 0, left: fault.times ?? 1 })
  }

  /** Forgets the faults that have not happened. */
  clearFaults(): void {
    this.#faults = []
  }

  /** Begins to write down what changes files and directories, one line an operation, into the array it returns. */
  startTrace(): string[] {
    this.#trace = []
    return this.#trace
  }

  /**
   * Cuts the power: this disk answers nothing any more, and a new one is returned that holds what was synced and, of the
   * rest, any subset of sectors and directory entries.
   */
  crash(options: CrashOptions): MemoryDisk {
    this.#crashed = true
    const { random } = options
    const survivor = new MemoryDisk(this.#options)
    survivor.#capacityBytes = this.#capacityBytes
    const keep = options.keep ?? [0, 1, 0.5, random.next()][random.below(4)]!
    const moves = new Map<object, boolean>()
    const survived = new Map<Node, Node>()
    const copy = (node: Node): Node => {
      const known = survived.get(node)
      if (known !== undefined) return known
      if (!node.isDirectory) {
        const file = node.afterCrash(options, keep)
        survived.set(node, file)
        survivor.#usedBytes += file.size
        return file
      }
      const directory = new Directory()
      survived.set(node, directory)
      fill(node, directory)
      return directory
    }
    const fill = (from: Directory, to: Directory): void => {
      const entries = new Map(from.durable)
      for (const { name, node, move } of from.pending) {
        const known = move && moves.get(move)
        const kept = known ?? random.next() < keep
        if (move) moves.set(move, kept)
        if (kept) apply(entries, name, node)
      }
      for (const [name, node] of entries) {
        const left = copy(node)
        to.entries.set(name, left)
        to.durable.set(name, left)
      }
    }
    fill(this.#root, survivor.#root)
    return survivor
  }

  /**
   * Ends the process that uses the disk: this one answers nothing any more, and a new one is returned that holds all that was
   * written. What was not synced is in the cache of the system, where a later crash finds it.
   */
  kill(): MemoryDisk {
    this.#crashed = true
    const survivor = new MemoryDisk(this.#options)
    survivor.#capacityBytes = this.#capacityBytes
    survivor.#usedBytes = this.#usedBytes
    survivor.#root = this.#root
    closeFiles(this.#root)
    return survivor
  }

  /** Whether its process or its power is gone. */
  get isCrashed(): boolean {
    return this.#crashed
  }

  open(path: string, options: { readonly create?: boolean; readonly readOnly?: boolean } = {}): DiskFile {
    this.check('open', path)
    const [directory, name] = this.#parent(path, 'open')
    let node = directory.entries.get(name)
    if (node?.isDirectory) throw new DiskError('EISDIR', 'open', path)
    if (node === undefined) {
      if (!options.create || options.readOnly) throw new DiskError('ENOENT', 'open', path)
      node = new MemoryFileContent(this.#now())
      directory.set(name, node)
      this.note(`create ${path}`)
    }
    return new MemoryDiskFile(this, path, node)
  }

  stat(path: string): DiskStat | undefined {
    this.check(undefined, path)
    const node = this.#find(path)
    if (node === undefined) return undefined
    return node.isDirectory
      ? { size: 0, isDirectory: true, modifiedMs: 0 }
      : { size: node.size, isDirectory: false, modifiedMs: node.modifiedMs }
  }

  space(): DiskSpace {
    const totalBytes = Math.min(this.#capacityBytes, 2 ** 40)
    return { totalBytes, usableBytes: Math.max(0, totalBytes - this.#usedBytes) }
  }

  /** The size that a file would have if the power went now and nothing survived but what was synced. */
  durableSize(path: string): number | undefined {
    const node = this.#find(path)
    return node?.isDirectory === false ? node.durableSize : undefined
  }

  list(directory: string): readonly string[] {
    this.check('list', directory)
    const node = this.#find(directory)
    if (node === undefined) throw new DiskError('ENOENT', 'list', directory)
    if (!node.isDirectory) throw new DiskError('ENOTDIR', 'list', directory)
    return [...node.entries.keys()]
  }

  makeDirectory(path: string): void {
    this.check('makeDirectory', path)
    let directory = this.#root
    for (const name of segments(path)) {
      const next = directory.entries.get(name) ?? new Directory()
      if (!next.isDirectory) throw new DiskError('EEXIST', 'makeDirectory', path)
      if (!directory.entries.has(name)) {
        directory.set(name, next)
        this.note(`mkdir ${path}`)
      }
      directory = next
    }
  }

  setModified(path: string, modifiedMs: number): void {
    this.check(undefined, path)
    const node = this.#find(path)
    if (node === undefined || node.isDirectory) throw new DiskError('ENOENT', 'setModified', path)
    node.modifiedMs = modifiedMs
  }

  rename(from: string, to: string): void {
    this.check('rename', from)
    const [source, oldName] = this.#parent(from, 'rename')
    const [target, newName] = this.#parent(to, 'rename')
    const node = source.entries.get(oldName)
    if (node === undefined) throw new DiskError('ENOENT', 'rename', from)
    const replaced = target.entries.get(newName)
    if (replaced?.isDirectory && (!node.isDirectory || replaced.entries.size > 0)) {
      throw new DiskError(node.isDirectory ? 'ENOTEMPTY' : 'EISDIR', 'rename', from)
    }
    for (const moved of [node, replaced]) {
      if (moved && hasOpenFiles(moved)) throw new DiskError('EBUSY', 'rename', from)
    }
    if (replaced !== undefined) this.#usedBytes -= bytesOf(replaced)
    const move = {}
    target.set(newName, node, move)
    source.set(oldName, undefined, move)
    this.note(`rename ${from} ${to}`)
  }

  remove(path: string): void {
    this.check('remove', path)
    const [directory, name] = this.#parent(path, 'remove')
    const node = directory.entries.get(name)
    if (node === undefined) throw new DiskError('ENOENT', 'remove', path)
    if (node.isDirectory) throw new DiskError('EISDIR', 'remove', path)
    if (hasOpenFiles(node)) throw new DiskError('EBUSY', 'remove', path)
    directory.set(name, undefined)
    this.#usedBytes -= node.size
    this.note(`remove ${path}`)
  }

  removeDirectory(path: string): void {
    this.check('remove', path)
    const node = this.#find(path)
    if (node === undefined) return
    if (!node.isDirectory) throw new DiskError('ENOTDIR', 'removeDirectory', path)
    if (hasOpenFiles(node)) throw new DiskError('EBUSY', 'removeDirectory', path)
    const [directory, name] = this.#parent(path, 'removeDirectory')
    this.#usedBytes -= bytesOf(node)
    directory.set(name, undefined)
    this.note(`remove-directory ${path}`)
  }

  async removeLater(path: string): Promise<void> {
    await Promise.resolve()
    const node = this.#find(path)
    if (node === undefined) this.check('remove', path)
    else if (node.isDirectory) this.removeDirectory(path)
    else this.remove(path)
  }

  async syncDirectory(path: string): Promise<void> {
    this.check('syncDirectory', path)
    const node = this.#find(path)
    if (!node?.isDirectory) throw new DiskError('ENOENT', 'syncDirectory', path)
    const mark = node.durableChanges + node.pending.length
    this.note(`sync-directory ${path}`)
    await this.syncDelay()
    this.check(undefined, path)
    const done = node.pending.splice(0, Math.max(0, mark - node.durableChanges))
    node.durableChanges += done.length
    for (const change of done) {
      apply(node.durable, change.name, change.node)
      this.#settleMove(change)
    }
  }

  /** Resolves when a sync that begins now is done. */
  syncDelay(): Promise<void> {
    return this.#options.syncDelay?.() ?? Promise.resolve()
  }

  lock(path: string): DiskLock | undefined {
    this.check('open', path)
    if (this.#locks.has(path)) return undefined
    this.open(path, { create: true }).close()
    this.#locks.add(path)
    return { release: () => void this.#locks.delete(path) }
  }

  /** Throws what an operation on `path` must fail with, if anything. */
  check(operation: DiskOperation | undefined, path: string): void {
    if (this.#crashed) throw new DiskError('ECRASHED', operation ?? 'use', path)
    if (operation === undefined) return
    for (const pending of this.#faults) {
      const { fault } = pending
      if (fault.operation !== operation || fault.path?.(path) === false) continue
      if (pending.skip-- > 0) continue
      pending.left -= 1
      if (pending.left === 0) this.#faults = this.#faults.filter(other => other !== pending)
      throw new DiskError(fault.code ?? 'EIO', operation, path)
    }
  }

  /** Writes a line into the trace, if one is wanted. */
  note(line: string): void {
    this.#trace?.push(line)
  }

  /** Grows or shrinks what is used by up to `bytes`; returns by how much. */
  use(bytes: number): number {
    const granted = Math.min(bytes, Math.max(0, this.#capacityBytes - this.#usedBytes))
    this.#usedBytes += granted
    return granted
  }

  touch(file: MemoryFileContent): void {
    file.modifiedMs = this.#now()
  }

  /** Both halves of a rename are durable when one is: they are one entry of the journal. */
  #settleMove(change: EntryChange): void {
    if (change.move === undefined) return
    const visit = (directory: Directory): void => {
      const half = directory.pending.findIndex(other => other.move === change.move)
      if (half >= 0) {
        const [other] = directory.pending.splice(half, 1)
        if (other) apply(directory.durable, other.name, other.node)
        return
      }
      for (const node of directory.entries.values()) if (node.isDirectory) visit(node)
    }
    visit(this.#root)
  }

  #now(): number {
    return this.#options.now?.() ?? 0
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of segments(path)) {
      if (!node?.isDirectory) return undefined
      node = node.entries.get(name)
    }
    return node
  }

  #parent(path: string, operation: string): [Directory, string] {
    const names = segments(path)
    const name = names.pop()
    const directory = this.#find(names.join('/'))
    if (name === undefined || !directory?.isDirectory) throw new DiskError('ENOENT', operation, path)
    return [directory, name]
  }
}

/** An open file of a {@link MemoryDisk}. */
class MemoryDiskFile implements DiskFile {
  readonly path: string
  readonly #disk: MemoryDisk
  readonly #content: MemoryFileContent
  #closed = false

  constructor(disk: MemoryDisk, path: string, content: MemoryFileContent) {
    this.path = path
    this.#disk = disk
    this.#content = content
    // The process may have died while it opened the file.
    if (!disk.isCrashed) content.openCount += 1
  }

  size(): number {
    this.#check(undefined)
    return this.#content.size
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    this.#check('read')
    return this.#content.read(target, offset, length, position)
  }

  async readLater(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.read(target, offset, length, position)
  }

  write(chunks: readonly Uint8Array[], position: number): number {
    this.#check('write')
    const wanted = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const growth = Math.max(0, position + wanted - this.#content.size)
    const written = wanted - growth + this.#disk.use(growth)
    if (written === 0 && wanted > 0) throw new DiskError('ENOSPC', 'write', this.path)
    const bytes = chunks.length === 1 ? chunks[0]! : concatenated(chunks, wanted)
    this.#content.write(bytes.subarray(0, written), position)
    this.#disk.touch(this.#content)
    this.#disk.note(`write ${this.path} @${position} +${written}`)
    return written
  }

  async sync(): Promise<void> {
    this.#check('sync')
    const mark = this.#content.changes
    this.#disk.note(`sync ${this.path}`)
    await this.#disk.syncDelay()
    this.#disk.check(undefined, this.path)
    this.#content.makeDurable(mark)
  }

  truncate(size: number): void {
    this.#check('truncate')
    this.#disk.use(size - this.#content.size)
    this.#content.truncate(size)
    this.#disk.touch(this.#content)
    this.#disk.note(`truncate ${this.path} ${size}`)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    // The death of the process has closed it before.
    if (!this.#disk.isCrashed) this.#content.openCount -= 1
  }

  #check(operation: DiskOperation | undefined): void {
    if (this.#closed) throw new DiskError('EBADF', operation ?? 'use', this.path)
    this.#disk.check(operation, this.path)
  }
}

function concatenated(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let position = 0
  for (const chunk of chunks) {
    bytes.set(chunk, position)
    position += chunk.length
  }
  return bytes
}

function segments(path: string): string[] {
  return path.split('/').filter(name => name !== '' && name !== '.')
}

function bytesOf(node: Node): number {
  if (!node.isDirectory) return node.size
  return [...node.entries.values()].reduce((sum, child) => sum + bytesOf(child), 0)
}

/** A rename or removal of an open file fails here as it does on Windows, so that no code comes to rely on it. */
function closeFiles(directory: Directory): void {
  for (const node of directory.entries.values()) {
    if (node.isDirectory) closeFiles(node)
    else node.openCount = 0
  }
}

function hasOpenFiles(node: Node): boolean {
  if (!node.isDirectory) return node.openCount > 0
  return [...node.entries.values()].some(hasOpenFiles)
}
