/**
 * Kafka's wire protocol: bytes, messages in all their versions, errors, record batches, compression. Knows nothing of what the messages
 * mean.
 */
export {
  type Decode,
  decodeMessage,
  decoderOf,
  decodeWithVersion,
  defaultsOf,
  type Encode,
  encodeMessage,
  encodeMessageBytes,
  encoderOf,
  encodeWithVersion,
  piecewiseEncoderOf,
} from './codec.ts'
export * from './compression/index.ts'
export { crc32c, crc32cIsNative } from './crc32c.ts'
export {
  CLIENT_ERRORS,
  ERROR_NAMES,
  ErrorCode,
  type ErrorName,
  errorMessage,
  errorName,
  KafkaError,
  MalformedError,
} from './errors.ts'
export { requestHeaderVersion, responseHeaderVersion } from './header-version.ts'
export * from './messages/headers.ts'
export { ByteReader } from './reader.ts'
export * from './records/index.ts'
export {
  type FieldSpec,
  type Fields,
  type FieldType,
  INT64_MAX,
  type MessageInput,
  type MessageKind,
  type MessageOf,
  type Schema,
  type VersionRange,
  ZERO_UUID,
} from './schema.ts'
export { ByteWriter, type ChunkedBytes } from './writer.ts'
