import type { ReadRecord } from './history.ts'
import type { Done, Operations, Report } from './operations.ts'
import type { PartitionContent } from './partition-content.ts'

/** Lost, duplicate, unwritten, reordered, inconsistent: what a partition holds against what was sent to it. */
export function checkRecords(operations: Operations, content: PartitionContent, report: Report): void {
  checkLoss(operations, content, report)
  checkCopies(content, report)
  checkOrder(content, report)
  checkOffsets(operations, content, report)
}

/** What was acknowledged is there, unless it may be gone. */
function checkLoss(operations: Operations, content: PartitionContent, report: Report): void {
  if (content.lastAudit('uncommitted') === undefined) return
  const there = new Set(content.found('uncommitted').map(({ value }) => value))
  const audit = content.lastAudit('uncommitted')!
  for (const done of content.produces) {
    if (done.outcome !== 'ok' || done.endedAt > audit.invokedAt || !operations.mustRemain(done)) continue
    const { offset } = done.result
    for (const [index, { value }] of done.operation.records.entries()) {
      const at = offset === undefined ? undefined : offset + index
      if (there.has(value) || content.mayBeGone(value, at)) continue
      report('lost', `${value} was acknowledged at ${at ?? 'some offset'} of ${content.partition} and is not there`)
    }
  }
}

function checkCopies(content: PartitionContent, report: Report): void {
  const allowed = new Map<string, number>()
  for (const { operation, outcome, retries } of content.produces) {
    const copies = outcome === 'fail' ? 0 : operation.isIdempotent ? 1 : 1 + retries
    for (const { value } of operation.records) allowed.set(value, (allowed.get(value) ?? 0) + copies)
  }
  for (const { result } of content.audits) {
    const counts = new Map<string, number>()
    for (const { value } of result.records ?? []) counts.set(value, (counts.get(value) ?? 0) + 1)
    for (const [value, count] of counts) {
      const most = allowed.get(value) ?? 0
      if (most === 0) report('unwritten', `${value} is in ${content.partition} and was never written there`)
      else if (count > most) report('duplicate', `${value} is ${count} times in ${content.partition}, not ${most}`)
    }
  }
}

/** Who was acknowledged before another began is before it; and so are the records of a producer that keeps order. */
function checkOrder(content: PartitionContent, report: Report): void {
  const firstAt = new Map<string, number>()
  const lastAt = new Map<string, number>()
  for (const { value, offset } of content.found('uncommitted')) {
    if (!firstAt.has(value)) firstAt.set(value, offset)
    lastAt.set(value, offset)
  }
  const there = content.produces.filter(({ operation, retries }) => {
    // Of several copies in a compacted partition each may be there in part.
    if (content.isCompacted && retries > 0 && !operation.isIdempotent) return false
    return operation.records.every(({ value }) => firstAt.has(value))
  })
  const begin = (done: (typeof there)[number]): number => firstAt.get(done.operation.records[0]!.value)!
  for (const { operation } of there) {
    const offsets = operation.records.map(({ value }) => firstAt.get(value)!)
    if (offsets.some((offset, index) => index > 0 && offset <= offsets[index - 1]!)) {
      report('reordered', `the records of ${operation.records[0]!.value} are at ${offsets} of ${content.partition}`)
    }
  }
  const ended = there.filter(({ outcome }) => outcome === 'ok').sort((one, other) => one.endedAt - other.endedAt)
  let next = 0
  let highest: (typeof there)[number] | undefined
  const lastOf = new Map<string, (typeof there)[number]>()
  for (const done of there) {
    for (; next < ended.length && ended[next]!.endedAt < done.invokedAt; next++) {
      if (highest === undefined || begin(ended[next]!) > begin(highest)) highest = ended[next]!
    }
    const { producer, records, isIdempotent } = done.operation
    const end = lastAt.get(records.at(-1)!.value)!
    for (const earlier of [highest, isIdempotent ? lastOf.get(producer) : undefined]) {
      if (earlier === undefined || begin(earlier) < end) continue
      const values = `${records[0]!.value} is before ${earlier.operation.records[0]!.value}`
      report('reordered', `${values} in ${content.partition} and was sent after it`)
    }
    lastOf.set(producer, done)
  }
}

/** Each offset has one record, whoever reads it and whenever; producers were told the truth. */
function checkOffsets(operations: Operations, content: PartitionContent, report: Report): void {
  const polls = operations.ok('poll').filter(({ operation }) => operation.partition === content.partition)
  const known = new Map<number, { record: ReadRecord; at: number }>()
  const reads: readonly Done[] = [...polls, ...content.audits].sort((one, other) => one.endedAt - other.endedAt)
  for (const { result, endedAt } of reads) {
    for (const record of result.records ?? []) {
      const before = known.get(record.offset)
      known.set(record.offset, { record, at: endedAt })
      if (before === undefined || before.record.value === record.value) continue
      // What was lost with the power may have its offset taken by another, in a later epoch.
      const isLater = before.record.epoch < record.epoch || record.epoch < 0
      if (isLater && operations.wasLossyAfter(before.at)) continue
      const values = `${before.record.value} (epoch ${before.record.epoch}) and ${record.value} (epoch ${record.epoch})`
      report('inconsistent offset', `offset ${record.offset} of ${content.partition} has ${values}`)
    }
  }
  const places = new Map<string, Set<number>>()
  for (const { value, offset } of content.found('uncommitted')) {
    places.set(value, (places.get(value) ?? new Set()).add(offset))
  }
  for (const done of content.produces) {
    const { operation, result, retries } = done
    if (result.offset === undefined) continue
    // The copy that was acknowledged may be gone, and an earlier one there.
    if (retries > 0 && !operations.mustRemain(done)) continue
    for (const [index, { value }] of operation.records.entries()) {
      const found = places.get(value)
      if (found === undefined || found.has(result.offset + index)) continue
      const told = `${value} was acknowledged at ${result.offset + index} of ${content.partition}`
      report('inconsistent offset', `${told} and is at ${[...found]}`)
    }
  }
}
