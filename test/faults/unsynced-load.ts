/** Numbered records that nobody syncs: a power cut takes the last of them, or leaves them in part. */
import assert from 'node:assert/strict'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { sleep } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { produce } from './idempotent-load.ts'
import { readPartition } from './partition-reader.ts'

const TOPIC = 'unsynced'
const RECORDS_A_BATCH = 3
const PAYLOAD = 'x'.repeat(1_000)
const RETRY_PAUSE_MS = 5

/** Writes 0, 1, 2, ..., none of them twice, to one partition of a topic that is never flushed by its settings. */
export class UnsyncedLoad {
  /** As its directory is called. */
  static readonly partition = `${TOPIC}-0`
  readonly #port: number
  readonly #writing: Promise<void>
  #isStopping = false
  acknowledged = 0

  private constructor(port: number) {
    this.#port = port
    this.#writing = this.#write()
  }

  static async start(broker: BrokerProcess): Promise<UnsyncedLoad> {
    const configEntries = [
      { name: 'flush.messages', value: String(Number.MAX_SAFE_INTEGER) },
      { name: 'segment.bytes', value: '131072' },
    ]
    await createTopics(broker, [{ topic: TOPIC, numPartitions: 1, configEntries }])
    return new UnsyncedLoad(broker.port)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#writing
  }

  /** What is there are records that were written, in order, and none twice; gives how many. */
  async audit(): Promise<number> {
    const records = await readPartition(this.#port, { topic: TOPIC, partition: 0 })
    let last = -1
    for (const { offset, value } of records) {
      const number = Number.parseInt(value, 10)
      assert.ok(number > last && value === `${number} ${PAYLOAD}`, `${number} is at offset ${offset}, behind ${last}`)
      last = number
    }
    return records.length
  }

  async #write(): Promise<void> {
    let client: ProtocolClient | undefined
    for (let first = 0; !this.#isStopping; first += RECORDS_A_BATCH) {
      const records = Array.from({ length: RECORDS_A_BATCH }, (_, index) => ({
        value: Buffer.from(`${first + index} ${PAYLOAD}`),
        timestamp: Date.now(),
      }))
      try {
        client ??= await ProtocolClient.open(this.#port)
        const { error } = await produce(client, { topic: TOPIC, partition: 0, records: p.encodeBatch({ records }) })
        if (error === 'NONE') this.acknowledged += RECORDS_A_BATCH
      } catch {
        client?.close()
        client = undefined
        await sleep(RETRY_PAUSE_MS)
      }
    }
    client?.close()
  }
}
