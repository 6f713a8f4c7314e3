/** How the records of a batch are compressed; the number in the lowest three bits of its attributes is the index. */
export const COMPRESSION_TYPES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** The name of a compression codec, as in `compression.type`. */
export type CompressionType = (typeof COMPRESSION_TYPES)[number]

/** How far a decompression may go. */
export interface DecompressLimits {
  /** Bytes that may come out; more is MESSAGE_TOO_LARGE, found out before memory for them is taken. */
  readonly maxBytes: number
}
