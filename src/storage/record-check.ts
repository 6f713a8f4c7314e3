import { type BatchHeader, KafkaError, NO_TIMESTAMP, recordCursor } from '../protocol/index.ts'
import type { LogConfig } from './log-config.ts'
import type { AppendOrigin } from './producer-state.ts'
import { MAX_DECOMPRESSED_BYTES } from './transaction-marker.ts'

/** A record that a topic does not accept, by its place in the batch. */
export interface RecordError {
  readonly batchIndex: number
  readonly message: string
}

/** INVALID_RECORD or INVALID_TIMESTAMP, with the records that are to blame (KIP-467). */
export class RecordValidationError extends KafkaError {
  readonly recordErrors: readonly RecordError[]

  constructor(code: 'INVALID_RECORD' | 'INVALID_TIMESTAMP', recordErrors: readonly RecordError[]) {
    super(code, recordErrors[0]?.message)
    this.recordErrors = recordErrors
  }
}

/** What a topic asks of single records. */
export interface RecordRules {
  readonly needsKeys: boolean
  /** Timestamps in milliseconds; infinite where there is no limit. */
  readonly oldest: number
  readonly newest: number
}

const NO_RULES: RecordRules = {
  needsKeys: false,
  oldest: Number.NEGATIVE_INFINITY,
  newest: Number.POSITIVE_INFINITY,
}

/** What a topic asks of the records of a client; of what others write it asks nothing. */
export function recordRules(
  config: LogConfig,
  { origin, nowMs }: { readonly origin: AppendOrigin; readonly nowMs: number },
): RecordRules {
  if (origin !== 'client') return NO_RULES
  const createTime = config.messageTimestampType === 'CreateTime'
  return {
    needsKeys: config.cleanupPolicy.includes('compact'),
    oldest: createTime ? nowMs - config.messageTimestampBeforeMaxMs : NO_RULES.oldest,
    newest: createTime ? nowMs + config.messageTimestampAfterMaxMs : NO_RULES.newest,
  }
}

/** Whether there can be a batch that has to be unpacked; by default a topic asks nothing. */
export function mayLookInto({ needsKeys, oldest, newest }: RecordRules): boolean {
  return needsKeys || oldest > 0 || newest <= Number.MAX_SAFE_INTEGER
}

/** Whether a batch has to be unpacked to say whether a topic accepts it. */
export function mustLookInto(header: BatchHeader, { needsKeys, oldest, newest }: RecordRules): boolean {
  return needsKeys || oldest > 0 || header.maxTimestamp > newest
}

/**
 * Looks into the records where the topic asks for it, and only there.
 *
 * @throws RecordValidationError; CORRUPT_MESSAGE, INVALID_RECORD, MESSAGE_TOO_LARGE for records that cannot be read
 */
export function checkRecords(bytes: Uint8Array, header: BatchHeader, rules: RecordRules): void {
  if (!mustLookInto(header, rules)) return
  const timed = rules.oldest > 0 || header.maxTimestamp > rules.newest
  const cursor = recordCursor(bytes, header, { maxBytes: MAX_DECOMPRESSED_BYTES })
  const errors: RecordError[] = []
  let code: 'INVALID_RECORD' | 'INVALID_TIMESTAMP' = 'INVALID_TIMESTAMP'
  for (let batchIndex = 0; cursor.next(); batchIndex++) {
    const { timestamp } = cursor
    if (rules.needsKeys && !cursor.hasKey) {
      code = 'INVALID_RECORD'
      errors.push({ batchIndex, message: 'Compacted topic cannot accept message without key' })
    } else if (timed && timestamp !== NO_TIMESTAMP && (timestamp < rules.oldest || timestamp > rules.newest)) {
      const message = `Timestamp ${timestamp} of message is out of range [${rules.oldest}, ${rules.newest}]`
      errors.push({ batchIndex, message })
    }
  }
  if (errors.length > 0) throw new RecordValidationError(code, errors)
}
