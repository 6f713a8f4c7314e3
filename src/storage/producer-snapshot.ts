import { crc32c } from '../protocol/index.ts'
import { readInt64, writeInt64 } from './int64.ts'
import { ProducerStateEntry } from './producer-state-entry.ts'

/**
 * A `.snapshot` file: all producers of a log at an offset, which is its name.
 *
 * ```
 * version int16 (1) | CRC-32C uint32 of what follows | count int32 | entries of 46 bytes:
 * producer id int64 | epoch int16 | last sequence int32 | last offset int64 | offset delta int32 | timestamp int64 |
 * coordinator epoch int32 | first offset of the open transaction int64, -1 for none
 * ```
 */
const VERSION = 1
const HEADER_BYTES = 10
const ENTRY_BYTES = 46

/** Bytes of a snapshot of `producers`, of which only the last batch is kept. */
export function encodeProducerSnapshot(producers: Iterable<ProducerStateEntry>): Buffer {
  const all = [...producers]
  const bytes = Buffer.alloc(HEADER_BYTES + all.length * ENTRY_BYTES)
  bytes.writeInt16BE(VERSION, 0)
  bytes.writeInt32BE(all.length, 6)
  let at = HEADER_BYTES
  for (const producer of all) {
    const batch = producer.batches.at(-1)
    writeInt64(bytes, at, producer.producerId)
    bytes.writeInt16BE(producer.producerEpoch, at + 8)
    bytes.writeInt32BE(batch?.lastSequence ?? -1, at + 10)
    writeInt64(bytes, at + 14, batch?.lastOffset ?? -1)
    bytes.writeInt32BE(batch?.offsetDelta ?? 0, at + 22)
    writeInt64(bytes, at + 26, producer.lastTimestamp)
    bytes.writeInt32BE(producer.coordinatorEpoch, at + 34)
    writeInt64(bytes, at + 38, producer.currentTxnFirstOffset ?? -1)
    at += ENTRY_BYTES
  }
  bytes.writeUInt32BE(crc32c(bytes, 6, bytes.length), 2)
  return bytes
}

/** The producers in a snapshot; undefined when it is torn, damaged or of another version. */
export function decodeProducerSnapshot(bytes: Buffer): ProducerStateEntry[] | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readInt16BE(0) !== VERSION) return undefined
  const count = bytes.readInt32BE(6)
  if (bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) return undefined
  if (bytes.readUInt32BE(2) !== crc32c(bytes, 6, bytes.length)) return undefined
  return Array.from({ length: count }, (_, index) => {
    const at = HEADER_BYTES + index * ENTRY_BYTES
    const producer = new ProducerStateEntry(readInt64(bytes, at))
    producer.producerEpoch = bytes.readInt16BE(at + 8)
    const lastOffset = readInt64(bytes, at + 14)
    const timestamp = readInt64(bytes, at + 26)
    if (lastOffset >= 0) {
      const [lastSequence, offsetDelta] = [bytes.readInt32BE(at + 10), bytes.readInt32BE(at + 22)]
      producer.batches.push({ lastSequence, lastOffset, offsetDelta, timestamp })
    }
    producer.lastTimestamp = timestamp
    producer.coordinatorEpoch = bytes.readInt32BE(at + 34)
    const firstOffset = readInt64(bytes, at + 38)
    producer.currentTxnFirstOffset = firstOffset < 0 ? undefined : firstOffset
    return producer
  })
}
