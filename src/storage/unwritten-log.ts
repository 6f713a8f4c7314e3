import type { LogSegments } from './log-segments.ts'

/**
 * Whether a log is one segment that nobody has written to: there is nothing to recover in it although the broker was
 * killed. Such are the many logs that were made and never used.
 *
 * Any other log is scanned from its last segment on, even if it ends at the recovery point: indexes carry no checksum, and
 * what was appended, cut or lost since may have left something in them.
 */
export function isUnwritten({ segments }: { readonly segments: LogSegments }, recoveryPoint: number): boolean {
  if (segments.count !== 1) return false
  const { size, baseOffset, indexes } = segments.active
  return size === 0 && indexes.isEmpty && baseOffset === recoveryPoint
}
