export { compress, decompress } from './compression.ts'
export { COMPRESSION_TYPES, type CompressionType, type DecompressLimits } from './compression-type.ts'
