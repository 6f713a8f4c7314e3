import type { Random } from './random.ts'

/** What a disk writes at once: a write that a crash interrupts is torn between two of these, never within one. */
export const SECTOR_BYTES = 512

/** A change of a file that no sync has made durable yet. */
type PendingChange =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number }

/** How a crash treats what was not synced. */
export interface CrashOptions {
  readonly random: Random
  /** Chance that an un-synced sector or directory entry is there after the crash; default: drawn from `random`. */
  readonly keep?: number
  /** Chance that a lost sector within the file holds garbage and not what was there before; default 0. */
  readonly garbage?: number
}

/**
 * The content of one file of a `MemoryDisk`: what a reader sees now, what a crash cannot take any more, and the changes
 * between the two.
 */
export class MemoryFileContent {
  readonly isDirectory = false
  modifiedMs: number
  /** Opened this often and not closed. */
  openCount = 0
  #size = 0
  #bytes: Uint8Array = new Uint8Array(0)
  #durable: Uint8Array = new Uint8Array(0)
  #durableSize = 0
  #pending: PendingChange[] = []
  #durableChanges = 0

  constructor(modifiedMs: number) {
    this.modifiedMs = modifiedMs
  }

  get size(): number {
    return this.#size
  }

  /** Its size after a crash that nothing survives but what was synced. */
  get durableSize(): number {
    return this.#durableSize
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.#size - position))
    target.set(this.#bytes.subarray(position, position + count), offset)
    return count
  }

  write(bytes: Uint8Array, position: number): void {
    // Not `slice`: of a Buffer that would be a view.
    const copy = new Uint8Array(bytes)
    this.#pending.push({ kind: 'write', position, bytes: copy })
    this.#bytes = placed(this.#bytes, copy, position)
    this.#size = Math.max(this.#size, position + copy.length)
  }

  truncate(size: number): void {
    this.#pending.push({ kind: 'truncate', size })
    this.#bytes = resized(this.#bytes, this.#size, size)
    this.#size = size
  }

  /** A mark of all changes so far, for {@link makeDurable}. */
  get changes(): number {
    return this.#durableChanges + this.#pending.length
  }

  /** Makes all changes up to a mark survive any crash. Marks may come in any order. */
  makeDurable(mark: number): void {
    const count = Math.max(0, mark - this.#durableChanges)
    this.#durableChanges += count
    for (const change of this.#pending.splice(0, count)) {
      if (change.kind === 'write') {
        this.#durable = placed(this.#durable, change.bytes, change.position)
        this.#durableSize = Math.max(this.#durableSize, change.position + change.bytes.length)
      } else {
        this.#durable = resized(this.#durable, this.#durableSize, change.size)
        this.#durableSize = change.size
      }
    }
  }

  /**
   * What is left after a crash. Any subset of the un-synced sectors is there. The length goes the way of a journal: the
   * changes of it that survive are the first ones; where the length survived and the sector did not, zeros are read.
   */
  afterCrash(options: CrashOptions, keep: number): MemoryFileContent {
    const { random } = options
    const survivor = new MemoryFileContent(this.modifiedMs)
    let bytes: Uint8Array = this.#durable.slice()
    let size = this.#durableSize
    const sizesKept = keep >= 1 ? this.#pending.length : random.below(this.#pending.length + 1)
    this.#pending.forEach((change, index) => {
      const sizeKept = index < sizesKept
      if (change.kind === 'truncate') {
        if (!sizeKept) return
        bytes = resized(bytes, size, change.size)
        size = change.size
        return
      }
      const end = change.position + change.bytes.length
      for (let start = change.position; start < end; ) {
        const next = Math.min(end, (Math.floor(start / SECTOR_BYTES) + 1) * SECTOR_BYTES)
        const length = next - start
        if (random.next() < keep) {
          const sector = change.bytes.subarray(start - change.position, next - change.position)
          bytes = placed(bytes, sector, start)
          if (sizeKept) size = Math.max(size, next)
        } else if (sizeKept) {
          if (options.garbage && random.next() < options.garbage) bytes = placed(bytes, random.bytes(length), start)
          size = Math.max(size, next)
        }
        start = next
      }
    })
    // Sectors beyond the length are no part of the file: a later write that extends it finds zeros there.
    if (bytes.length > size) bytes.fill(0, size)
    survivor.#bytes = bytes.length >= size ? bytes : resized(bytes, bytes.length, size)
    survivor.#size = size
    survivor.#durable = survivor.#bytes.slice()
    survivor.#durableSize = size
    return survivor
  }
}

/** `target` with `bytes` at `position`, grown with zeros where it must. */
function placed(target: Uint8Array, bytes: Uint8Array, position: number): Uint8Array {
  const end = position + bytes.length
  let result = target
  if (end > target.length) {
    result = new Uint8Array(Math.max(end, Math.min(target.length * 2, target.length + (1 << 20))))
    result.set(target)
  }
  result.set(bytes, position)
  return result
}

/** A buffer whose first `size` bytes are those of a file cut or extended from `oldSize`; beyond `size` it holds zeros. */
function resized(target: Uint8Array, oldSize: number, size: number): Uint8Array {
  if (size < oldSize) {
    target.fill(0, size)
    return target
  }
  if (size <= target.length) {
    target.fill(0, oldSize, size)
    return target
  }
  const result = new Uint8Array(size)
  result.set(target.subarray(0, oldSize))
  return result
}
