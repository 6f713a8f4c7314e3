/** Walking over the batches that lie one behind the other in a request, a fetch or a segment. */
import { crc32c } from '../crc32c.ts'
import {
  BATCH_FIELD,
  type BatchHeader,
  HEADER_UP_TO_MAGIC_BYTES,
  LOG_OVERHEAD_BYTES,
  MIN_BATCH_BYTES,
  readBatchHeader,
  readInt32,
} from './batch-header.ts'
import { crc32 } from './crc32.ts'
import { corruptMessage, invalidRecord } from './record-error.ts'

/**
 * The whole batches in `bytes`, from `start` (default 0) on; ends quietly before one of which only a part is there, as
 * a fetch may cut its last batch. CRCs are not checked.
 *
 * @throws CORRUPT_MESSAGE for a length that no batch can have and for an unknown magic,
 * INVALID_RECORD for other fields of a header that cannot be.
 */
export function* batches(bytes: Uint8Array, start = 0): Generator<BatchHeader, void, undefined> {
  for (let next = nextBatch(bytes, start); next !== undefined; next = nextBatch(bytes, next.position + next.length)) {
    yield next
  }
}

/**
 * The batch at `position` when it is there as a whole, undefined at the end of the bytes or before a partial batch: one
 * step of {@link batches}, and its errors.
 */
export function nextBatch(bytes: Uint8Array, position: number): BatchHeader | undefined {
  const header = readBatchHeader(bytes, position)
  if (header !== undefined) return header.length <= bytes.length - position ? header : undefined
  if (bytes.length - position < HEADER_UP_TO_MAGIC_BYTES) return undefined
  const magic = bytes[position + BATCH_FIELD.magic]!
  const minBytes = MIN_BATCH_BYTES[magic]
  if (minBytes === undefined) throw corruptMessage(`batch with unknown magic ${magic}`)
  const length = readInt32(bytes, position + BATCH_FIELD.length) + LOG_OVERHEAD_BYTES
  if (length < minBytes) throw corruptMessage(`batch of ${length} bytes: format ${magic} has ${minBytes} or more`)
  if (length > bytes.length - position) return undefined
  throw invalidRecord('batch header with a negative count, an unknown codec, or a number beyond 2^53 - 1')
}

/** Whether the batch's bytes are those that its producer summed; false also when they do not reach its end. */
export function batchCrcValid(bytes: Uint8Array, header: BatchHeader): boolean {
  const end = header.position + header.length
  if (end > bytes.length) return false
  return header.magic === 2
    ? crc32c(bytes, header.position + BATCH_FIELD.attributes, end) === header.crc
    : crc32(bytes, header.position + BATCH_FIELD.magic, end) === header.crc
}
