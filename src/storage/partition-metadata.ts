import type { Disk } from '../platform/index.ts'
import { AtomicFile } from './checkpoint-file.ts'

export const PARTITION_METADATA_FILE = 'partition.metadata'

const ZERO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** The `partition.metadata` file in a partition's directory, which holds the id of its topic. */
export class PartitionMetadataFile {
  readonly #file: AtomicFile

  constructor(disk: Disk, directory: string) {
    this.#file = new AtomicFile(disk, `${directory}/${PARTITION_METADATA_FILE}`)
  }

  /** The topic's id; undefined when there is no file, or one that a power cut left empty or half written. */
  read(): string | undefined {
    const match = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\s*$/.exec(this.#file.read() ?? '')
    return match?.[1] === ZERO_ID ? undefined : match?.[1]
  }

  /** Resolves when the id survives a power cut. */
  write(topicId: string): Promise<void> {
    return this.#file.write(() => `version: 0\ntopic_id: ${topicId}`)
  }

  /** The log is being deleted: nothing is written any more. */
  abandon(): void {
    this.#file.abandon()
  }
}
