import type { CheckOptions } from './check-history.ts'
import type { Audit, Isolation, Produce, ReadRecord } from './history.ts'
import type { Done, Operations } from './operations.ts'

/** What is known of a partition: what was sent to it, and what it held when it was read as a whole for the last time. */
export class PartitionContent {
  readonly partition: string
  readonly produces: readonly Done<Produce>[]
  readonly #audits: readonly Done<Audit>[]
  readonly #trimmedTo: number
  readonly isCompacted: boolean
  readonly #isExpired: (value: string) => boolean
  readonly #keys = new Map<string, string>()
  /** Below it records may be missing. */
  readonly startOffset: number

  constructor(partition: string, operations: Operations, options: CheckOptions) {
    const isHere = ({ operation }: { operation: { partition: string } }): boolean => operation.partition === partition
    this.partition = partition
    this.produces = operations.all('produce').filter(isHere)
    this.#audits = operations.ok('audit').filter(isHere)
    const trims = operations.all('trim').filter(({ operation, outcome }) => isHere({ operation }) && outcome !== 'fail')
    this.#trimmedTo = Math.max(0, ...trims.map(({ operation }) => operation.offset))
    this.isCompacted = options.isCompacted?.(partition) ?? false
    this.#isExpired = value => options.isExpired?.(partition, value) ?? false
    this.startOffset = Math.max(this.#trimmedTo, ...this.#audits.map(({ result }) => result.offset ?? 0))
    for (const { operation } of this.produces) {
      for (const { key, value } of operation.records) if (key !== undefined) this.#keys.set(value, key)
    }
  }

  /** The last look at all of it; undefined when there was none. */
  lastAudit(isolation: Isolation): Done<Audit> | undefined {
    return this.#audits.filter(({ operation }) => operation.isolation === isolation).at(-1)
  }

  /** What was there at the last look. */
  found(isolation: Isolation): readonly ReadRecord[] {
    return this.lastAudit(isolation)?.result.records ?? []
  }

  /** All looks. */
  get audits(): readonly Done<Audit>[] {
    return this.#audits
  }

  /** Whether a record may be missing although nothing is wrong: it was deleted, it expired, or a later one has its key. */
  mayBeGone(value: string, offset: number | undefined): boolean {
    const isBefore = (start: number): boolean => (offset === undefined ? start > 0 : offset < start)
    if (isBefore(this.#trimmedTo) || (isBefore(this.startOffset) && this.#isExpired(value))) return true
    const key = this.#keys.get(value)
    if (!this.isCompacted || key === undefined) return false
    return this.found('uncommitted').some(
      record => this.#keys.get(record.value) === key && record.offset > (offset ?? -1),
    )
  }
}

/** The contents of all partitions of a history. */
export function partitionContents(
  operations: Operations,
  options: CheckOptions,
): ReadonlyMap<string, PartitionContent> {
  const names = new Set([
    ...operations.all('produce').map(({ operation }) => operation.partition),
    ...operations.all('audit').map(({ operation }) => operation.partition),
    ...operations.all('poll').map(({ operation }) => operation.partition),
  ])
  return new Map([...names].map(name => [name, new PartitionContent(name, operations, options)]))
}
