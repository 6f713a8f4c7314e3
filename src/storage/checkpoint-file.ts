import { dirname } from 'node:path'
import { type Disk, DiskError, type DiskFile } from '../platform/index.ts'
import type { TopicPartition } from './topic-partition.ts'

/** Where small files are read into; what is read is decoded before anybody else reads. */
const SCRATCH = Buffer.alloc(4096)

/**
 * A small text file that is replaced as a whole: a temporary file is written and synced, takes the old one's name, and
 * the directory is synced. After a crash at any moment either the old or the new content is there.
 *
 * Writes of one file go one after another; of those that wait only the last is made, for it replaces the others.
 */
export class AtomicFile {
  readonly #disk: Disk
  readonly #path: string
  #content: (() => string) | undefined
  #writing: Promise<void> | undefined
  #next: Promise<void> | undefined
  #isAbandoned = false
  #durable: string | undefined

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
  }

  get path(): string {
    return this.#path
  }

  /** The file as text; undefined when it is missing. */
  read(): string | undefined {
    let file: DiskFile
    try {
      file = this.#disk.open(this.#path, { readOnly: true })
    } catch (error) {
      if (error instanceof DiskError && error.code === 'ENOENT') return undefined
      throw error
    }
    try {
      // Most such files are a few lines: one read tells, where asking for the size first would be another call.
      let length = file.read(SCRATCH, 0, SCRATCH.length, 0)
      if (length < SCRATCH.length) return SCRATCH.toString('utf8', 0, length)
      const bytes = Buffer.alloc(file.size())
      length = file.read(bytes, 0, bytes.length, 0)
      return bytes.toString('utf8', 0, length)
    } finally {
      file.close()
    }
  }

  /**
   * Resolves when the file holds what `content` returned, or something newer, whatever happens. It is called when its
   * turn comes, so what is written is never older than the call.
   */
  write(content: () => string): Promise<void> {
    this.#content = content
    if (this.#writing === undefined) {
      this.#writing = this.#replace().finally(() => {
        this.#writing = undefined
      })
      return this.#writing
    }
    this.#next ??= this.#writing
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.write(this.#content!)
      })
    return this.#next
  }

  /** What the file is known to hold whatever happens; undefined before the first write, and while one is under way. */
  get durableContent(): string | undefined {
    return this.#writing === undefined ? this.#durable : undefined
  }

  /** Resolves when no write is under way or waiting, however it ended. */
  async settled(): Promise<void> {
    while (this.#next ?? this.#writing) await (this.#next ?? this.#writing)?.catch(() => {})
  }

  /** The directory is going away: what is not in place yet never comes, and no error is made of it. */
  abandon(): void {
    this.#isAbandoned = true
  }

  async #replace(): Promise<void> {
    if (this.#isAbandoned) return
    const temporary = `${this.#path}.tmp`
    const text = this.#content!()
    const synced = this.#writeTemporary(temporary, text)
    try {
      await synced
      if (this.#isAbandoned) return
      this.#disk.rename(temporary, this.#path)
      await this.#disk.syncDirectory(dirname(this.#path))
      this.#durable = text
    } catch (error) {
      if (!this.#isAbandoned) throw error
    }
  }

  /** The file is closed before the sync is awaited: whoever moves the directory meanwhile must find no file open. */
  #writeTemporary(path: string, text: string): Promise<void> {
    const bytes = Buffer.from(text)
    const file = this.#disk.open(path, { create: true })
    try {
      file.truncate(0)
      if (bytes.length > 0 && file.write([bytes], 0) < bytes.length) throw new DiskError('ENOSPC', 'write', path)
      return file.sync()
    } finally {
      file.close()
    }
  }
}

/** A checkpoint file whose content is not what it should be. */
export class CheckpointError extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`)
    this.name = 'CheckpointError'
  }
}

/** Lines of a checkpoint: `0`, the number of entries, and the entries, one a line (CheckpointFile). */
export function formatCheckpoint(entries: readonly string[]): string {
  return `0\n${entries.length}\n${entries.map(entry => `${entry}\n`).join('')}`
}

/**
 * The entries of a checkpoint's text; none for an empty file, which a broker that never got to write leaves behind.
 * @throws CheckpointError
 */
export function parseCheckpoint(path: string, text: string): string[] {
  if (text === '') return []
  const [version, count, ...lines] = text.split('\n')
  if (version !== '0') throw new CheckpointError(path, `version '${version}' instead of 0`)
  const entries = lines.filter(line => line !== '')
  if (count === undefined || !/^\d+$/.test(count) || Number(count) !== entries.length) {
    throw new CheckpointError(path, `${entries.length} entries where '${count}' are announced`)
  }
  return entries
}

/** An offset of a partition, as an offset checkpoint holds it. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

/**
 * One of the files in a log directory that hold an offset per partition: recovery points, high watermarks, log start
 * offsets, and how far compaction came (`topic partition offset`, one a line).
 */
export class OffsetCheckpoint {
  readonly #file: AtomicFile

  constructor(disk: Disk, directory: string, name: OffsetCheckpointName) {
    this.#file = new AtomicFile(disk, `${directory}/${name}`)
  }

  /**
   * Offsets by partition name.
   * @throws CheckpointError
   */
  read(): Map<string, number> {
    const offsets = new Map<string, number>()
    for (const line of parseCheckpoint(this.#file.path, this.#file.read() ?? '')) {
      const [topic = '', partition = '', offsetText = '', ...rest] = line.trim().split(/\s+/)
      const offset = Number(offsetText)
      if (!/^\d+$/.test(partition) || !/^-?\d+$/.test(offsetText) || !Number.isSafeInteger(offset) || rest.length > 0) {
        throw new CheckpointError(this.#file.path, `malformed line '${line}'`)
      }
      offsets.set(`${topic}-${partition}`, offset)
    }
    return offsets
  }

  /** Replaces the content; resolves when it survives a power cut. Nothing is done where it does already. */
  async write(offsets: () => Iterable<PartitionOffset>): Promise<void> {
    const text = (): string => {
      const lines: string[] = []
      for (const { topic, partition, offset } of offsets()) lines.push(`${topic} ${partition} ${offset}`)
      return formatCheckpoint(lines)
    }
    // While a write is under way all that come share the next one, and its text is made once, when its turn comes.
    const { durableContent } = this.#file
    if (durableContent === undefined) return this.#file.write(text)
    let made: string | undefined = text()
    if (made === durableContent) return
    await this.#file.write(() => {
      const content = made ?? text()
      made = undefined
      return content
    })
  }

  settled(): Promise<void> {
    return this.#file.settled()
  }
}

/** Names of the offset checkpoints. */
export type OffsetCheckpointName =
  | 'recovery-point-offset-checkpoint'
  | 'replication-offset-checkpoint'
  | 'log-start-offset-checkpoint'
  | 'cleaner-offset-checkpoint'
