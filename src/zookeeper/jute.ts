import { ZooKeeperError } from './zookeeper-error.ts'

/**
 * Jute, ZooKeeper's serialisation, as it stands on the wire, in the transaction log and in snapshots: big-endian int
 * and long, boolean as one byte, string and buffer as int length and bytes (-1 for null), vector as int count and items.
 */
export class JuteWriter {
  #bytes: Buffer
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** Makes the writer empty and keeps its memory. */
  reset(): void {
    this.#length = 0
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length] = value
    this.#length += 1
  }

  boolean(value: boolean): void {
    this.byte(value ? 1 : 0)
  }

  int(value: number): void {
    this.#reserve(4)
    this.#bytes.writeInt32BE(value | 0, this.#length)
    this.#length += 4
  }

  /** A long that a number holds exactly. */
  long(value: number): void {
    this.#reserve(8)
    this.#bytes.writeInt32BE(Math.floor(value / 2 ** 32), this.#length)
    this.#bytes.writeUInt32BE(((value % 2 ** 32) + 2 ** 32) % 2 ** 32, this.#length + 4)
    this.#length += 8
  }

  /** A long of any value: session ids and checksums. */
  bigLong(value: bigint): void {
    this.#reserve(8)
    this.#bytes.writeBigInt64BE(BigInt.asIntN(64, value), this.#length)
    this.#length += 8
  }

  string(value: string): void {
    const length = Buffer.byteLength(value)
    this.int(length)
    this.#reserve(length)
    this.#bytes.write(value, this.#length, length, 'utf8')
    this.#length += length
  }

  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.int(-1)
      return
    }
    this.int(value.length)
    this.raw(value)
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** Writes an int at an earlier position: for lengths that are known late. */
  intAt(position: number, value: number): void {
    this.#bytes.writeInt32BE(value, position)
  }

  /** Writes a long at an earlier position. */
  bigLongAt(position: number, value: bigint): void {
    this.#bytes.writeBigInt64BE(value, position)
  }

  /** A view of what was written from `start`; good until the next write. */
  view(start = 0): Uint8Array {
    return this.#bytes.subarray(start, this.#length)
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + length))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

/** Reads what {@link JuteWriter} writes; throws MARSHALLING_ERROR where the bytes end too early or make no sense. */
export class JuteReader {
  readonly #bytes: Buffer
  #position: number

  constructor(bytes: Uint8Array, position = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#position = position
  }

  get position(): number {
    return this.#position
  }

  get remaining(): number {
    return this.#bytes.length - this.#position
  }

  byte(): number {
    return this.#bytes[this.#take(1)] ?? 0
  }

  boolean(): boolean {
    return this.byte() !== 0
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  long(): number {
    const value = this.bigLong()
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new ZooKeeperError('MARSHALLING_ERROR')
    return number
  }

  bigLong(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8))
  }

  /** A string; null reads as empty. */
  string(): string {
    const length = this.int()
    if (length === -1) return ''
    const start = this.#take(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  /** A buffer as a copy, so that a znode does not keep the file it was read from in memory. */
  buffer(): Uint8Array | null {
    const length = this.int()
    if (length === -1) return null
    const start = this.#take(length)
    return new Uint8Array(this.#bytes.subarray(start, start + length))
  }

  /** A buffer as a view. */
  bufferView(): Uint8Array {
    const length = this.int()
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** `length` bytes as a view. */
  raw(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** The count of a vector whose items take at least `itemBytes` each; null counts as empty. */
  count(itemBytes: number): number {
    const count = this.int()
    if (count === -1) return 0
    if (count < 0 || count * itemBytes > this.remaining) throw new ZooKeeperError('MARSHALLING_ERROR')
    return count
  }

  #take(length: number): number {
    if (length < 0 || length > this.remaining) throw new ZooKeeperError('MARSHALLING_ERROR')
    const start = this.#position
    this.#position += length
    return start
  }
}

/** Adler-32 (RFC 1950), ZooKeeper's checksum of transactions and snapshots; `seed` carries it over several pieces. */
export function adler32(bytes: Uint8Array, seed = 1): number {
  let low = seed & 0xffff
  let high = seed >>> 16
  for (let start = 0; start < bytes.length; start += ADLER_RUN) {
    const end = Math.min(start + ADLER_RUN, bytes.length)
    for (let at = start; at < end; at += 1) {
      low += bytes[at]!
      high += low
    }
    low %= ADLER_PRIME
    high %= ADLER_PRIME
  }
  return high * 2 ** 16 + low
}

const ADLER_PRIME = 65521
/** Largest run after which the sums still fit 32 bits. */
const ADLER_RUN = 5552
