/** Zstandard: from Node itself where it has it (22.15, 24), else by WebAssembly. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as zlib from 'node:zlib'
import { nodeDisk } from '../../platform/index.ts'
import { invalidRecord, messageTooLarge } from '../records/record-error.ts'
import { ChunkSink } from './chunks.ts'
import type { DecompressLimits } from './compression-type.ts'
import { nextZstdFrame, type ZstdFrame } from './zstd-frame.ts'

/** The level of `compression.zstd.level` when it is not set. */
const DEFAULT_LEVEL = 3
/** Clients write one frame. Each costs a context of its own, so a batch of tiny ones would be a way to stall a broker. */
const MAX_FRAMES = 64

interface ZstdCodec {
  compress(bytes: Uint8Array, level: number): Uint8Array
  /** One frame; throws when it gives more than `maxBytes`. */
  decompressFrame(frame: Uint8Array, maxBytes: number): Uint8Array
}

let codec: ZstdCodec | undefined

/** What newer Nodes have and the types of the oldest one that we support do not tell of. */
interface ZlibWithZstd {
  readonly zstdCompressSync?: (bytes: Uint8Array, options: { params: Record<number, number> }) => Uint8Array
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array
  readonly constants: Record<string, number>
}

function nodeCodec(): ZstdCodec | undefined {
  const { zstdCompressSync, zstdDecompressSync, constants } = zlib as unknown as ZlibWithZstd
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined
  const levelParameter = constants.ZSTD_c_compressionLevel!
  return {
    compress: (bytes, level) => zstdCompressSync(bytes, { params: { [levelParameter]: level } }),
    decompressFrame: (frame, maxBytes) => zstdDecompressSync(frame, { maxOutputLength: Math.max(maxBytes, 1) }),
  }
}

/** Zstandard by WebAssembly, compiled here and now: some ten milliseconds, once, and only where somebody uses zstd. */
export function zstdWasm(): ZstdCodec {
  // The library has one instance, which begins once.
  wasm ??= loadWasm()
  return wasm
}

let wasm: ZstdCodec | undefined

function loadWasm(): ZstdCodec {
  const require = createRequire(import.meta.url)
  const path = require.resolve('@bokuweb/zstd-wasm')
  const library = require(path) as {
    compress(bytes: Uint8Array, level: number): Uint8Array
    decompress(bytes: Uint8Array, options: { defaultHeapSize: number }): Uint8Array
  }
  // The library's own way to begin is a promise, and there is no waiting in the middle of a batch.
  const { Module } = createRequire(path)('./module.js') as { Module: EmscriptenModule }
  const binary = readBinary(join(dirname(path), 'zstd.wasm'))
  Module.instantiateWasm = (imports, receive) =>
    receive(new WebAssembly.Instance(new WebAssembly.Module(binary), imports))
  Module.init(binary)
  return {
    compress: library.compress,
    // A frame that declares its size is given just that much, any other as much as it may fill.
    decompressFrame: (frame, maxBytes) => library.decompress(frame, { defaultHeapSize: maxBytes }),
  }
}

/** The part of the global that Node's types leave to those of browsers. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (binary: Uint8Array) => object
    readonly Instance: new (module: object, imports: object) => object
  }
}

/** What emscripten lets its users replace. */
interface EmscriptenModule {
  instantiateWasm: (imports: object, receive: (instance: object) => object) => object
  init(binary: Uint8Array): void
}

function readBinary(path: string): Uint8Array {
  const file = nodeDisk.open(path, { readOnly: true })
  try {
    const bytes = new Uint8Array(file.size())
    file.read(bytes, 0, bytes.length, 0)
    return bytes
  } finally {
    file.close()
  }
}

/** Zstd is loaded when it is first used. */
function loaded(): ZstdCodec {
  codec ??= nodeCodec() ?? zstdWasm()
  return codec
}

/** One zstd frame; `level` is 1 to 22, or negative for the fast ones. */
export function compressZstd(bytes: Uint8Array, level = DEFAULT_LEVEL): Uint8Array {
  return loaded().compress(bytes, level)
}

/** The content of one zstd frame, or of up to 64 one behind the other. */
export function decompressZstd(bytes: Uint8Array, { maxBytes }: DecompressLimits): Uint8Array {
  const sink = new ChunkSink(maxBytes)
  let frame = nextZstdFrame(bytes, 0)
  if (frame === undefined) throw invalidRecord('zstd: no frame')
  for (let count = 1; frame !== undefined; count++, frame = nextZstdFrame(bytes, frame.end)) {
    if (count > MAX_FRAMES) throw invalidRecord(`zstd: more than ${MAX_FRAMES} frames`)
    if (frame.isExact) sink.reserve(frame.maxContentBytes)
    sink.push(decompressFrame(loaded(), bytes.subarray(frame.start, frame.end), { frame, maxBytes, room: sink.room }))
  }
  return sink.join()
}

function decompressFrame(
  zstd: ZstdCodec,
  bytes: Uint8Array,
  { frame, maxBytes, room }: { frame: ZstdFrame; maxBytes: number; room: number },
): Uint8Array {
  try {
    return zstd.decompressFrame(bytes, Math.min(frame.maxContentBytes, room))
  } catch (error) {
    // Which of the two it was, the codec does not tell.
    throw frame.maxContentBytes > room ? messageTooLarge(maxBytes) : invalidRecord(`zstd: ${(error as Error).message}`)
  }
}
