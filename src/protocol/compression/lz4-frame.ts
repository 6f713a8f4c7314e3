/**
 * The LZ4 frame format 1.5.1 as Kafka uses it.
 *
 * ```
 * 04 22 4d 18   magic
 * flags         version 01 in bits 7-6, independent blocks 5, block checksums 4, content size 3, content checksum 2
 * block size    bits 6-4: 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB
 * [uint64le]    content size
 * checksum      second byte of the xxHash32 of flags to content size
 * blocks        uint32le length, highest bit set for a stored block; the bytes; [uint32le xxHash32 of them]
 * 00 00 00 00   end; [uint32le xxHash32 of the content]
 * ```
 *
 * Kafka's clients up to 0.9 summed the header from the magic on. Message format 0 is still written so, and read with
 * any header checksum (KAFKA-3160, KIP-57). Linked blocks are refused, as Kafka does.
 */
import { invalidRecord } from '../records/record-error.ts'
import { ChunkSink } from './chunks.ts'
import type { DecompressLimits } from './compression-type.ts'
import { lz4Blocks } from './lz4-block.ts'
import { compressLz4High } from './lz4-high.ts'
import { xxhash32 } from './xxhash32.ts'

const MAGIC = 0x184d2204
const BLOCK_BYTES = 64 * 1024
const BLOCK_SIZE_ID = 4
const STORED = 0x8000_0000
const FLAG = { version: 0x40, versionMask: 0xc0, independent: 0x20, blockSum: 0x10, size: 0x08, sum: 0x04, known: 0xfc }

/** How the header of a frame is summed. */
export interface Lz4HeaderOptions {
  /** Message format 0: the checksum begins at the magic when written, and is not checked when read. */
  readonly legacyChecksum?: boolean
}

/** How a frame is made. */
export interface Lz4Options extends Lz4HeaderOptions {
  /** 1 to 17, the effort of the search; 9, when left out too, stands for the fast way without one, as in Kafka (KIP-390). */
  readonly level?: number | undefined
}

const FAST_LEVEL = 9

/** A frame of independent 64 KiB blocks without checksums of blocks or content, as Java writes it. */
export function compressLz4(bytes: Uint8Array, options: Lz4Options = {}): Uint8Array {
  const { legacyChecksum = false, level = FAST_LEVEL } = options
  const header = Buffer.alloc(7)
  header.writeUInt32LE(MAGIC)
  header[4] = FLAG.version | FLAG.independent
  header[5] = BLOCK_SIZE_ID << 4
  header[6] = xxhash32(header, legacyChecksum ? 0 : 4, 6) >>> 8
  const parts: Uint8Array[] = [header]
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const content = bytes.subarray(start, start + BLOCK_BYTES)
    const block = level === FAST_LEVEL ? lz4Blocks().compress(content) : compressLz4High(content, level)
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32LE(block === undefined ? (content.length | STORED) >>> 0 : block.length)
    parts.push(length, block ?? content)
  }
  parts.push(Buffer.alloc(4))
  return Buffer.concat(parts)
}

interface FrameHeader {
  readonly end: number
  readonly flags: number
  readonly maxBlockBytes: number
}

/** The content of one frame; checksums are verified, bytes behind the frame refused. */
export function decompressLz4(bytes: Uint8Array, options: DecompressLimits & Lz4HeaderOptions): Uint8Array {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const sink = new ChunkSink(options.maxBytes)
  const header = readHeader(input, options.legacyChecksum === true)
  let position = header.end
  for (;;) {
    const word = readWord(input, position)
    position += 4
    const length = word & ~STORED
    if (length === 0) break
    if (length > header.maxBlockBytes || length > input.length - position) {
      throw invalidRecord(`lz4: block of ${length} bytes where ${input.length - position} remain`)
    }
    const block = input.subarray(position, position + length)
    position += length
    if (header.flags & FLAG.blockSum) {
      if (readWord(input, position) !== xxhash32(block)) throw invalidRecord('lz4: block checksum differs')
      position += 4
    }
    sink.push(word >= STORED ? block : decompressBlock(block, header.maxBlockBytes))
  }
  const content = sink.join()
  if (header.flags & FLAG.sum) {
    if (readWord(input, position) !== xxhash32(content)) throw invalidRecord('lz4: content checksum differs')
    position += 4
  }
  if (position !== input.length) throw invalidRecord(`lz4: ${input.length - position} bytes behind the frame`)
  return content
}

function readWord(input: Buffer, position: number): number {
  if (input.length - position < 4) throw invalidRecord('lz4: frame ends too early')
  return input.readUInt32LE(position)
}

function readHeader(input: Buffer, anyChecksum: boolean): FrameHeader {
  if (input.length < 7 || input.readUInt32LE(0) !== MAGIC) throw invalidRecord('lz4: no frame')
  const flags = input[4]!
  const sizeId = (input[5]! >>> 4) & 7
  if ((flags & FLAG.versionMask) !== FLAG.version || flags & ~FLAG.known || input[5]! & 0x8f || sizeId < 4) {
    throw invalidRecord('lz4: unknown frame version, flag or block size')
  }
  if (!(flags & FLAG.independent)) throw invalidRecord('lz4: blocks that lean on each other are not supported')
  // The content size is of no use: it may lie, and the blocks bound themselves.
  const end = flags & FLAG.size ? 15 : 7
  if (input.length < end) throw invalidRecord('lz4: frame ends too early')
  if (!anyChecksum && input[end - 1] !== ((xxhash32(input, 4, end - 1) >>> 8) & 0xff)) {
    throw invalidRecord('lz4: header checksum differs')
  }
  return { end, flags, maxBlockBytes: 1 << (8 + 2 * sizeId) }
}

function decompressBlock(block: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return lz4Blocks().decompress(block, maxBytes)
  } catch (error) {
    throw invalidRecord(`lz4: ${(error as Error).message}`)
  }
}
