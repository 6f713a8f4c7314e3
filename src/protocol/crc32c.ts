/**
 * CRC-32C (Castagnoli): the checksum of record batches and of snapshots.
 *
 * Long runs of bytes go to the native module, which uses the processor's own instruction. A call across that border
 * costs as much as summing about 150 bytes here, so short runs, and every run where the module cannot be loaded, are
 * summed in JavaScript eight bytes at a time.
 */
import { createRequire } from 'node:module'

/** Checksums bytes `[start, end)`, going on from `seed`, the checksum of the bytes before them. */
export type Checksum = (bytes: Uint8Array, start: number, end: number, seed?: number) => number

/** The Castagnoli polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78
/** From this many bytes on the native module is faster. */
const NATIVE_MIN_BYTES = 160

/** Eight tables of 256 entries in one array: table k gives the effect of a byte that k more bytes follow. */
const TABLES = slicingTables(POLYNOMIAL)

/** The eight tables of "slicing by 8" for a reversed polynomial, one after another. */
export function slicingTables(polynomial: number): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? polynomial : 0)
    tables[byte] = remainder
  }
  for (let slice = 1; slice < 8; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[(slice - 1) * 256 + byte]!
      tables[slice * 256 + byte] = (before >>> 8) ^ tables[before & 0xff]!
    }
  }
  return tables
}

/** The reflected CRC-32 of bytes `[start, end)` by `tables`, going on from `seed`; unsigned. */
export function sliceBy8(tables: Int32Array, bytes: Uint8Array, range: { start: number; end: number }, seed: number) {
  let crc = ~seed
  let position = range.start
  const lastEight = range.end - 7
  while (position < lastEight) {
    crc ^= bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16) | (bytes[position + 3]! << 24)
    crc =
      tables[1792 + (crc & 0xff)]! ^
      tables[1536 + ((crc >>> 8) & 0xff)]! ^
      tables[1280 + ((crc >>> 16) & 0xff)]! ^
      tables[1024 + (crc >>> 24)]! ^
      tables[768 + bytes[position + 4]!]! ^
      tables[512 + bytes[position + 5]!]! ^
      tables[256 + bytes[position + 6]!]! ^
      tables[bytes[position + 7]!]!
    position += 8
  }
  while (position < range.end) crc = (crc >>> 8) ^ tables[(crc ^ bytes[position++]!) & 0xff]!
  return ~crc >>> 0
}

/** CRC-32C without native code; the same promise as {@link crc32c}. */
export const crc32cPortable: Checksum = (bytes, start, end, seed = 0) => sliceBy8(TABLES, bytes, { start, end }, seed)

type NativeChecksum = (bytes: Uint8Array, seed: number) => number

function loadNative(): NativeChecksum | undefined {
  try {
    return (createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: NativeChecksum }).crc32c
  } catch {
    return undefined
  }
}

const native = loadNative()

/** Whether the processor's instruction is used; said once in the start log. */
export const crc32cIsNative = native !== undefined

/** CRC-32C of bytes `[start, end)` as an unsigned number; `seed` (default 0) is the checksum of what came before. */
export const crc32c: Checksum =
  native === undefined
    ? crc32cPortable
    : (bytes, start, end, seed = 0) =>
        end - start < NATIVE_MIN_BYTES
          ? sliceBy8(TABLES, bytes, { start, end }, seed)
          : native(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start), seed)
