/**
 * Reads Kafka's primitive types from bytes that may be hostile: every length and count is checked against the bytes that remain
 * before anything is made of it, and nothing is copied but strings.
 */
import { MalformedError } from './errors.ts'
import { INT64_MAX, ZERO_UUID } from './schema.ts'

/** Longest string in either form: Kafka keeps the old limit of an int16 length for compact strings too. */
const MAX_STRING = 0x7fff
/**
 * Most array elements of one message: a byte or two on the wire becomes an object of dozens in memory, so that the size of the frame
 * alone bounds nothing. Metadata of a million partitions stays below it.
 */
const MAX_ELEMENTS = 2 ** 23
const TWO_32 = 0x1_0000_0000

/** Reads forward from `start` to `end`. Every method throws {@link MalformedError} for what is not there or not allowed. */
export class ByteReader {
  readonly #buffer: Buffer
  readonly #view: DataView
  readonly #end: number
  #position: number
  /** Array elements that may still come. */
  #elements = MAX_ELEMENTS

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    if (start < 0 || end < start || end > bytes.length)
      throw new RangeError(`no bytes ${start} to ${end} of ${bytes.length}`)
    this.#buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#position = start
    this.#end = end
  }

  /** Index into the bytes that the reader was made with. */
  get position(): number {
    return this.#position
  }

  /** Bytes left. */
  get remaining(): number {
    return this.#end - this.#position
  }

  /** Takes `size` bytes: answers where they start. */
  #take(size: number): number {
    const start = this.#position
    if (size > this.#end - start) throw new MalformedError(`${size} bytes wanted, ${this.#end - start} left`)
    this.#position = start + size
    return start
  }

  bool(): boolean {
    return this.#buffer[this.#take(1)] !== 0
  }

  int8(): number {
    return this.#view.getInt8(this.#take(1))
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2))
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4))
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8))
  }

  /** An int64 that a number holds exactly; any other is malformed. */
  int64(): number {
    const at = this.#take(8)
    const value = this.#view.getInt32(at) * TWO_32 + this.#view.getUint32(at + 4)
    if (!Number.isSafeInteger(value)) throw new MalformedError('int64 beyond 2^53')
    return value
  }

  /** An int64, or {@link INT64_MAX} for Java's `Long.MAX_VALUE`. */
  int64OrMax(): number {
    const at = this.#take(8)
    const high = this.#view.getInt32(at)
    const low = this.#view.getUint32(at + 4)
    if (high === 0x7fff_ffff && low === 0xffff_ffff) return INT64_MAX
    this.#position = at
    return this.int64()
  }

  /** At most five bytes, at most 2^32−1. */
  unsignedVarint(): number {
    const first = this.#view.getUint8(this.#take(1))
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.#view.getUint8(this.#take(1))
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    const last = this.#view.getUint8(this.#take(1))
    if (last > 0x0f) throw new MalformedError('varint longer than 32 bits')
    return (value | (last << 28)) >>> 0
  }

  /** Zigzag, as the lengths inside a record are. */
  varint(): number {
    const value = this.unsignedVarint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** Zigzag of at most ten bytes, inside ±(2^53−1). */
  varlong(): number {
    let low = 0
    let high = 0
    for (let index = 0; index < 10; index++) {
      const byte = this.#view.getUint8(this.#take(1))
      // Two words, since their sum may be beyond what a double holds exactly.
      if (index < 4) low += (byte & 0x7f) * 2 ** (7 * index)
      else high += (byte & 0x7f) * 2 ** (7 * (index - 4))
      if (byte < 0x80) return zigzag(high, low)
    }
    throw new MalformedError('varlong longer than ten bytes')
  }

  uuid(): string {
    const at = this.#take(16)
    const view = this.#view
    if (
      view.getInt32(at) === 0 &&
      view.getInt32(at + 4) === 0 &&
      view.getInt32(at + 8) === 0 &&
      view.getInt32(at + 12) === 0
    ) {
      return ZERO_UUID
    }
    return this.#buffer.toString('base64url', at, at + 16)
  }

  /** The next `size` bytes, as a view. */
  bytes(size: number): Uint8Array {
    const at = this.#take(size < 0 ? Number.POSITIVE_INFINITY : size)
    return this.#buffer.subarray(at, at + size)
  }

  skip(size: number): void {
    this.#take(size < 0 ? Number.POSITIVE_INFINITY : size)
  }

  /** Checks that `size` bytes were taken since `left` remained. */
  expectTaken(size: number, left: number): void {
    if (left - this.remaining !== size)
      throw new MalformedError(`tagged field of ${size} bytes took ${left - this.remaining}`)
  }

  /** A null where the version has none. */
  isNull(): never {
    return isNull('array')
  }

  string(): string {
    return this.nullableString() ?? isNull('string')
  }

  nullableString(): string | null {
    const length = this.int16()
    return length < 0 ? nullLength(length) : this.#text(length)
  }

  compactString(): string {
    return this.compactNullableString() ?? isNull('string')
  }

  compactNullableString(): string | null {
    const length = this.unsignedVarint()
    return length === 0 ? null : this.#text(length - 1)
  }

  #text(length: number): string {
    if (length > MAX_STRING) throw new MalformedError(`string of ${length} bytes`)
    const at = this.#take(length)
    return length === 0 ? '' : this.#buffer.toString('utf8', at, at + length)
  }

  /** `bytes` and `records`: an int32 length and a view. */
  sizedBytes(): Uint8Array {
    return this.nullableSizedBytes() ?? isNull('bytes')
  }

  nullableSizedBytes(): Uint8Array | null {
    const length = this.int32()
    return length < 0 ? nullLength(length) : this.bytes(length)
  }

  compactSizedBytes(): Uint8Array {
    return this.compactNullableSizedBytes() ?? isNull('bytes')
  }

  compactNullableSizedBytes(): Uint8Array | null {
    const length = this.unsignedVarint()
    return length === 0 ? null : this.bytes(length - 1)
  }

  /** Lowers the number of array elements that may come from here on, 2^23 when the reader was made. */
  limitElements(most: number): void {
    this.#elements = Math.min(this.#elements, most)
  }

  /** The count of an array whose elements take at least `elementSize` bytes each; -1 for null. */
  arrayLength(elementSize: number): number {
    return this.#count(this.int32(), elementSize)
  }

  compactArrayLength(elementSize: number): number {
    return this.#count(this.unsignedVarint() - 1, elementSize)
  }

  #count(count: number, elementSize: number): number {
    if (count < -1) nullLength(count)
    if (count * elementSize > this.remaining) {
      throw new MalformedError(`array of ${count} elements in ${this.remaining} bytes`)
    }
    if (count > this.#elements) throw new MalformedError('too many array elements')
    if (count > 0) this.#elements -= count
    return count
  }
}

function isNull(what: string): never {
  throw new MalformedError(`${what} is null`)
}

/** -1 means null. Kafka takes every negative length for it; nobody sends another on purpose. */
function nullLength(length: number): null {
  if (length !== -1) throw new MalformedError(`negative length ${length}`)
  return null
}

/** Undoes zigzag of `high` * 2^28 + `low`, where `high` is exact up to 2^42. */
function zigzag(high: number, low: number): number {
  const negative = (low & 1) === 1
  const half = high * 2 ** 27 + Math.floor(low / 2)
  const value = negative ? -half - 1 : half
  if (!Number.isSafeInteger(value)) throw new MalformedError('varlong beyond 2^53')
  return value
}
