import { type Disk, DiskError, readWholeFile } from '../platform/index.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'
import type { ProducerStateEntry } from './producer-state-entry.ts'
import { DELETED_SUFFIX, SNAPSHOT_SUFFIX, segmentFileName } from './segment-files.ts'
import { syncFile } from './sync-file.ts'

/**
 * The `.snapshot` files of a log, by the offset that each is the state at. They spare a recovery the scan of old
 * segments and carry what retention has deleted the batches of. A torn one fails its
 * checksum, and then an older one and the batches behind it tell the same; so they do where somebody has removed one.
 */
export class ProducerSnapshots {
  readonly #disk: Disk
  readonly #directory: string
  /** Rising. */
  #offsets: number[]
  #unsynced: number[] = []

  constructor(disk: Disk, directory: string, offsets: readonly number[]) {
    this.#disk = disk
    this.#directory = directory
    this.#offsets = [...offsets].sort((left, right) => left - right)
  }

  get offsets(): readonly number[] {
    return this.#offsets
  }

  get latest(): number | undefined {
    return this.#offsets.at(-1)
  }

  /** Writes the state at its end offset, unless it is there already. */
  take(state: ProducerState): void {
    const offset = state.mapEndOffset
    // Nobody has written below offset 0.
    if (offset === 0) return
    if (this.latest !== undefined && this.latest >= offset) return
    const bytes = encodeProducerSnapshot(state.producers())
    const path = this.#path(offset)
    const file = this.#disk.open(path, { create: true })
    try {
      file.truncate(0)
      if (file.write([bytes], 0) < bytes.length) throw new DiskError('ENOSPC', 'write', path)
    } finally {
      file.close()
    }
    this.#offsets.push(offset)
    // Without producers there is nothing to lose: a log without a snapshot is taken to have none.
    if (state.size > 0) this.#unsynced.push(offset)
  }

  /** Resolves when the snapshots taken so far survive a power cut, once the directory is synced too. */
  async sync(): Promise<void> {
    const unsynced = this.#unsynced
    this.#unsynced = []
    const there = unsynced.filter(offset => this.#isThere(offset))
    await Promise.all(there.map(offset => syncFile(this.#disk, this.#path(offset))))
  }

  /** Whether {@link sync} has something to do. */
  get isDirty(): boolean {
    return this.#unsynced.length > 0
  }

  /** The newest whole snapshot at or below `offset`; broken ones are removed. */
  load(offset: number): { readonly offset: number; readonly producers: readonly ProducerStateEntry[] } | undefined {
    for (const candidate of this.#offsets.filter(known => known <= offset).reverse()) {
      const bytes = this.#isThere(candidate) ? readWholeFile(this.#disk, this.#path(candidate)) : undefined
      const producers = bytes && decodeProducerSnapshot(bytes)
      if (producers !== undefined) return { offset: candidate, producers }
      this.remove(candidate)
    }
    return undefined
  }

  /** Removes those above `offset`. */
  truncateTo(offset: number): void {
    for (const known of [...this.#offsets]) if (known > offset) this.remove(known)
  }

  /** Removes all. */
  clear(): void {
    this.truncateTo(-1)
  }

  /** Removes those that belong to no segment, except the newest; `keep` are the segments' base offsets. */
  removeStray(keep: ReadonlySet<number>): void {
    for (const known of [...this.#offsets]) if (known !== this.latest && !keep.has(known)) this.remove(known)
  }

  remove(offset: number): void {
    if (!this.#offsets.includes(offset)) return
    this.#offsets = this.#offsets.filter(known => known !== offset)
    this.#unsynced = this.#unsynced.filter(known => known !== offset)
    if (this.#isThere(offset)) this.#disk.remove(this.#path(offset))
  }

  /** Renames the snapshot of a segment that is being deleted; returns the new path, if there is such a snapshot. */
  markDeleted(offset: number): string | undefined {
    if (!this.#offsets.includes(offset)) return undefined
    this.#offsets = this.#offsets.filter(known => known !== offset)
    this.#unsynced = this.#unsynced.filter(known => known !== offset)
    if (!this.#isThere(offset)) return undefined
    const path = this.#path(offset)
    this.#disk.rename(path, `${path}${DELETED_SUFFIX}`)
    return `${path}${DELETED_SUFFIX}`
  }

  #isThere(offset: number): boolean {
    return this.#disk.stat(this.#path(offset)) !== undefined
  }

  #path(offset: number): string {
    return `${this.#directory}/${segmentFileName(offset, SNAPSHOT_SUFFIX)}`
  }
}
