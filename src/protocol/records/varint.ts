/**
 * The zigzag varints of format 2 records, written into and read out of plain byte arrays: the inner loop of every
 * producer and consumer, so without an object a number.
 */
import { invalidRecord } from './record-error.ts'

/** Bytes of the longest varint of an int32, and of an int64. */
const MAX_VARINT_BYTES = 5
const MAX_VARLONG_BYTES = 10

/** Bytes that an int32 takes as a varint. */
export function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  if (zigzag < 0x4000) return 2
  if (zigzag < 0x20_0000) return 3
  return zigzag < 0x1000_0000 ? 4 : 5
}

/** Bytes that a whole number within ±(2^53 - 1) takes as a varlong. */
export function varlongBytes(value: number): number {
  let rest = Math.floor((value < 0 ? -value - 1 : value) / 64)
  let bytes = 1
  for (; rest > 0; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

/** Writes an int32 as a varint at `at`; returns where the next byte goes. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  let position = at
  for (; zigzag >= 0x80; zigzag >>>= 7) bytes[position++] = zigzag | 0x80
  bytes[position++] = zigzag
  return position
}

/** Writes a whole number within ±(2^53 - 1) as a varlong at `at`; returns where the next byte goes. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  // Zigzag would need a 54th bit: the sign goes into the first byte instead, with the lowest six bits.
  const magnitude = value < 0 ? -value - 1 : value
  let rest = Math.floor(magnitude / 64)
  let byte = ((magnitude % 64) << 1) | (value < 0 ? 1 : 0)
  let position = at
  while (rest > 0) {
    bytes[position++] = byte | 0x80
    byte = rest % 128
    rest = Math.floor(rest / 128)
  }
  bytes[position++] = byte
  return position
}

/** Reads varints one after another from `position` to `end`. */
export class VarintReader {
  bytes: Uint8Array
  position: number
  end: number

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  /** @throws INVALID_RECORD past the end and for more than five bytes. */
  varint(): number {
    const { bytes, end } = this
    let position = this.position
    let zigzag = 0
    for (let shift = 0; shift < 7 * MAX_VARINT_BYTES; shift += 7) {
      if (position >= end) throw invalidRecord('record ends within a number')
      const byte = bytes[position++]!
      zigzag |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = position
        return (zigzag >>> 1) ^ -(zigzag & 1)
      }
    }
    throw invalidRecord('varint of more than five bytes')
  }

  /** @throws INVALID_RECORD past the end, for more than ten bytes and beyond ±(2^53 - 1). */
  varlong(): number {
    const { bytes, end } = this
    let position = this.position
    if (position >= end) throw invalidRecord('record ends within a number')
    let byte = bytes[position++]!
    const isNegative = (byte & 1) === 1
    let magnitude = (byte & 0x7f) >>> 1
    let factor = 64
    for (let count = 1; byte >= 0x80; count++) {
      if (position >= end) throw invalidRecord('record ends within a number')
      if (count === MAX_VARLONG_BYTES) throw invalidRecord('varlong of more than ten bytes')
      byte = bytes[position++]!
      magnitude += (byte & 0x7f) * factor
      factor *= 128
    }
    if (magnitude >= Number.MAX_SAFE_INTEGER) throw invalidRecord('number beyond 2^53 - 1')
    this.position = position
    return isNegative ? -magnitude - 1 : magnitude
  }
}
