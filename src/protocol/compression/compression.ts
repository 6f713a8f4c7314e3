import { messageTooLarge } from '../records/record-error.ts'
import type { CompressionType, DecompressLimits } from './compression-type.ts'
import { compressGzip, decompressGzip } from './gzip.ts'
import { compressLz4, decompressLz4 } from './lz4-frame.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'
import { compressZstd, decompressZstd } from './zstd.ts'

/**
 * Compresses as Kafka's Java clients do: gzip, snappy in xerial framing, an LZ4 frame, a zstd frame. `level` is that of
 * `compression.gzip.level`, `compression.lz4.level` and `compression.zstd.level`; snappy has one level.
 */
export function compress(codec: CompressionType, bytes: Uint8Array, level?: number): Uint8Array {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return compressGzip(bytes, level)
    case 'snappy':
      return compressSnappy(bytes)
    case 'lz4':
      return compressLz4(bytes, { level })
    case 'zstd':
      return compressZstd(bytes, level)
  }
}

/**
 * The content of compressed bytes; `none` gives the same bytes.
 *
 * @throws MESSAGE_TOO_LARGE when more than `maxBytes` would come out, INVALID_RECORD when the bytes are broken. Neither
 * takes memory for a size that the bytes merely claim.
 */
export function decompress(codec: CompressionType, bytes: Uint8Array, limits: DecompressLimits): Uint8Array {
  switch (codec) {
    case 'none':
      if (bytes.length > limits.maxBytes) throw messageTooLarge(limits.maxBytes)
      return bytes
    case 'gzip':
      return decompressGzip(bytes, limits)
    case 'snappy':
      return decompressSnappy(bytes, limits)
    case 'lz4':
      return decompressLz4(bytes, limits)
    case 'zstd':
      return decompressZstd(bytes, limits)
  }
}
