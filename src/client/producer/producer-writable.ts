import { Writable } from 'node:stream'
import type { ProducerRecord } from './record-input.ts'

/** Records that may wait inside of a stream before writing to it has to pause. */
const HIGH_WATER_MARK = 1_000

/** What a stream needs of a producer. */
interface BatchSender<K, V> {
  sendBatch(topic: string, records: readonly ProducerRecord<K, V>[]): Promise<unknown>
}

/**
 * A stream whose records go to one topic, in order. What comes while earlier records are under way goes together after them, so a fast
 * source fills batches and a slow broker slows the source down. It finishes when all records are acknowledged, and the first that
 * cannot be written destroys it with the error.
 */
export function producerWritable<K, V>(producer: BatchSender<K, V>, topic: string): Writable {
  const send = (records: readonly ProducerRecord<K, V>[], callback: (error?: Error | null) => void): void => {
    producer.sendBatch(topic, records).then(() => callback(), callback)
  }
  return new Writable({
    objectMode: true,
    highWaterMark: HIGH_WATER_MARK,
    write: (record: ProducerRecord<K, V>, _encoding, callback) => send([record], callback),
    writev: (chunks, callback) => {
      const records = chunks.map(({ chunk }) => chunk as ProducerRecord<K, V>)
      send(records, callback)
    },
  })
}
