/** How many descriptors are for what; together never more than there are. */
export interface DescriptorShares {
  /** Segment files that are held open. */
  readonly segmentFiles: number
  /** Connections of clients. */
  readonly connections: number
}

/** Segment files that are held open where there are descriptors enough. */
const SEGMENT_FILES = 4_096
/** What the rest needs at one time: the znode store, checkpoints and indexes while they are written, locks, workers, metrics. */
const RESERVE = 96
/** With fewer than these nothing works; then the system says so. */
const LEAST = 16

/**
 * Divides the descriptors of the process, so that no number of connections ever keeps a log from opening its files: an
 * append that finds no descriptor would take its log directory offline.
 */
export function descriptorShares(limit: number | undefined): DescriptorShares {
  if (limit === undefined) return { segmentFiles: SEGMENT_FILES, connections: Number.MAX_SAFE_INTEGER }
  const shared = Math.max(2 * LEAST, limit - RESERVE)
  const segmentFiles = Math.min(SEGMENT_FILES, Math.floor(shared / 2))
  return { segmentFiles, connections: shared - segmentFiles }
}
