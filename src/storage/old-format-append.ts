import {
  type BatchHeader,
  batches,
  decodeMessages,
  downconvert,
  encodeMessageSet,
  KafkaError,
  patchBatch,
  readBatchHeader,
  stampMessage,
} from '../protocol/index.ts'
import type { LogConfig } from './log-config.ts'
import { MAX_DECOMPRESSED_BYTES } from './transaction-marker.ts'

const LIMITS = { maxBytes: MAX_DECOMPRESSED_BYTES }

/**
 * Batches as the message set that a topic of format 0 or 1 stores (`message.format.version`); codec and order stay,
 * headers go. Offsets count from 0 until {@link stampMessages} knows where the log ends.
 *
 * @throws UNSUPPORTED_FOR_MESSAGE_FORMAT for what must have a producer id, UNSUPPORTED_COMPRESSION_TYPE for zstd
 */
export function toMessageSet(
  bytes: Uint8Array,
  { messageFormat, compressionLevel }: Pick<LogConfig, 'messageFormat' | 'compressionLevel'>,
): Uint8Array {
  let baseOffset = 0
  for (const { position, producerId, isControl, compression, lastOffsetDelta } of batches(bytes)) {
    if (producerId >= 0 || isControl) {
      const what = isControl ? 'markers of transactions' : 'records of an idempotent producer'
      throw new KafkaError('UNSUPPORTED_FOR_MESSAGE_FORMAT', `message format ${messageFormat} has no place for ${what}`)
    }
    if (compression === 'zstd') {
      throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `message format ${messageFormat} does not know zstd`)
    }
    patchBatch(bytes, position, { baseOffset, partitionLeaderEpoch: -1 })
    baseOffset += lastOffsetDelta + 1
  }
  const level = compressionLevel === undefined ? {} : { compressionLevel }
  return downconvert(bytes, { magic: messageFormat as 0 | 1, ...LIMITS, ...level })
}

/** A message set and the headers of its entries. */
export interface MessageSet {
  readonly bytes: Uint8Array
  readonly batches: readonly BatchHeader[]
}

/**
 * Gives the messages of {@link toMessageSet} their offsets and perhaps their time: in place, but for compressed ones of
 * format 0, which have their offsets inside and are packed anew.
 */
export function stampMessages(
  { bytes, batches: entries }: MessageSet,
  stamp: { readonly nextOffset: number; readonly logAppendTimeMs: number | undefined },
): MessageSet {
  if (entries.some(({ magic, compression }) => magic === 0 && compression !== 'none')) {
    const packed = Buffer.concat(entries.map(header => packedAnew(bytes, header, stamp.nextOffset)))
    return { bytes: packed, batches: [...batches(packed)] }
  }
  for (const header of entries) {
    const offset = stamp.nextOffset + header.lastOffset
    stampMessage(bytes, header, { offset, logAppendTimeMs: stamp.logAppendTimeMs })
  }
  return { bytes, batches: entries.map(({ position }) => readBatchHeader(bytes, position)!) }
}

function packedAnew(bytes: Uint8Array, header: BatchHeader, nextOffset: number): Uint8Array {
  const messages = [...decodeMessages(bytes, header, LIMITS)].map(message => ({
    ...message,
    offset: nextOffset + message.offset,
  }))
  return encodeMessageSet({
    magic: 0,
    messages,
    compression: header.compression as Exclude<typeof header.compression, 'zstd'>,
  })
}
