import type { LogConfig } from './log-config.ts'
import type { LogSegment } from './log-segment.ts'

/** A log as retention sees it. */
export interface RetentionView {
  readonly segments: readonly LogSegment[]
  readonly config: LogConfig
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Nothing at or above it is deleted (KAFKA-5634). */
  readonly highWatermark: number
}

/** Why segments are deleted; the value is what the log line says. */
export type RetentionReason = 'log start offset' | 'retention time' | 'retention size'

/**
 * The oldest segments that may go, and why. Whole segments only: what `retention.*` says is kept at least. A compacted
 * topic without the policy `delete` loses only what lies below its log start.
 */
export function deletableSegments(
  view: RetentionView,
  nowMs: number,
): { readonly segments: readonly LogSegment[]; readonly reason: RetentionReason } | undefined {
  const { config, logStartOffset } = view
  const below = oldestWhile(view, (_, next) => next !== undefined && next.baseOffset <= logStartOffset)
  if (below.length > 0) return { segments: below, reason: 'log start offset' }
  if (!config.cleanupPolicy.includes('delete')) return undefined
  if (config.retentionMs >= 0) {
    const old = oldestWhile(view, segment => nowMs - segment.largestTimestamp > config.retentionMs)
    if (old.length > 0) return { segments: old, reason: 'retention time' }
  }
  if (config.retentionBytes >= 0) {
    let excess = view.segments.reduce((sum, { size }) => sum + size, 0) - config.retentionBytes
    const large = oldestWhile(view, segment => {
      excess -= segment.size
      return excess >= 0
    })
    if (large.length > 0) return { segments: large, reason: 'retention size' }
  }
  return undefined
}

function oldestWhile(
  { segments, highWatermark, logEndOffset }: RetentionView,
  mayGo: (segment: LogSegment, next: LogSegment | undefined) => boolean,
): LogSegment[] {
  const gone: LogSegment[] = []
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]
    const isEmptyActive = next === undefined && segment.size === 0
    if (isEmptyActive || (next?.baseOffset ?? logEndOffset) > highWatermark || !mayGo(segment, next)) break
    gone.push(segment)
  }
  return gone
}
