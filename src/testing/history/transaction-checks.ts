import type { EndTransaction, Produce } from './history.ts'
import type { Done, Operations, Report } from './operations.ts'
import type { PartitionContent } from './partition-content.ts'

/** A transaction as a whole. */
export interface TransactionFate {
  readonly name: string
  readonly produces: readonly Done<Produce>[]
  readonly end: Done<EndTransaction> | undefined
  /** `unknown`: its commit was asked for, and nobody knows what came of it. */
  readonly fate: 'committed' | 'aborted' | 'unknown'
  /** Of its acknowledged records, those that can be seen at the end, and those that cannot. */
  readonly seen: readonly string[]
  readonly unseen: readonly string[]
}

/** Every transaction of a history, and what became of it. */
export function transactionFates(
  operations: Operations,
  contents: ReadonlyMap<string, PartitionContent>,
): ReadonlyMap<string, TransactionFate> {
  const seenIn = new Map(
    [...contents].map(([name, content]) => [name, new Set(content.found('committed').map(({ value }) => value))]),
  )
  const ends = new Map(operations.all('end').map(done => [done.operation.transaction, done]))
  const produces = new Map<string, Done<Produce>[]>()
  for (const done of operations.all('produce')) {
    const { transaction } = done.operation
    if (transaction !== undefined) produces.set(transaction, [...(produces.get(transaction) ?? []), done])
  }
  const names = new Set([...produces.keys(), ...ends.keys()])
  return new Map([...names].map(name => [name, fateOf(name)]))

  function fateOf(name: string): TransactionFate {
    const own = produces.get(name) ?? []
    const end = ends.get(name)
    const isAborted = end === undefined || !end.operation.isCommit || end.outcome === 'fail'
    const fate = isAborted ? 'aborted' : end.outcome === 'ok' ? 'committed' : 'unknown'
    const seen: string[] = []
    const unseen: string[] = []
    for (const { operation, outcome, result } of own) {
      const content = contents.get(operation.partition)
      if (outcome !== 'ok' || content?.lastAudit('committed') === undefined) continue
      for (const [index, { value }] of operation.records.entries()) {
        const isSeen = seenIn.get(operation.partition)!.has(value)
        const offset = result.offset === undefined ? undefined : result.offset + index
        if (isSeen) seen.push(value)
        else if (!content.mayBeGone(value, offset)) unseen.push(value)
      }
    }
    return { name, produces: own, end, fate, seen, unseen }
  }
}

/** Torn transactions, and reads of what is not committed. */
export function checkTransactions(
  operations: Operations,
  fates: ReadonlyMap<string, TransactionFate>,
  report: Report,
): void {
  for (const { name, produces, fate, seen, unseen } of fates.values()) {
    const mustRemain = !mayBeTorn(operations, produces)
    const parts = `${seen.length} of ${seen.length + unseen.length} records`
    if (fate === 'committed' && unseen.length > 0 && mustRemain) {
      report('torn transaction', `${name} is committed: ${parts} are there, not ${unseen[0]}`)
    } else if (fate === 'unknown' && seen.length > 0 && unseen.length > 0 && mustRemain) {
      report('torn transaction', `${parts} of ${name} are there: ${seen[0]}, not ${unseen[0]}`)
    }
  }
  checkReads(operations, fates, report)
}

/** Whether the power may have taken a part of a transaction, or what its coordinator knew of it, before some time. */
function mayBeTorn(operations: Operations, produces: readonly Done<Produce>[], before?: number): boolean {
  if (produces.every(({ operation }) => operation.survives)) return false
  return operations.wasLossyAfter(Math.min(...produces.map(({ invokedAt }) => invokedAt)), before)
}

/** A reader of committed records sees nothing before its commit was asked for, and nothing at all that was aborted. */
function checkReads(operations: Operations, fates: ReadonlyMap<string, TransactionFate>, report: Report): void {
  const fateOf = new Map<string, TransactionFate>()
  for (const fate of fates.values()) {
    for (const { operation } of fate.produces) for (const { value } of operation.records) fateOf.set(value, fate)
  }
  for (const { operation, endedAt, result } of [...operations.ok('poll'), ...operations.ok('audit')]) {
    if (operation.isolation !== 'committed') continue
    for (const { value, offset } of result.records ?? []) {
      const transaction = fateOf.get(value)
      if (transaction === undefined) continue
      const { name, fate, end, produces } = transaction
      if (fate !== 'aborted' && end !== undefined && end.invokedAt < endedAt) continue
      if (mayBeTorn(operations, produces, endedAt)) continue
      const state = fate === 'aborted' ? 'is not committed' : 'was open then'
      report('aborted read', `${value} at ${offset} of ${operation.partition} was read, and ${name} ${state}`)
    }
  }
}
