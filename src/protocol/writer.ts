/**
 * Writes Kafka's primitive types into a buffer that grows. Large byte arrays are not copied: they become chunks of their own, so that
 * record batches go from the log to the socket by reference.
 */
import { INT64_MAX } from './schema.ts'

/** From this size on a byte array is kept by reference: below, a chunk costs more than the copy. */
const BY_REFERENCE = 4096
const MAX_STRING = 0x7fff
/** More in one piece is no message: those of Kafka have an int32 for their size, and no reader takes as much. */
const MAX_PIECE_BYTES = 2 ** 29
const TWO_32 = 0x1_0000_0000

/** Bytes in one piece, or in several that follow each other: a log hands out batches as they lie in memory. */
export type ChunkedBytes = Uint8Array | readonly Uint8Array[]

/** Numbers outside of their type, strings that are too long and bad uuids throw RangeError: they are mistakes of the caller. */
export class ByteWriter {
  #buffer: Buffer
  #view: DataView
  /** Where the part begins that is in no chunk yet. */
  #start = 0
  #position = 0
  /** Finished chunks, and how many bytes they hold. */
  readonly #chunks: Uint8Array[] = []
  #chunked = 0

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity)
    this.#view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, capacity)
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#chunked + this.#position - this.#start
  }

  /** Room for `size` bytes: answers where they start. To be called before buffer or view are named: it may replace both. */
  #room(size: number): number {
    const at = this.#position
    if (at + size > this.#buffer.length) return this.#grow(size)
    this.#position = at + size
    return at
  }

  /** Moves the unfinished part to a larger buffer, or to a fresh one when what is finished fills this one. */
  #grow(size: number): number {
    const unfinished = this.#position - this.#start
    if (unfinished + size > MAX_PIECE_BYTES) throw new RangeError(`message of more than ${MAX_PIECE_BYTES} bytes`)
    const larger = Buffer.allocUnsafe(Math.max((unfinished + size) * 2, 256))
    this.#buffer.copy(larger, 0, this.#start, this.#position)
    this.#buffer = larger
    this.#view = new DataView(larger.buffer, larger.byteOffset, larger.length)
    this.#start = 0
    this.#position = unfinished + size
    return unfinished
  }

  bool(value: boolean): void {
    const at = this.#room(1)
    this.#view.setInt8(at, value ? 1 : 0)
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) outside(value, 'int8')
    const at = this.#room(1)
    this.#view.setInt8(at, value)
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) outside(value, 'int16')
    const at = this.#room(2)
    this.#view.setInt16(at, value)
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) outside(value, 'uint16')
    const at = this.#room(2)
    this.#view.setUint16(at, value)
  }

  int32(value: number): void {
    if ((value | 0) !== value) outside(value, 'int32')
    const at = this.#room(4)
    this.#view.setInt32(at, value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) outside(value, 'uint32')
    const at = this.#room(4)
    this.#view.setUint32(at, value)
  }

  float64(value: number): void {
    if (typeof value !== 'number') outside(value, 'float64')
    const at = this.#room(8)
    this.#view.setFloat64(at, value)
  }

  /** {@link INT64_MAX} is written as Java's `Long.MAX_VALUE`. */
  int64(value: number): void {
    if (!Number.isSafeInteger(value)) {
      if (value !== INT64_MAX) outside(value, 'int64')
      const max = this.#room(8)
      this.#view.setInt32(max, 0x7fff_ffff)
      this.#view.setInt32(max + 4, -1)
      return
    }
    const at = this.#room(8)
    this.#view.setInt32(at, Math.floor(value / TWO_32))
    this.#view.setUint32(at + 4, value >>> 0)
  }

  unsignedVarint(value: number): void {
    if (value >>> 0 !== value) outside(value, 'unsigned varint')
    let rest = value
    while (rest > 0x7f) {
      this.#byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.#byte(rest)
  }

  #byte(value: number): void {
    const at = this.#room(1)
    this.#buffer[at] = value
  }

  /** Zigzag. */
  varint(value: number): void {
    if ((value | 0) !== value) outside(value, 'varint')
    this.unsignedVarint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** Zigzag of up to 54 bits. */
  varlong(value: number): void {
    if (!Number.isSafeInteger(value)) outside(value, 'varlong')
    // The zigzag of v is 2v or -2v-1: up to 2^54, so it is split before the doubling could round.
    const half = value < 0 ? -value - 1 : value
    const low = (half % 64) * 2 + (value < 0 ? 1 : 0)
    let rest = Math.floor(half / 64)
    this.#byte(rest > 0 ? low | 0x80 : low)
    while (rest > 0) {
      const bits = rest % 128
      rest = Math.floor(rest / 128)
      this.#byte(rest > 0 ? bits | 0x80 : bits)
    }
  }

  /** 16 bytes from 22 characters of url-safe base64. */
  uuid(value: string): void {
    const at = this.#room(16)
    if (value.length !== 22 || this.#buffer.write(value, at, 16, 'base64url') !== 16) {
      throw new RangeError(`'${value}' is no uuid`)
    }
  }

  string(value: string): void {
    const length = byteLength(value)
    const at = this.#room(2 + length)
    this.#view.setInt16(at, length)
    this.#text(value, at + 2, length)
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    const length = byteLength(value)
    this.unsignedVarint(length + 1)
    const at = this.#room(length)
    this.#text(value, at, length)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.unsignedVarint(0)
    else this.compactString(value)
  }

  #text(value: string, at: number, length: number): void {
    // Names are short ASCII: a loop beats the call into C++ up to a few dozen characters.
    if (length === value.length && length < 40) {
      for (let index = 0; index < length; index++) this.#buffer[at + index] = value.charCodeAt(index)
    } else this.#buffer.write(value, at, length, 'utf8')
  }

  /** `bytes` and `records`, with an int32 length. */
  sizedBytes(value: ChunkedBytes): void {
    this.int32(lengthOf(value))
    this.#chunksOf(value)
  }

  nullableSizedBytes(value: ChunkedBytes | null): void {
    if (value === null) this.int32(-1)
    else this.sizedBytes(value)
  }

  compactSizedBytes(value: ChunkedBytes): void {
    this.unsignedVarint(lengthOf(value) + 1)
    this.#chunksOf(value)
  }

  compactNullableSizedBytes(value: ChunkedBytes | null): void {
    if (value === null) this.unsignedVarint(0)
    else this.compactSizedBytes(value)
  }

  #chunksOf(value: ChunkedBytes): void {
    if (value instanceof Uint8Array) this.bytes(value)
    else for (const chunk of value) this.bytes(chunk)
  }

  /** -1 for null. */
  arrayLength(count: number): void {
    this.int32(count)
  }

  compactArrayLength(count: number): void {
    this.unsignedVarint(count + 1)
  }

  /** The bytes alone. From 4 KiB on they are kept by reference: they must not change until the chunks have been sent. */
  bytes(value: Uint8Array): void {
    if (value.length < BY_REFERENCE) {
      const at = this.#room(value.length)
      this.#buffer.set(value, at)
      return
    }
    this.#seal()
    this.#chunks.push(value)
    this.#chunked += value.length
  }

  /** What another writer holds: its chunks move here. */
  append(other: ByteWriter): void {
    for (const chunk of other.chunks()) this.bytes(chunk)
  }

  #seal(): void {
    if (this.#position === this.#start) return
    this.#chunks.push(this.#buffer.subarray(this.#start, this.#position))
    this.#chunked += this.#position - this.#start
    this.#start = this.#position
  }

  /** Everything written, in order. The writer may go on. */
  chunks(): Uint8Array[] {
    this.#seal()
    return [...this.#chunks]
  }

  /** Everything written in one piece: a copy only where it is in more than one chunk. */
  finish(): Uint8Array {
    this.#seal()
    return this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#chunked)
  }
}

function lengthOf(value: ChunkedBytes): number {
  if (value instanceof Uint8Array) return value.length
  let length = 0
  for (const chunk of value) length += chunk.length
  return length
}

function byteLength(value: string): number {
  // Most names are short ASCII, where no character needs a second byte.
  let length = value.length
  if (length < 40) {
    for (let index = 0; index < value.length; index++) {
      if (value.charCodeAt(index) > 0x7f) {
        length = Buffer.byteLength(value)
        break
      }
    }
  } else length = Buffer.byteLength(value)
  if (length > MAX_STRING) throw new RangeError(`string of ${length} bytes`)
  return length
}

function outside(value: unknown, type: string): never {
  throw new RangeError(`${String(value)} is no ${type}`)
}
