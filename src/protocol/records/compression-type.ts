/** How the records of a batch are compressed; the number in the lowest three bits of its attributes is the index. */
export const COMPRESSION_TYPES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** The name of a compression codec, as in `compression.type`. */
export type CompressionType = (typeof COMPRESSION_TYPES)[number]

/** Whose clock a batch's timestamps tell: the producer's, or the broker's at the time of the append. */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** The bits of a batch's attributes (and, but for the last three, of a legacy message's). */
export const ATTRIBUTE = {
  compressionMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const
