/**
 * Encoding and decoding of messages by their schema. A codec is compiled from the table on the first use of a (message, version) and
 * kept; compiling takes a fraction of a millisecond. Only names and numbers of tables that this package declares get into the source
 * text, never anything that came over the wire.
 */
import { type CodecSource, decoderSource, defaultsOfFields, encoderSource } from './codec-source.ts'
import { KafkaError } from './errors.ts'
import { ByteReader } from './reader.ts'
import type { MessageInput, MessageOf, Schema } from './schema.ts'
import { ByteWriter } from './writer.ts'

type Encoder = (writer: ByteWriter, message: unknown) => void
type PiecewiseEncoder = (writer: ByteWriter, message: unknown) => Iterable<void>
type Decoder = (reader: ByteReader) => unknown

interface Codecs {
  readonly encoders: (Encoder | undefined)[]
  readonly piecewise: (PiecewiseEncoder | undefined)[]
  readonly decoders: (Decoder | undefined)[]
}

const compiled = new WeakMap<Schema, Codecs>()

/** What encoders call by the name `E`. */
const encoding = {
  scratch: (): ByteWriter => new ByteWriter(),
  isNull(path: string): never {
    throw new TypeError(`${path} is null`)
  },
  unsupported(path: string, version: number): never {
    throw new KafkaError('UNSUPPORTED_VERSION', `version ${version} has no ${path}, which is not the default`)
  },
}

function codecsOf(schema: Schema): Codecs {
  let codecs = compiled.get(schema)
  if (!codecs) {
    codecs = { encoders: [], piecewise: [], decoders: [] }
    compiled.set(schema, codecs)
  }
  return codecs
}

function compile(source: CodecSource): unknown {
  return new Function('K', 'E', source.text)(source.constants, encoding)
}

function checkVersion(schema: Schema, version: number): void {
  const { min, max } = schema.versions
  if (!(version >= min && version <= max)) {
    throw new KafkaError('UNSUPPORTED_VERSION', `${schema.name} has no version ${version}, only ${min} to ${max}`)
  }
}

/** Writes the body of messages of one version of a schema. */
export type Encode<S> = (writer: ByteWriter, message: MessageInput<S>) => void

/** Reads them. */
export type Decode<S> = (reader: ByteReader) => MessageOf<S>

/**
 * The encoder of a version, for callers that write a header and a body into one writer.
 *
 * @throws KafkaError UNSUPPORTED_VERSION for a version that does not exist.
 */
export function encoderOf<S extends Schema>(schema: S, version: number): Encode<S> {
  const { encoders } = codecsOf(schema)
  const known = encoders[version]
  if (known) return known as Encode<S>
  checkVersion(schema, version)
  const encode = compile(encoderSource(schema, version)) as Encoder
  encoders[version] = encode
  return encode as Encode<S>
}

/**
 * As {@link encoderOf}, for messages that may have thousands of entries: nothing is written before the result is walked
 * through, and each step of the walk writes no more than one element of the arrays of the message itself.
 *
 * @throws KafkaError UNSUPPORTED_VERSION for a version that does not exist.
 */
export function piecewiseEncoderOf<S extends Schema>(
  schema: S,
  version: number,
): (writer: ByteWriter, message: MessageInput<S>) => Iterable<void> {
  const { piecewise } = codecsOf(schema)
  checkVersion(schema, version)
  piecewise[version] ??= compile(encoderSource(schema, version, { inPieces: true })) as PiecewiseEncoder
  return piecewise[version]
}

/** @throws KafkaError UNSUPPORTED_VERSION for a version that does not exist. */
export function decoderOf<S extends Schema>(schema: S, version: number): Decode<S> {
  const { decoders } = codecsOf(schema)
  const known = decoders[version]
  if (known) return known as Decode<S>
  checkVersion(schema, version)
  const decode = compile(decoderSource(schema, version)) as Decoder
  decoders[version] = decode
  return decode as Decode<S>
}

/**
 * The body of a message, without its header, as chunks in order. Byte arrays of 4 KiB and more are in it by reference.
 *
 * @throws KafkaError UNSUPPORTED_VERSION for a version that does not exist, or that lacks a field which is neither ignorable nor at its
 * default; TypeError and RangeError for values that the field's type cannot hold.
 */
export function encodeMessage<S extends Schema>(schema: S, version: number, message: MessageInput<S>): Uint8Array[] {
  const writer = new ByteWriter()
  encoderOf(schema, version)(writer, message)
  return writer.chunks()
}

/** As {@link encodeMessage}, in one piece. */
export function encodeMessageBytes<S extends Schema>(schema: S, version: number, message: MessageInput<S>): Uint8Array {
  const writer = new ByteWriter()
  encoderOf(schema, version)(writer, message)
  return writer.finish()
}

/**
 * Reads the body of a message. Byte arrays are views of the reader's bytes. What follows the message is left in the reader.
 *
 * @throws MalformedError for bytes that are no such message; KafkaError UNSUPPORTED_VERSION for a version that does not exist.
 */
export function decodeMessage<S extends Schema>(schema: S, version: number, reader: ByteReader): MessageOf<S> {
  return decoderOf(schema, version)(reader)
}

/** A message of nothing but defaults: a new one each time. */
export function defaultsOf<S extends Schema>(schema: S): MessageOf<S> {
  return defaultsOfFields(schema.fields) as MessageOf<S>
}

/** A data message behind its version as an int16, as consumers embed and coordinators store them. */
export function encodeWithVersion<S extends Schema>(schema: S, version: number, message: MessageInput<S>): Uint8Array {
  const writer = new ByteWriter()
  writer.int16(version)
  encoderOf(schema, version)(writer, message)
  return writer.finish()
}

/**
 * Reads what {@link encodeWithVersion} writes.
 *
 * @throws MalformedError; KafkaError UNSUPPORTED_VERSION.
 */
export function decodeWithVersion<S extends Schema>(
  schema: S,
  bytes: Uint8Array,
): { version: number; message: MessageOf<S> } {
  const reader = new ByteReader(bytes)
  const version = reader.int16()
  return { version, message: decodeMessage(schema, version, reader) }
}
