import type { LogSegment } from './log-segment.ts'
import type { LogSegments } from './log-segments.ts'
import type { ProducerSnapshots } from './producer-snapshots.ts'
import type { ProducerState } from './producer-state.ts'
import { markerOf } from './transaction-marker.ts'

/** Between which offsets a state is rebuilt. */
export interface ReplayRange {
  readonly logStartOffset: number
  /** The state shall be that of all batches below. */
  readonly endOffset: number
  /** Transactions whose marker is not below it are undecided still. */
  readonly highWatermark: number
}

/** Makes `state` what the log says: the newest snapshot that counts, and the batches behind it. */
export function rebuildProducers(
  state: ProducerState,
  log: { readonly segments: LogSegments; readonly snapshots: ProducerSnapshots },
  range: ReplayRange,
): void {
  const snapshot = log.snapshots.load(range.endOffset)
  if (snapshot === undefined) state.restore([], range.logStartOffset)
  else state.restore(snapshot.producers, snapshot.offset)
  for (const segment of log.segments.between(state.mapEndOffset, range.endOffset)) {
    replaySegment(state, segment, range)
  }
  state.mapEndOffset = range.endOffset
  state.logStartMoved(range.logStartOffset)
}

function replaySegment(state: ProducerState, segment: LogSegment, range: ReplayRange): void {
  const from = state.mapEndOffset
  const position = from <= segment.baseOffset ? 0 : segment.positionOf(from)
  const scanner = segment.scan(position, 1 << 20)
  for (let header = scanner.next(); header !== undefined; header = scanner.next()) {
    if (header.lastOffset >= range.endOffset) return
    if (header.producerId < 0 || header.lastOffset < from) continue
    const whole = header.isControl ? scanner.batch() : undefined
    const marker = whole && markerOf(whole.bytes, whole.header)
    state.update(header, marker, range.highWatermark)
  }
}
