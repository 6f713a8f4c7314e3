import type { Session } from './history.ts'
import type { Operations, Report } from './operations.ts'
import type { TransactionFate } from './transaction-checks.ts'

/** A commit of an offset as a whole: its transaction is a part of it. */
interface OffsetWrite {
  readonly offset: number
  readonly invokedAt: number
  /** From here on it is known to be done; infinite where nobody knows. */
  readonly endedAt: number
  readonly survives: boolean
}

/** The offset of a group is the last one that was acknowledged, or one that was on its way. */
export function checkCommittedOffsets(
  operations: Operations,
  fates: ReadonlyMap<string, TransactionFate>,
  report: Report,
): void {
  const writes = offsetWrites(operations, fates)
  for (const { operation, invokedAt, endedAt, result } of operations.ok('fetch-offset')) {
    const { group, partition } = operation
    const own = writes.get(`${group} ${partition}`) ?? []
    const isLost = ({ survives, endedAt: at }: OffsetWrite): boolean =>
      !survives && operations.all('crash').some(crash => crash.operation.isLossy && crash.invokedAt > at)
    const firm = own.filter(write => write.endedAt < invokedAt && !isLost(write))
    const isReplaced = (write: OffsetWrite): boolean => firm.some(other => other.invokedAt > write.endedAt)
    const possible = own.filter(write => write.invokedAt < endedAt && !isReplaced(write)).map(({ offset }) => offset)
    if (firm.length === 0) possible.push(-1)
    const { offset = -1 } = result
    if (possible.includes(offset)) continue
    const isBehind = offset < Math.max(...possible)
    const text = `the offset of ${group} in ${partition} is ${offset}, and not one of ${possible}`
    report(isBehind ? 'offset regression' : 'inconsistent offset', text)
  }
}

function offsetWrites(
  operations: Operations,
  fates: ReadonlyMap<string, TransactionFate>,
): ReadonlyMap<string, readonly OffsetWrite[]> {
  const writes = new Map<string, OffsetWrite[]>()
  for (const { operation, outcome, invokedAt, endedAt } of operations.all('commit-offset')) {
    if (outcome === 'fail') continue
    const { group, partition, offset, survives, transaction } = operation
    const place = `${group} ${partition}`
    const write = { offset, survives, invokedAt, endedAt }
    const known = writes.get(place) ?? []
    if (transaction === undefined) writes.set(place, [...known, write])
    else {
      const end = transactionEnd(fates.get(transaction))
      if (end) writes.set(place, [...known, { ...write, ...end }])
    }
  }
  return writes
}

/** When the offsets of a transaction took effect; undefined where they did not. */
function transactionEnd(
  transaction: TransactionFate | undefined,
): { readonly invokedAt: number; readonly endedAt: number } | undefined {
  if (transaction?.end === undefined || transaction.fate === 'aborted') return undefined
  const { invokedAt, endedAt } = transaction.end
  if (transaction.fate === 'committed') return { invokedAt, endedAt }
  // Its records tell what became of it.
  if (transaction.seen.length > 0) return { invokedAt, endedAt: Number.POSITIVE_INFINITY }
  return transaction.unseen.length > 0 ? undefined : { invokedAt, endedAt }
}

/** Nobody acts whose place was taken, no two own one partition, and places have rising numbers. */
export function checkPlaces(operations: Operations, report: Report): void {
  const taken = operations.ok('take-place')
  const owners = new Map<string, string>()
  for (const { operation, result, invokedAt } of taken) {
    const { session, partitions = [] } = result
    if (session === undefined) continue
    for (const earlier of taken) {
      const other = earlier.result.session
      if (earlier.operation.of !== operation.of || other === undefined) continue
      if (earlier.endedAt < invokedAt && other.number > session.number && !operations.wasLossyAfter(earlier.endedAt)) {
        const text = `${operation.who} has number ${session.number} of ${operation.of} after ${other.number}`
        report('generation regression', text)
      }
    }
    for (const partition of partitions) {
      const place = `${operation.of} ${session.number} ${partition}`
      const owner = owners.get(place)
      owners.set(place, operation.who)
      if (owner === undefined || owner === operation.who) continue
      const both = `${owner} and ${operation.who}`
      report('owned twice', `${partition} belongs to ${both} in generation ${session.number} of ${operation.of}`)
    }
  }
  checkZombies(operations, report)
}

function checkZombies(operations: Operations, report: Report): void {
  const taken = operations.ok('take-place')
  const isReplaced = (session: Session, at: number): boolean =>
    taken.some(
      ({ operation, result, endedAt }) =>
        operation.of === session.of &&
        endedAt < at &&
        result.session!.number > session.number &&
        !operations.wasLossyAfter(endedAt),
    )
  for (const kind of ['produce', 'end', 'commit-offset'] as const) {
    for (const { operation, invokedAt } of operations.ok(kind)) {
      const { session } = operation
      if (session === undefined || !isReplaced(session, invokedAt)) continue
      report('zombie', `number ${session.number} of ${session.of} was replaced, and its ${kind} was let through`)
    }
  }
}
