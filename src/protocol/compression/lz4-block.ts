/**
 * The LZ4 block format: literals and copies of earlier output, without any length or checksum of its own.
 *
 * The native module packs a block with its uncompressed length before it; that prefix is taken off and put on here.
 */
import { createRequire } from 'node:module'

/** Compresses and decompresses one block. */
export interface Lz4Blocks {
  /** The block, or undefined where it would not be smaller than `bytes`. */
  compress(bytes: Uint8Array): Uint8Array | undefined
  /** @throws Error for a broken block, and for one that gives more than `maxBytes`. */
  decompress(block: Uint8Array, maxBytes: number): Uint8Array
}

/** Bytes that one byte of a block gives at most; a block of `n` bytes gives no more than `n` times as many. */
const MAX_RATIO = 255
/** Below this many bytes a call into native code costs more than it saves. */
const NATIVE_MIN_BYTES = 512
const SIZE_PREFIX_BYTES = 4

let loaded: Lz4Blocks | undefined

/** Blocks by the fastest code at hand, which is loaded on first use. */
export function lz4Blocks(): Lz4Blocks {
  loaded ??= loadBlocks()
  return loaded
}

function loadBlocks(): Lz4Blocks {
  try {
    return nativeBlocks()
  } catch {
    return { compress: portableCompressor(), decompress: decompressLz4Block }
  }
}

function nativeBlocks(): Lz4Blocks {
  const native = createRequire(import.meta.url)('lz4-napi') as {
    compressSync(bytes: Buffer): Buffer
    uncompressSync(bytes: Buffer): Buffer
  }
  return {
    compress(bytes) {
      const packed = native.compressSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
      return packed.length - SIZE_PREFIX_BYTES < bytes.length ? packed.subarray(SIZE_PREFIX_BYTES) : undefined
    },
    decompress(block, maxBytes) {
      if (block.length < NATIVE_MIN_BYTES) return decompressLz4Block(block, maxBytes)
      const packed = Buffer.allocUnsafe(SIZE_PREFIX_BYTES + block.length)
      packed.writeUInt32LE(Math.min(maxBytes, block.length * MAX_RATIO))
      packed.set(block, SIZE_PREFIX_BYTES)
      return native.uncompressSync(packed)
    },
  }
}

/** {@link Lz4Blocks.compress} without native code. */
export function portableCompressor(): Lz4Blocks['compress'] {
  type CompressBlock = (
    source: Uint8Array,
    target: Uint8Array,
    start: number,
    length: number,
    hashes: Uint32Array,
  ) => number
  const { compressBlock } = createRequire(import.meta.url)('lz4js') as { compressBlock: CompressBlock }
  const hashes = new Uint32Array(65_536)
  return bytes => {
    hashes.fill(0)
    const target = new Uint8Array(bytes.length + Math.ceil(bytes.length / MAX_RATIO) + 16)
    const length = compressBlock(bytes, target, 0, bytes.length, hashes)
    return length > 0 && length < bytes.length ? target.subarray(0, length) : undefined
  }
}

/** {@link Lz4Blocks.decompress} without native code; every length and offset is checked before it is followed. */
export function decompressLz4Block(block: Uint8Array, maxBytes: number): Uint8Array {
  const output = new Uint8Array(Math.min(maxBytes, block.length * MAX_RATIO))
  let length = 0
  let position = 0
  const lengthBeyond = (nibble: number): number => {
    let total = nibble
    if (nibble !== 15) return total
    for (let byte = 255; byte === 255; total += byte) {
      if (position >= block.length) throw new Error('block ends within a length')
      byte = block[position++]!
    }
    return total
  }
  while (position < block.length) {
    const token = block[position++]!
    const literals = lengthBeyond(token >>> 4)
    if (literals > block.length - position) throw new Error('literals reach beyond the block')
    if (literals > output.length - length) throw new Error('block gives more than it may')
    output.set(block.subarray(position, position + literals), length)
    position += literals
    length += literals
    // The last sequence is literals alone.
    if (position === block.length) return output.subarray(0, length)
    if (position + 2 > block.length) throw new Error('block ends within an offset')
    const offset = block[position]! | (block[position + 1]! << 8)
    position += 2
    const matched = lengthBeyond(token & 0x0f) + 4
    if (offset === 0 || offset > length) throw new Error('copy from before the start')
    if (matched > output.length - length) throw new Error('block gives more than it may')
    // Byte by byte: a copy may overlap what it writes.
    for (const end = length + matched; length < end; length++) output[length] = output[length - offset]!
  }
  throw new Error('block without closing literals')
}
