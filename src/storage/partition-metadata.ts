import { type Disk, DiskError } from '../platform/index.ts'
import { AtomicFile } from './checkpoint-file.ts'
import { syncFile } from './sync-file.ts'

export const PARTITION_METADATA_FILE = 'partition.metadata'

const ZERO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The `partition.metadata` file in a partition's directory, which holds the id of its topic. */
export class PartitionMetadataFile {
  readonly #disk: Disk
  readonly #file: AtomicFile

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#file = new AtomicFile(disk, `${directory}/${PARTITION_METADATA_FILE}`)
  }

  /** The topic's id; undefined when there is no file, or one that a power cut left empty or half written. */
  read(): string | undefined {
    const match = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\s*$/.exec(this.#file.read() ?? '')
    return match?.[1] === ZERO_ID ? undefined : match?.[1]
  }

  /** Makes the file of a new log, which {@link sync} brings to disk. */
  create(topicId: string): void {
    const bytes = Buffer.from(content(topicId))
    const file = this.#disk.open(this.#file.path, { create: true })
    try {
      if (file.write([bytes], 0) < bytes.length) throw new DiskError('ENOSPC', 'write', this.#file.path)
    } finally {
      file.close()
    }
  }

  /** Resolves when what {@link create} wrote survives a power cut. */
  sync(): Promise<void> {
    return syncFile(this.#disk, this.#file.path)
  }

  /** Puts the file in place, or replaces it; resolves when the id survives a power cut. */
  write(topicId: string): Promise<void> {
    return this.#file.write(() => content(topicId))
  }

  /** The log is being deleted: nothing is written any more. */
  abandon(): void {
    this.#file.abandon()
  }
}

function content(topicId: string): string {
  return `version: 0\ntopic_id: ${topicId}`
}
