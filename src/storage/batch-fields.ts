/** The few header fields that the way of a fetch needs, read without an object per batch. */

/** Bytes of the smallest entry of any format: an empty message of format 0. */
export const MIN_BATCH_BYTES = 26

/** Whether the bytes from `at` on end before the fields that are read here do. */
export function headerMissing(bytes: Uint8Array, at: number): boolean {
  return at + 17 > bytes.length || (bytes[at + 16]! >= 2 && at + 27 > bytes.length)
}

function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

/** Bytes of the batch at `at`; below 26 where there is none. */
export function batchLength(bytes: Uint8Array, at: number): number {
  return int32(bytes, at + 8) + 12
}

/** The last offset in the batch at `at`: of format 2, or of an entry of format 0 or 1. */
export function batchLastOffset(bytes: Uint8Array, at: number): number {
  const base = batchBaseOffset(bytes, at)
  return bytes[at + 16]! < 2 ? base : base + int32(bytes, at + 23)
}

/** Whether any of the whole batches in `bytes` has a record: a compaction leaves some without. */
export function hasRecords(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += batchLength(bytes, at)) {
    if (bytes[at + 16]! < 2 || int32(bytes, at + 57) > 0) return true
  }
  return false
}

/** The base offset of the batch at `at`. */
export function batchBaseOffset(bytes: Uint8Array, at: number): number {
  return int32(bytes, at) * 0x1_0000_0000 + (int32(bytes, at + 4) >>> 0)
}
