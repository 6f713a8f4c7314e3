import type { Disk } from '../platform/index.ts'
import { AtomicFile, CheckpointError, formatCheckpoint, parseCheckpoint } from './checkpoint-file.ts'

/** The first offset that a leader of this epoch wrote. */
export interface EpochEntry {
  readonly epoch: number
  readonly startOffset: number
}

/** No epoch, and no offset, in answers. */
export const UNDEFINED_EPOCH = -1
export const UNDEFINED_EPOCH_OFFSET = -1

export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint'

/**
 * Which epoch began at which offset of a log: what replicas agree by (KIP-101, KIP-279). Epochs and offsets rise from
 * entry to entry.
 *
 * Changes are in memory at once; {@link write} brings them to disk. A log may not move its recovery point over batches
 * whose epoch is not on disk, since a recovery learns epochs only from the batches that it scans.
 */
export class LeaderEpochCache {
  readonly #disk: Disk
  readonly #directory: string
  #madeFile: AtomicFile | undefined
  #entries: EpochEntry[] = []
  #isDirty = false

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  /** Made on first use: nothing is written of a log that nobody appends to. */
  get #file(): AtomicFile {
    this.#madeFile ??= new AtomicFile(this.#disk, `${this.#directory}/${LEADER_EPOCH_FILE}`)
    return this.#madeFile
  }

  /** Reads the file. A broken one counts as empty: it returns false, and the epochs must be learnt from the log. */
  load(): boolean {
    try {
      const text = this.#file.read()
      if (text === undefined) return true
      let last: EpochEntry = { epoch: -1, startOffset: -1 }
      this.#entries = parseCheckpoint(this.#file.path, text).map(line => {
        const [epoch = Number.NaN, startOffset = Number.NaN] = line.split(' ').map(Number)
        if (!(epoch > last.epoch && startOffset > last.startOffset)) {
          throw new CheckpointError(this.#file.path, `malformed line '${line}'`)
        }
        last = { epoch, startOffset }
        return last
      })
      return true
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      this.#entries = []
      this.#isDirty = true
      return false
    }
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  /** Whether {@link write} has something to do. */
  get isDirty(): boolean {
    return this.#isDirty
  }

  /** The last epoch; undefined in a log without any. */
  get latestEpoch(): number | undefined {
    return this.#entries.at(-1)?.epoch
  }

  /** A batch of `epoch` begins at `startOffset`. Does nothing for the epoch that is the last already. */
  assign(epoch: number, startOffset: number): void {
    const last = this.#entries.at(-1)
    if (epoch < 0 || (last !== undefined && last.epoch === epoch)) return
    // An entry that the new one contradicts belongs to batches that are gone.
    const kept = this.#entries.filter(entry => entry.epoch < epoch && entry.startOffset < startOffset)
    // A new list has no room to spare: most logs only ever have a few entries, and there are many logs.
    this.#entries = [...kept, { epoch, startOffset }]
    this.#isDirty = true
  }

  /**
   * The last offset plus one that was written in `epoch` or, where that one wrote nothing here, in the greatest epoch
   * below it; both -1 when the log cannot tell. The last epoch ends at `logEndOffset`.
   */
  endOffsetFor(epoch: number, logEndOffset: number): { readonly epoch: number; readonly endOffset: number } {
    const unknown = { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_EPOCH_OFFSET }
    const latest = this.latestEpoch
    if (epoch === UNDEFINED_EPOCH || latest === undefined) return unknown
    if (epoch === latest) return { epoch, endOffset: logEndOffset }
    const higher = this.#entries.findIndex(entry => entry.epoch > epoch)
    if (higher < 0) return unknown
    const endOffset = this.#entries[higher]!.startOffset
    return { epoch: this.#entries[higher - 1]?.epoch ?? epoch, endOffset }
  }

  /** The epoch of the batch at `offset`; undefined below the first entry. */
  epochOf(offset: number): number | undefined {
    return this.#entries.findLast(entry => entry.startOffset <= offset)?.epoch
  }

  /** The log now ends at `endOffset`: drops epochs that begin there or behind. */
  truncateFromEnd(endOffset: number): void {
    const kept = this.#entries.filter(entry => entry.startOffset < endOffset)
    if (kept.length === this.#entries.length) return
    this.#entries = kept
    this.#isDirty = true
  }

  /** The log now begins at `startOffset`: the epoch in force there begins there, earlier ones go. */
  truncateFromStart(startOffset: number): void {
    const inForce = this.#entries.findLastIndex(entry => entry.startOffset <= startOffset)
    if (inForce < 0 || (inForce === 0 && this.#entries[0]!.startOffset === startOffset)) return
    this.#entries = [{ epoch: this.#entries[inForce]!.epoch, startOffset }, ...this.#entries.slice(inForce + 1)]
    this.#isDirty = true
  }

  /** Drops all entries. */
  clear(): void {
    if (this.#entries.length === 0) return
    this.#entries = []
    this.#isDirty = true
  }

  /** Resolves when the entries of now survive a power cut. */
  async write(): Promise<void> {
    if (!this.#isDirty) return this.#file.settled()
    this.#isDirty = false
    try {
      await this.#file.write(() =>
        formatCheckpoint(this.#entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`)),
      )
    } catch (error) {
      this.#isDirty = true
      throw error
    }
  }

  async settled(): Promise<void> {
    await this.#madeFile?.settled()
  }

  /** The log is being deleted: nothing is written any more. */
  abandon(): void {
    this.#file.abandon()
  }
}
