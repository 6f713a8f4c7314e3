import type { Poll } from './history.ts'
import type { Done, Operations, Report } from './operations.ts'
import type { PartitionContent } from './partition-content.ts'

/** Skipped, not monotonic, unseen after recovery: what consumers saw against what is there. */
export function checkConsumers(
  operations: Operations,
  contents: ReadonlyMap<string, PartitionContent>,
  report: Report,
): void {
  const positions = new Map<string, number>()
  for (const poll of operations.ok('poll')) {
    const { consumer, partition, position, seeks } = poll.operation
    const place = `${consumer} ${partition}`
    const before = positions.get(place)
    if (!seeks && before !== undefined && before !== position) {
      report('not monotonic', `${consumer} was at ${before} of ${partition} and read on from ${position}`)
    }
    checkRise(poll, report)
    positions.set(place, poll.result.next ?? position)
    const content = contents.get(partition)!
    checkSkipped(operations, content, poll, report)
    checkUnseen(operations, content, poll, report)
  }
}

function checkRise({ operation, result }: Done<Poll>, report: Report): void {
  const { consumer, partition, position } = operation
  let least = position
  for (const { offset } of result.records ?? []) {
    if (offset < least) report('not monotonic', `${consumer} read ${offset} of ${partition} behind ${least}`)
    least = offset + 1
  }
  const { next = least } = result
  if (next < least) report('not monotonic', `${consumer} stands at ${next} of ${partition} behind ${least}`)
}

function checkSkipped(operations: Operations, content: PartitionContent, poll: Done<Poll>, report: Report): void {
  const { isolation, position, consumer, partition } = poll.operation
  // What was lost with the power was perhaps seen in the place of what is there now.
  if (operations.wasLossyAfter(poll.endedAt)) return
  const { next = position } = poll.result
  const got = new Set((poll.result.records ?? []).map(({ offset }) => offset))
  for (const { offset, value } of content.found(isolation)) {
    if (offset < position || offset >= next || got.has(offset) || offset < content.startOffset) continue
    report('skipped', `${consumer} went from ${position} to ${next} of ${partition} past ${value} at ${offset}`)
  }
}

function checkUnseen(operations: Operations, content: PartitionContent, poll: Done<Poll>, report: Report): void {
  const audit = content.lastAudit(poll.operation.isolation)
  if (audit === undefined || audit.invokedAt < poll.endedAt) return
  const there = new Set((audit.result.records ?? []).map(({ value }) => value))
  const isLossy = operations.wasLossyAfter(poll.endedAt)
  for (const { offset, value } of poll.result.records ?? []) {
    if (there.has(value) || content.mayBeGone(value, offset)) continue
    const writer = content.produces.find(({ operation }) => operation.records.some(record => record.value === value))
    if (isLossy && writer?.operation.survives !== true) continue
    const { consumer, partition } = poll.operation
    report('unseen after recovery', `${consumer} saw ${value} at ${offset} of ${partition}, and it is not there`)
  }
}
