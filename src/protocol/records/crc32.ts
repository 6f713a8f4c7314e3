/** CRC-32 (IEEE 802.3): the checksum of messages in the formats 0 and 1. */
import * as zlib from 'node:zlib'
import { type Checksum, sliceBy8, slicingTables } from '../crc32c.ts'

const POLYNOMIAL = 0xedb88320

/** CRC-32 of bytes `[start, end)` as an unsigned number; Node 22.0 and 22.1 are the ones whose zlib has none. */
export const crc32: Checksum = zlib.crc32 === undefined ? portable() : native

function native(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  return zlib.crc32(bytes.subarray(start, end), seed)
}

function portable(): Checksum {
  const tables = slicingTables(POLYNOMIAL)
  return (bytes, start, end, seed = 0) => sliceBy8(tables, bytes, { start, end }, seed)
}
