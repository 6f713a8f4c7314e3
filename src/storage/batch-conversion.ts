import type { Job } from '../platform/index.ts'
import {
  BATCH_FIELD,
  type BatchHeader,
  batches,
  type CompressionType,
  decodeRecords,
  type ErrorName,
  encodeBatch,
  KafkaError,
  upconvert,
} from '../protocol/index.ts'
import type { LogConfig } from './log-config.ts'
import { toMessageSet } from './old-format-append.ts'
import { checkRecords, type RecordError, type RecordRules, RecordValidationError } from './record-check.ts'
import { MAX_DECOMPRESSED_BYTES } from './transaction-marker.ts'

/** In which codec a topic stores batches, its own or the producer's, and in which format. */
type Codec = Pick<LogConfig, 'compressionType' | 'compressionLevel' | 'messageFormat'>

/** Whether records begin with a message of format 0 or 1. */
export function isMessageSet(records: Uint8Array): boolean {
  return records.length > BATCH_FIELD.magic && records[BATCH_FIELD.magic]! < 2
}

/** Whether records begin with a compressed batch of format 2. */
export function isCompressed(records: Uint8Array): boolean {
  return records.length > BATCH_FIELD.attributes + 1 && (records[BATCH_FIELD.attributes + 1]! & 7) !== 0
}

/** Whether a topic stores such batches in another form: message sets become a batch, and its codec is the topic's. */
export function mustConvert(headers: readonly BatchHeader[], codec: Codec): boolean {
  return headers.some(header => header.magic < 2 || mustRecompress(header, codec))
}

function mustRecompress(header: BatchHeader, { compressionType }: Codec): boolean {
  return compressionType !== 'producer' && header.compression !== compressionType && !header.isControl
}

/**
 * Whole batches as the topic stores them. It may take a second for a megabyte: everything is unpacked and packed again.
 *
 * @throws CORRUPT_MESSAGE, INVALID_RECORD, INVALID_TIMESTAMP, MESSAGE_TOO_LARGE for records that cannot be read
 */
export function convertBatches(bytes: Uint8Array, codec: Codec): Uint8Array {
  const headers = [...batches(bytes)]
  if (headers[0] !== undefined && headers[0].magic < 2) {
    const { compressionType } = codec
    const own = compressionType === 'producer' ? {} : { compression: compressionType }
    return upconvert(bytes, { maxBytes: MAX_DECOMPRESSED_BYTES, ...own, ...levelOf(codec) })
  }
  return Buffer.concat(headers.map(header => recompressed(bytes, header, codec)))
}

function recompressed(bytes: Uint8Array, header: BatchHeader, codec: Codec): Uint8Array {
  if (!mustRecompress(header, codec)) return bytes.subarray(header.position, header.position + header.length)
  return encodeBatch({
    records: [...decodeRecords(bytes, header, { maxBytes: MAX_DECOMPRESSED_BYTES })],
    compression: codec.compressionType as CompressionType,
    ...levelOf(codec),
    maxTimestamp: header.maxTimestamp,
    timestampType: header.timestampType,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    isTransactional: header.isTransactional,
  })
}

function levelOf({ compressionLevel }: Codec): { compressionLevel: number } | undefined {
  return compressionLevel === undefined ? undefined : { compressionLevel }
}

type UnpackOutput =
  | { readonly bytes: Uint8Array }
  | { readonly error: ErrorName; readonly message: string; readonly recordErrors: readonly RecordError[] }

/** Everything about an append that unpacks records, beside the event loop: {@link convertBatches} and {@link checkRecords}. */
export const unpackJob: Job<Codec & { readonly bytes: Uint8Array; readonly rules: RecordRules }, UnpackOutput> = {
  module: import.meta.url,
  name: 'unpackJob',
  run: ({ bytes, rules, ...codec }) => {
    try {
      const stored = mustConvert([...batches(bytes)], codec) ? convertBatches(bytes, codec) : bytes
      for (const header of batches(stored)) checkRecords(stored, header, rules)
      return { bytes: codec.messageFormat === 2 ? stored : toMessageSet(stored, codec) }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const recordErrors = error instanceof RecordValidationError ? error.recordErrors : []
      return { error: error.code, message: error.message, recordErrors }
    }
  },
}

/**
 * Records that were admitted, converted and looked into before their append, which is told of what went wrong when its
 * turn comes. Made by `Log.prepare` alone.
 */
export class PreparedRecords {
  readonly #outcome: Uint8Array | KafkaError

  constructor(outcome: UnpackOutput) {
    this.#outcome = 'bytes' in outcome ? outcome.bytes : errorOf(outcome)
  }

  /** The batches. @throws what {@link unpackJob} came upon */
  get bytes(): Uint8Array {
    if (this.#outcome instanceof KafkaError) throw this.#outcome
    return this.#outcome
  }
}

function errorOf({ error, message, recordErrors }: Exclude<UnpackOutput, { bytes: Uint8Array }>): KafkaError {
  if (recordErrors.length === 0) return new KafkaError(error, message)
  return new RecordValidationError(error === 'INVALID_TIMESTAMP' ? error : 'INVALID_RECORD', recordErrors)
}
