/**
 * Snappy as Kafka's clients use it: Java's frame it in the manner of snappy-java ("xerial"), librdkafka and others send
 * the raw format. Written is Java's framing, read are both.
 *
 * ```
 * xerial: 82 'SNAPPY' 00, int32 version 1, int32 lowest compatible version 1, then per block: int32 length, raw snappy
 * raw:    the uncompressed length as a varint, then literals and copies
 * ```
 */
import { createRequire } from 'node:module'
import { invalidRecord } from '../records/record-error.ts'
import { ChunkSink } from './chunks.ts'
import type { DecompressLimits } from './compression-type.ts'

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const MAGIC_START = MAGIC.readInt32BE(0)
const HEADER = Buffer.concat([MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])])
/** Input bytes of a block, as snappy-java cuts them. */
const BLOCK_BYTES = 32 * 1024
/** No three bytes of snappy give more than 64: a length beyond that ratio is a lie. */
const MAX_RATIO = 22

interface RawSnappy {
  compress(bytes: Uint8Array): Uint8Array
  uncompress(bytes: Uint8Array): Uint8Array
}

interface NativeSnappy {
  compressSync(bytes: Uint8Array, options: { copyOutputData: boolean }): Uint8Array
  uncompressSync(bytes: Uint8Array, options: { asBuffer: true; copyOutputData: boolean }): Uint8Array
}

let loaded: RawSnappy | undefined

/** Loaded on first use: a broker that never sees snappy need not carry it. */
function raw(): RawSnappy {
  loaded ??= loadRawSnappy()
  return loaded
}

function loadRawSnappy(): RawSnappy {
  const require = createRequire(import.meta.url)
  try {
    const native = require('snappy') as NativeSnappy
    // Memory that the module hands over instead of copying costs its mapping anew each time, four times the copy.
    const copyOutputData = true
    return {
      compress: bytes => native.compressSync(bytes, { copyOutputData }),
      uncompress: bytes => native.uncompressSync(bytes, { asBuffer: true, copyOutputData }),
    }
  } catch {
    return require('snappyjs') as RawSnappy
  }
}

/** Snappy in xerial framing. */
export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [HEADER]
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const block = raw().compress(bytes.subarray(start, start + BLOCK_BYTES))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** Snappy in the raw format or in xerial framing; which one, the first bytes say. */
export function decompressSnappy(bytes: Uint8Array, { maxBytes }: DecompressLimits): Uint8Array {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const sink = new ChunkSink(maxBytes)
  if (!startsFrame(input, 0)) {
    decompressBlock(input, sink)
    return sink.join()
  }
  let position = HEADER.length
  while (position < input.length) {
    if (input.length - position < 4) throw invalidRecord('snappy: frame ends within a block length')
    const length = input.readInt32BE(position)
    if (length === MAGIC_START && startsFrame(input, position)) {
      // Streams may be written one behind the other, each with its header.
      position += HEADER.length
      continue
    }
    position += 4
    if (length <= 0 || length > input.length - position) {
      throw invalidRecord(`snappy: block of ${length} bytes where ${input.length - position} remain`)
    }
    decompressBlock(input.subarray(position, position + length), sink)
    position += length
  }
  return sink.join()
}

function startsFrame(input: Buffer, at: number): boolean {
  return input.length - at >= HEADER.length && input.compare(MAGIC, 0, MAGIC.length, at, at + MAGIC.length) === 0
}

/** One raw block into `sink`; its claimed length is checked against what its bytes can give, and against the limit. */
function decompressBlock(block: Uint8Array, sink: ChunkSink): void {
  const claimed = uncompressedLength(block)
  if (claimed > block.length * MAX_RATIO) throw invalidRecord(`snappy: ${claimed} bytes said to be in ${block.length}`)
  // Empty blocks are not worth a call into native code, of which a hostile batch could ask for millions.
  if (claimed === 0 && block.length === 1) return
  sink.reserve(claimed)
  let output: Uint8Array
  try {
    output = raw().uncompress(block)
  } catch (error) {
    throw invalidRecord(`snappy: ${(error as Error).message}`)
  }
  if (output.length !== claimed) throw invalidRecord(`snappy: ${output.length} bytes instead of ${claimed}`)
  sink.push(output)
}

/** The varint before a raw block. */
function uncompressedLength(block: Uint8Array): number {
  let value = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return value
  }
  throw invalidRecord('snappy: no uncompressed length')
}
