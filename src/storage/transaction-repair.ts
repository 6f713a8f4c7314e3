import type { LoadOptions } from './log-loader.ts'
import type { LogSegment } from './log-segment.ts'
import type { LogSegments } from './log-segments.ts'
import { rebuildProducers } from './producer-replay.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import { ProducerState } from './producer-state.ts'
import { partitionName } from './topic-partition.ts'
import { markerOf } from './transaction-marker.ts'
import type { TransactionSums } from './transaction-sums.ts'

const WINDOW_BYTES = 1 << 20

/**
 * Makes transaction indexes of segments below `endOffset` anew from the records where they are not what was written, by
 * their sums, or, without one, cannot be what was.
 */
export async function repairTransactionIndexes(
  log: { readonly segments: LogSegments; readonly snapshots: ProducerSnapshots; readonly sums: TransactionSums },
  options: LoadOptions,
  endOffset: number,
): Promise<void> {
  const sums = log.sums.read()
  let repaired = false
  for (const segment of log.segments.all) {
    if (segment.baseOffset >= endOffset) break
    const { transactions } = segment.indexes
    if (!transactions.hasFile && !sums.has(segment.baseOffset)) continue
    if (transactions.isBorneOut(sums.get(segment.baseOffset), segment.baseOffset)) continue
    const fields = { partition: partitionName(options.topicPartition), baseOffset: segment.baseOffset }
    options.context.logger.warn(
      fields,
      'transaction index does not fit its checksum, or cannot be one: it is made anew from the records',
    )
    rebuildTransactionIndex(segment, log, options)
    segment.close()
    await transactions.sync()
    await options.pause()
    repaired = true
  }
  if (!repaired) return
  await options.context.disk.syncDirectory(options.path)
  await log.sums.write(log.segments.all)
}

/** Makes the transaction index of a segment anew from its records; it is not synced. */
export function rebuildTransactionIndex(
  segment: LogSegment,
  log: { readonly segments: LogSegments; readonly snapshots: ProducerSnapshots },
  { logStartOffset, highWatermark }: { readonly logStartOffset: number; readonly highWatermark: number },
): void {
  const { transactions } = segment.indexes
  const producers = new ProducerState()
  rebuildProducers(producers, log, { logStartOffset, highWatermark, endOffset: segment.baseOffset })
  transactions.reset()
  const scanner = segment.scan(0, WINDOW_BYTES)
  for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
    if (header.producerId < 0 || !scanner.crcValid()) continue
    const whole = header.isControl ? scanner.batch() : undefined
    const aborted = producers.update(header, whole && markerOf(whole.bytes, whole.header), highWatermark)
    if (aborted !== undefined) transactions.add(aborted)
  }
}
