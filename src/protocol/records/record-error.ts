/** What is wrong with bytes that should be records, as the error codes that clients know. */
import { KafkaError } from '../errors.ts'

/** Bytes that cannot be a batch, or are not those that were sent (`CORRUPT_MESSAGE`, retriable). */
export function corruptMessage(reason: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', reason)
}

/** A whole batch whose contents break the rules (`INVALID_RECORD`, not retriable). */
export function invalidRecord(reason: string): KafkaError {
  return new KafkaError('INVALID_RECORD', reason)
}

/** More comes out of compressed records than `maxBytes` (`MESSAGE_TOO_LARGE`, not retriable). */
export function messageTooLarge(maxBytes: number): KafkaError {
  return new KafkaError('MESSAGE_TOO_LARGE', `more than ${maxBytes} bytes decompressed`)
}

/** A producer stamps records as only a broker may (`INVALID_TIMESTAMP`, not retriable). */
export function invalidTimestamp(reason: string): KafkaError {
  return new KafkaError('INVALID_TIMESTAMP', reason)
}

/** Records in a codec that the wanted format does not know (`UNSUPPORTED_COMPRESSION_TYPE`, not retriable). */
export function unsupportedCompression(reason: string): KafkaError {
  return new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', reason)
}
