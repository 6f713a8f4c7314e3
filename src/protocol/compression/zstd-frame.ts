/**
 * The outside of zstd frames (RFC 8878, 3.1): where each ends and how much it can give, learned from the headers of
 * frame and blocks alone, so that nothing is decompressed on the word of a claimed size.
 */
import { invalidRecord } from '../records/record-error.ts'

const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const MAX_BLOCK_BYTES = 128 * 1024
/** libzstd's own limit for streams (2^27), and what its highest level without "ultra long" needs. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024
const DICTIONARY_ID_BYTES = [0, 1, 2, 4]
const CONTENT_SIZE_BYTES = [0, 2, 4, 8]

/** One frame of a zstd stream. */
export interface ZstdFrame {
  readonly start: number
  readonly end: number
  /** No more bytes than this come out: the declared content size, else what the blocks can give at most. */
  readonly maxContentBytes: number
  /** Whether `maxContentBytes` is declared, and so exact. */
  readonly isExact: boolean
}

/**
 * The frame that begins at `start`, or undefined at the end of the bytes; skippable frames are passed over.
 *
 * @throws INVALID_RECORD where frame or blocks do not fit into the bytes, the content size is more than the blocks can
 * give, a dictionary is needed, or the window is larger than 128 MiB.
 */
export function nextZstdFrame(bytes: Uint8Array, start: number): ZstdFrame | undefined {
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let position = start
  while (input.length - position >= 8 && input.readUInt32LE(position) >>> 4 === SKIPPABLE_MAGIC >>> 4) {
    position += 8 + input.readUInt32LE(position + 4)
    if (position > input.length) throw invalidRecord('zstd: skippable frame reaches beyond the end')
  }
  if (position === input.length) return undefined
  const header = readHeader(input, position)
  const { end, maxBytes } = walkBlocks(input, header)
  if (header.contentBytes !== undefined && header.contentBytes > maxBytes) {
    throw invalidRecord(`zstd: ${header.contentBytes} bytes said to be in blocks that give ${maxBytes} at most`)
  }
  return {
    start: position,
    end,
    maxContentBytes: header.contentBytes ?? maxBytes,
    isExact: header.contentBytes !== undefined,
  }
}

interface FrameHeader {
  readonly blocksStart: number
  readonly maxBlockBytes: number
  readonly contentBytes: number | undefined
  readonly hasChecksum: boolean
}

function readHeader(input: Buffer, start: number): FrameHeader {
  if (input.length - start < 6 || input.readUInt32LE(start) !== MAGIC) throw invalidRecord('zstd: no frame')
  const descriptor = input[start + 4]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = DICTIONARY_ID_BYTES[descriptor & 3]!
  const sizeBytes = descriptor < 0x40 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[descriptor >>> 6]!
  const windowAt = start + 5
  const sizeAt = windowAt + (isSingleSegment ? 0 : 1) + dictionaryBytes
  const blocksStart = sizeAt + sizeBytes
  if (descriptor & 0x08 || blocksStart > input.length) throw invalidRecord('zstd: broken frame header')
  for (let at = sizeAt - dictionaryBytes; at < sizeAt; at++) {
    if (input[at] !== 0) throw invalidRecord('zstd: frame needs a dictionary')
  }
  const contentBytes = sizeBytes === 0 ? undefined : readContentSize(input, sizeAt, sizeBytes)
  const windowBytes = isSingleSegment ? contentBytes! : readWindow(input[windowAt]!)
  if (windowBytes > MAX_WINDOW_BYTES && !isSingleSegment) {
    throw invalidRecord(`zstd: window of ${windowBytes} bytes, ${MAX_WINDOW_BYTES} is the limit`)
  }
  return {
    blocksStart,
    maxBlockBytes: Math.min(windowBytes, MAX_BLOCK_BYTES),
    contentBytes,
    hasChecksum: (descriptor & 0x04) !== 0,
  }
}

function readContentSize(input: Buffer, at: number, bytes: number): number {
  if (bytes === 1) return input[at]!
  if (bytes === 2) return input.readUInt16LE(at) + 256
  if (bytes === 4) return input.readUInt32LE(at)
  return input.readUInt32LE(at) + input.readUInt32LE(at + 4) * 0x1_0000_0000
}

function readWindow(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3))
  return base + (base / 8) * (descriptor & 7)
}

/** Where the frame ends, and the sum of what its blocks can give. */
function walkBlocks(input: Buffer, header: FrameHeader): { end: number; maxBytes: number } {
  let position = header.blocksStart
  let maxBytes = 0
  for (let isLast = false; !isLast; ) {
    if (input.length - position < 3) throw invalidRecord('zstd: frame ends too early')
    const word = input.readUIntLE(position, 3)
    const size = word >>> 3
    const type = (word >>> 1) & 3
    isLast = (word & 1) === 1
    if (type === 3 || size > header.maxBlockBytes) throw invalidRecord('zstd: broken block header')
    // Raw and repeated-byte blocks say what they give, compressed ones only what they take.
    maxBytes += type === 2 ? header.maxBlockBytes : size
    position += 3 + (type === 1 ? 1 : size)
  }
  const end = position + (header.hasChecksum ? 4 : 0)
  if (end > input.length) throw invalidRecord('zstd: frame ends too early')
  return { end, maxBytes }
}
