import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { invalidRecord, messageTooLarge } from '../records/record-error.ts'
import type { DecompressLimits } from './compression-type.ts'

/** Pieces in which zlib hands out its output: few for a batch, and no large loss for a small one. */
const CHUNK_BYTES = 64 * 1024

/** A gzip stream; `level` is 1 to 9, or -1 for zlib's own choice. */
export function compressGzip(bytes: Uint8Array, level = -1): Uint8Array {
  return gzipSync(bytes, { level })
}

/** Inflates one or more gzip members one behind the other. */
export function decompressGzip(bytes: Uint8Array, { maxBytes }: DecompressLimits): Uint8Array {
  try {
    // zlib wants a limit of one or more; a byte too many is refused below.
    const output = gunzipSync(bytes, {
      chunkSize: CHUNK_BYTES,
      maxOutputLength: Math.max(maxBytes, 1),
      finishFlush: constants.Z_FINISH,
    })
    if (output.length > maxBytes) throw messageTooLarge(maxBytes)
    return output
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'MESSAGE_TOO_LARGE') throw error
    throw code === 'ERR_BUFFER_TOO_LARGE' ? messageTooLarge(maxBytes) : invalidRecord(`gzip: ${message}`)
  }
}
