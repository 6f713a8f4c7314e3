import { COMPRESSION_TYPES, type CompressionType } from '../compression/compression-type.ts'

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

/** The attribute bits of a codec. */
export function compressionId(compression: CompressionType): number {
  return COMPRESSION_TYPES.indexOf(compression)
}
