import type { Operations, Report } from './operations.ts'
import type { TransactionFate } from './transaction-checks.ts'

/** A commit of an offset as a whole: its transaction is a part of it. */
interface OffsetWrite {
  readonly offset: number
  readonly invokedAt: number
  /** From here on it is known to be done; infinite where nobody knows. */
  readonly endedAt: number
  /** When the offset itself was sent and acknowledged, of a transaction before its end. */
  readonly sentAt: number
  readonly writtenAt: number
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
    const isLost = (write: OffsetWrite): boolean => !write.survives && operations.wasLossyAfter(write.writtenAt)
    const firm = own.filter(write => write.endedAt < invokedAt && !isLost(write))
    // Of two offsets that one stands that was written later, not the one whose transaction ended later.
    const isReplaced = (write: OffsetWrite): boolean => firm.some(other => other.sentAt > write.endedAt)
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
    const write = { offset, survives, invokedAt, endedAt, sentAt: invokedAt, writtenAt: endedAt }
    const known = writes.get(place) ?? []
    if (transaction === undefined) writes.set(place, [...known, write])
    else {
      const fate = fates.get(transaction)
      // What a coordinator lost with the power it may decide once more, with what came after it.
      const isTorn = !survives && operations.wasLossyAfter(invokedAt)
      const end = transactionEnd(fate) ?? (isTorn ? { invokedAt, endedAt: Number.POSITIVE_INFINITY } : undefined)
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
  const places = operations
    .ok('take-place')
    .flatMap(({ operation, result, invokedAt, endedAt }) =>
      result.session ? [{ ...operation, ...result, session: result.session, invokedAt, endedAt }] : [],
    )
  /** Whether a place may have been forgotten by then. */
  const isForgotten = ({ survives, endedAt }: (typeof places)[number], at: number): boolean =>
    !survives && operations.wasLossyAfter(endedAt, at)
  for (const [index, place] of places.entries()) {
    const { of, who, session, partitions = [], invokedAt, endedAt } = place
    for (const other of places) {
      if (other.of !== of || other.endedAt > invokedAt || other.session.number <= session.number) continue
      if (isForgotten(other, endedAt)) continue
      report('generation regression', `${who} has number ${session.number} of ${of} after ${other.session.number}`)
    }
    for (const other of places.slice(0, index)) {
      if (other.of !== of || other.session.number !== session.number || other.who === who) continue
      const shared = partitions.filter(partition => other.partitions?.includes(partition))
      if (shared.length === 0 || isForgotten(other, endedAt)) continue
      report('owned twice', `${shared} of ${of} belongs to ${other.who} and ${who} in generation ${session.number}`)
    }
    for (const other of places) {
      if (other.of !== of || other.session.number !== session.number || other.who === who) continue
      const shared = partitions.filter(partition => other.keeps?.includes(partition))
      // Members who remember more than their coordinator keep what is not theirs, and generations begin anew.
      if (shared.length === 0 || (!other.survives && operations.wasLossyAfter(0, Math.max(endedAt, other.endedAt))))
        continue
      report('owned twice', `${shared} of ${of} goes to ${who} while ${other.who} keeps it, in ${session.number}`)
    }
  }
  for (const kind of ['produce', 'end', 'commit-offset'] as const) {
    for (const { operation, invokedAt, endedAt } of operations.ok(kind)) {
      for (const session of [operation.session, 'instance' in operation ? operation.instance : undefined]) {
        // What its coordinator lost with the power, it promised to who had his place before.
        const own = places.find(({ of, session: taken }) => of === session?.of && taken.number === session.number)
        if (own !== undefined && isForgotten(own, endedAt)) continue
        const isReplaced = places.some(
          place =>
            place.of === session?.of &&
            place.session.number > session.number &&
            place.endedAt < invokedAt &&
            !isForgotten(place, endedAt),
        )
        if (isReplaced)
          report('zombie', `number ${session!.number} of ${session!.of} was replaced, and its ${kind} let through`)
      }
    }
  }
}
