import { batches } from '../../protocol/index.ts'
import type { ReadableLog } from './partition-storage.ts'

/** How {@link readLog} reads. */
export interface ReadLogOptions {
  /** `offsets.load.buffer.size` or its like; 5 MiB by default. */
  readonly bufferBytes?: number
  /** Whether the log is still to be read, asked before each chunk: not when the partition is led elsewhere. */
  readonly goesOn?: () => boolean
}

const BUFFER_BYTES = 5 * 1024 * 1024

/**
 * The whole log in chunks of about `bufferBytes`, for a `PartitionLoader`. A batch that is larger than the buffer comes
 * in a chunk of its own (KAFKA-7286: a load buffer that a batch does not fit into must not hold up the load for ever),
 * and a read that brings nothing ends it.
 */
export function* readLog(log: ReadableLog, options: ReadLogOptions = {}): Generator<Uint8Array, void, undefined> {
  const { bufferBytes = BUFFER_BYTES, goesOn = () => true } = options
  const end = log.logEndOffset
  let offset = log.logStartOffset
  while (offset < end && goesOn()) {
    const start = offset
    const { chunks } = log.read(offset, { maxBytes: bufferBytes, maxOffset: end, minOneMessage: true })
    for (const chunk of wholeBatches(chunks)) {
      offset = Math.max(offset, nextOffset(chunk))
      yield chunk
    }
    if (offset === start) return
  }
}

/** One piece: a batch may lie across two chunks of a read. */
function wholeBatches(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  return chunks.length < 2 ? chunks : [Buffer.concat(chunks)]
}

function nextOffset(chunk: Uint8Array): number {
  let next = -1
  for (const header of batches(chunk)) next = header.lastOffset + 1
  return next
}
