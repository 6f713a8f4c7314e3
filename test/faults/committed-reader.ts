/** A read_committed reader that reads on through every fault, and remembers what it saw. */
import { sleep } from '../compat/process.ts'
import { readPartition, type StoredRecord } from './partition-reader.ts'

const PAUSE_MS = 20

/** Reads partitions of a topic from their beginning while others write and the broker comes and goes. */
export class CommittedReader {
  readonly #port: number
  readonly #topic: string
  readonly #seen: StoredRecord[][]
  #reading: Promise<void> | undefined
  #stopping = false
  /** How often a read was cut off. */
  broken = 0

  constructor(port: number, topic: { readonly name: string; readonly partitions: number }) {
    this.#port = port
    this.#topic = topic.name
    this.#seen = Array.from({ length: topic.partitions }, () => [])
  }

  start(): void {
    this.#reading = this.#read()
  }

  /** Records seen so far. */
  get count(): number {
    return this.#seen.reduce((sum, records) => sum + records.length, 0)
  }

  /** Values seen in a partition, in the order in which they came. */
  values(partition: number): string[] {
    return this.#seen[partition]!.map(({ value }) => value)
  }

  /** Ends the reading; rejects when a record was broken. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#reading
  }

  async #read(): Promise<void> {
    while (!this.#stopping) {
      for (const [partition, records] of this.#seen.entries()) {
        const from = (records.at(-1)?.offset ?? -1) + 1
        const reading = { topic: this.#topic, partition, from, isReadCommitted: true }
        try {
          records.push(...(await readPartition(this.#port, reading)))
        } catch (error) {
          if (!/closed the connection|ECONNREFUSED|ECONNRESET|EPIPE/.test(String(error))) throw error
          this.broken++
        }
      }
      await sleep(PAUSE_MS)
    }
  }
}
