import { checkConsumers } from './consumer-checks.ts'
import { checkCommittedOffsets, checkPlaces } from './group-checks.ts'
import type { HistoryEvent } from './history.ts'
import { type Anomaly, Operations, type Report } from './operations.ts'
import { partitionContents } from './partition-content.ts'
import { checkRecords } from './record-checks.ts'
import { checkTransactions, transactionFates } from './transaction-checks.ts'

/** What a checker has to know that is not in the history. */
export interface CheckOptions {
  /** Whether a record may go when a later one has its key; default none. */
  readonly isCompacted?: (partition: string) => boolean
  /** Whether a record may go because it is old or there is too much; default none. */
  readonly isExpired?: (partition: string, value: string) => boolean
}

/**
 * Holds a history of clients against what a broker promises, and names what is wrong; nothing when all is well. It is
 * content with what is allowed: an operation without an answer may have been done or not, a consumer may read again after
 * it seeks, what does not promise to survive a lossy crash may be gone after one.
 */
export function checkHistory(events: readonly HistoryEvent[], options: CheckOptions = {}): readonly Anomaly[] {
  const anomalies: Anomaly[] = []
  const report: Report = (verdict, text) => void anomalies.push({ verdict, text })
  const operations = new Operations(events)
  const contents = partitionContents(operations, options)
  for (const content of contents.values()) checkRecords(operations, content, report)
  const fates = transactionFates(operations, contents)
  checkTransactions(operations, fates, report)
  checkConsumers(operations, contents, report)
  checkCommittedOffsets(operations, fates, report)
  checkPlaces(operations, report)
  return anomalies
}
