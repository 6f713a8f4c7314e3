/** The files of a segment, and their names as Kafka gives them: the base offset in twenty digits and what the file holds. */

export const LOG_SUFFIX = '.log'
export const INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
export const TXN_INDEX_SUFFIX = '.txnindex'
export const SNAPSHOT_SUFFIX = '.snapshot'
/** Renamed by a deletion that has not removed it yet. */
export const DELETED_SUFFIX = '.deleted'
/** Written by a compaction that has not finished. */
export const CLEANED_SUFFIX = '.cleaned'
/** Finished by a compaction that has not put it in place. */
export const SWAP_SUFFIX = '.swap'

/** Which files of a segment there are. */
export interface SegmentFiles {
  /** Bytes of records. */
  readonly log: number
  readonly hasIndex: boolean
  readonly hasTimeIndex: boolean
  readonly hasTxnIndex: boolean
}

/** The files of a segment that is only now made. */
export const NEW_SEGMENT_FILES: SegmentFiles = { log: 0, hasIndex: false, hasTimeIndex: false, hasTxnIndex: false }

/** `00000000000000000042.log` for 42 and `.log`. */
export function segmentFileName(baseOffset: number, suffix: string): string {
  return `${String(baseOffset).padStart(20, '0')}${suffix}`
}

const NAME = /^(\d{20})(\.(?:log|index|timeindex|txnindex|snapshot))(\.deleted|\.cleaned|\.swap)?$/

/** What a file in a partition's directory is by its name; undefined for files that are no segment's. */
export function parseSegmentFileName(
  name: string,
): { readonly baseOffset: number; readonly kind: string; readonly mark: string | undefined } | undefined {
  const match = NAME.exec(name)
  if (match === null) return undefined
  const baseOffset = Number(match[1])
  if (!Number.isSafeInteger(baseOffset)) return undefined
  return { baseOffset, kind: match[2]!, mark: match[3] }
}
