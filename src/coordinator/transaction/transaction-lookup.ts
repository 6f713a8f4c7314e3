import type { ErrorName } from '../../protocol/index.ts'
import type { CoordinatorRuntime } from '../runtime/coordinator-runtime.ts'
import { partitionForKey } from '../runtime/partition-for-key.ts'
import type { EndDecision } from './end-and-bump.ts'
import type { Transaction } from './transaction.ts'
import type { TransactionRecord } from './transaction-record.ts'
import type { TransactionEntry, TransactionShard } from './transaction-shard.ts'

export type TransactionRuntime = CoordinatorRuntime<TransactionShard, TransactionRecord>

/** Longer ids fit into no record: their length is an int16 there. */
const MAX_ID_LENGTH = 10_000

/** Decides on an id's transaction; asked again with a producer id that nobody has where it needs one. */
export type Decide = (current: Transaction | undefined, newProducerId: number | undefined) => EndDecision

/** How a change is made. */
export interface ChangeOptions {
  /** What is refused even while another change is under way. */
  readonly check?: (current: Transaction | undefined) => ErrorName
  /** A producer id that nobody has; for decisions that may need one. */
  readonly nextProducerId?: () => Promise<number>
}

/** Where a transactional id lives. */
export interface FoundTransaction {
  readonly shard: TransactionShard
  /** Undefined for an id that is not known. */
  readonly entry: TransactionEntry | undefined
}

/** Finds the partition that a transactional id lives in, and takes changes of it there. */
export class TransactionLookup {
  readonly runtime: TransactionRuntime
  readonly #partitions: number

  constructor(runtime: TransactionRuntime, partitions: number) {
    this.runtime = runtime
    this.#partitions = partitions
  }

  /** The partition of `__transaction_state` that holds the id. */
  partitionFor(transactionalId: string): number {
    return partitionForKey(transactionalId, this.#partitions)
  }

  /** Where the id lives, or why it cannot be asked for here now. */
  find(transactionalId: string): FoundTransaction | ErrorName {
    if (transactionalId === '' || transactionalId.length > MAX_ID_LENGTH) return 'INVALID_REQUEST'
    const partition = this.partitionFor(transactionalId)
    const error = this.runtime.errorOf(partition)
    if (error !== undefined) return error
    const shard = this.runtime.read(partition)
    return { shard, entry: shard.get(transactionalId) }
  }

  /**
   * Lets `decide` decide on the id's transaction and writes what it decided: NONE once that is committed.
   * `CONCURRENT_TRANSACTIONS` while another change is under way, but what `check` refuses is refused before.
   */
  async change(
    transactionalId: string,
    decide: Decide,
    { check, nextProducerId }: ChangeOptions = {},
  ): Promise<ErrorName> {
    const found = this.find(transactionalId)
    if (typeof found === 'string') return found
    const { shard, entry } = found
    const refused = check?.(entry?.transaction) ?? 'NONE'
    if (refused !== 'NONE') return refused
    if (entry?.isPending) return 'CONCURRENT_TRANSACTIONS'
    const decision = decide(entry?.transaction, undefined)
    if ('error' in decision) return decision.error
    if (entry === undefined) return 'INVALID_PRODUCER_ID_MAPPING'
    const error = await shard.exclusively(entry, async () => {
      if ('next' in decision) return shard.write(entry, decision.next)
      const newProducerId = await nextProducerId?.().catch(() => undefined)
      if (newProducerId === undefined) return 'COORDINATOR_NOT_AVAILABLE'
      const decided = decide(entry.transaction, newProducerId)
      if ('next' in decided) return shard.write(entry, decided.next)
      return 'error' in decided ? decided.error : 'UNKNOWN_SERVER_ERROR'
    })
    if (error === 'NONE') shard.endPrepared(entry)
    return error
  }
}
