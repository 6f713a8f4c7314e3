import { type Clock, type Logger, sleep } from '../../platform/index.ts'
import { type ErrorName, KafkaError } from '../../protocol/index.ts'
import { complete } from './end-transaction.ts'
import { type MarkerWriter, markerOutcome } from './marker-writer.ts'
import { namesOf, type PartitionName } from './topic-partitions.ts'
import { isPrepared, type Transaction } from './transaction.ts'
import type { TransactionRecord } from './transaction-record.ts'

/** A transactional id with what belongs to it here and now. */
export interface TransactionEntry {
  readonly transactionalId: string
  /** Changes by replay alone; undefined until the first record is in the log. */
  transaction: Transaction | undefined
  /** A change is on its way into the log, or a transaction is being ended: others have to wait. */
  isPending: boolean
  /** When the transaction under way began, by {@link Clock.monotonicMs}. */
  beganMs: number
  /** While a transaction is being ended: partitions that do not know of it yet. */
  unmarked: readonly PartitionName[] | undefined
}

/** What a {@link TransactionShard} works with. */
export interface TransactionShardOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly markers: MarkerWriter
  readonly partitionExists: (topic: string, partition: number) => boolean
  /** The leader epoch of the shard's partition, by which markers of older coordinators are refused. */
  readonly coordinatorEpoch: () => number
  /** Appends the records to the shard's partition and replays them: `CoordinatorRuntime.append`. */
  readonly append: (records: readonly TransactionRecord[]) => Promise<void>
}

const FIRST_RETRY_MS = 20
const LONGEST_RETRY_MS = 1_000

/**
 * The transactional ids of one partition of `__transaction_state`, and the hands of their state machines: brings
 * decisions into the log, and prepared transactions to their end.
 */
export class TransactionShard {
  readonly #options: TransactionShardOptions
  readonly #entries = new Map<string, TransactionEntry>()
  #isUnloaded = false

  constructor(options: TransactionShardOptions) {
    this.#options = options
  }

  get(transactionalId: string): TransactionEntry | undefined {
    return this.#entries.get(transactionalId)
  }

  /** All ids of the partition. */
  entries(): Iterable<TransactionEntry> {
    return this.#entries.values()
  }

  /** The entry, made if there is none. Without a record it goes when what is pending on it is over. */
  getOrCreate(transactionalId: string): TransactionEntry {
    let entry = this.#entries.get(transactionalId)
    if (entry === undefined) {
      entry = { transactionalId, transaction: undefined, isPending: false, beganMs: 0, unmarked: undefined }
      this.#entries.set(transactionalId, entry)
    }
    return entry
  }

  /**
   * Applies a record to the id that it is about. How old a transaction is the wall clock tells only where it began before
   * the load: a jump of that clock later on ends none, and keeps none alive.
   */
  replay({ transactionalId, transaction }: TransactionRecord, loading: boolean): void {
    if (transaction === null) {
      this.#entries.delete(transactionalId)
      return
    }
    const entry = this.getOrCreate(transactionalId)
    if (transaction.state === 'Ongoing' && entry.transaction?.state !== 'Ongoing') {
      const { clock } = this.#options
      const ageMs = loading ? Math.max(0, clock.now() - transaction.startTimestamp) : 0
      entry.beganMs = clock.monotonicMs() - ageMs
    }
    entry.transaction = transaction
  }

  /** All records are replayed: transactions whose end was decided are brought to it. */
  loaded(): void {
    for (const entry of this.#entries.values()) this.endPrepared(entry)
  }

  /** The partition is given up: whoever leads it now goes on. */
  unloaded(): void {
    this.#isUnloaded = true
    this.#entries.clear()
  }

  /** Runs `work` while nobody else may change the entry. */
  async exclusively<Result>(entry: TransactionEntry, work: () => Promise<Result>): Promise<Result> {
    entry.isPending = true
    try {
      return await work()
    } finally {
      entry.isPending = false
      if (entry.transaction === undefined && this.#entries.get(entry.transactionalId) === entry) {
        this.#entries.delete(entry.transactionalId)
      }
    }
  }

  /** Writes the id's next state; NONE once that is committed and replayed, else why it is not. */
  async write(entry: TransactionEntry, next: Transaction): Promise<ErrorName> {
    try {
      await this.#options.append([{ transactionalId: entry.transactionalId, transaction: next }])
      return 'NONE'
    } catch (error) {
      return transactionStoreError(error)
    }
  }

  /** Forgets ids; one batch for all. */
  async forget(entries: readonly TransactionEntry[]): Promise<void> {
    for (const entry of entries) entry.isPending = true
    try {
      await this.#options.append(entries.map(({ transactionalId }) => ({ transactionalId, transaction: null })))
    } finally {
      for (const entry of entries) entry.isPending = false
    }
  }

  /** Brings a transaction whose end is decided to it, in the background: markers into all partitions, then the last record. */
  endPrepared(entry: TransactionEntry): void {
    const { transaction } = entry
    if (transaction === undefined || !isPrepared(transaction) || entry.unmarked !== undefined) return
    entry.isPending = true
    entry.unmarked = [...namesOf(transaction.partitions)]
    this.#end(entry, transaction).then(
      () => {
        entry.isPending = false
        entry.unmarked = undefined
      },
      error => this.#options.logger.error({ err: error }, `Could not end the transaction of ${entry.transactionalId}`),
    )
  }

  async #end(entry: TransactionEntry, transaction: Transaction): Promise<void> {
    const { clock, logger } = this.#options
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
      await this.#mark(entry, transaction)
      if (entry.unmarked?.length === 0) {
        const error = await this.write(entry, complete(transaction, clock.now()))
        if (error === 'NONE' || this.#isUnloaded) return
        logger.warn(
          { error },
          `The end of the transaction of ${entry.transactionalId} could not be written; trying again`,
        )
      }
      await sleep(clock, retryMs)
      if (this.#isUnloaded) return
    }
  }

  /** Tells the partitions that do not know; those where it may pass by are left for another time. */
  async #mark(entry: TransactionEntry, transaction: Transaction): Promise<void> {
    const { markers, partitionExists, coordinatorEpoch } = this.#options
    const partitions = entry.unmarked ?? []
    if (partitions.length === 0) return
    const { producerId, producerEpoch, state } = transaction
    const result = state === 'PrepareCommit' ? 'commit' : 'abort'
    const marker = { producerId, producerEpoch, result, coordinatorEpoch: coordinatorEpoch() } as const
    const errors = await markers.write(marker, partitions)
    entry.unmarked = partitions.filter(({ topic, partition }, index) => {
      const error = errors[index] ?? 'UNKNOWN_SERVER_ERROR'
      const outcome = markerOutcome(error, partitionExists(topic, partition))
      // Kafka gives up here as well: somebody who knows better has taken over, and loading anew is what helps.
      if (outcome === 'fenced') throw new KafkaError(error, `the marker for ${topic}-${partition} was refused`)
      return outcome === 'retry'
    })
  }
}

/** What a refused append is to the client that waits for it (Kafka's `appendTransactionToLog`). */
export function transactionStoreError(error: unknown): ErrorName {
  const code = error instanceof KafkaError ? error.code : 'UNKNOWN_SERVER_ERROR'
  switch (code) {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'NOT_ENOUGH_REPLICAS':
    case 'NOT_ENOUGH_REPLICAS_AFTER_APPEND':
    case 'REQUEST_TIMED_OUT':
    case 'COORDINATOR_NOT_AVAILABLE':
      return 'COORDINATOR_NOT_AVAILABLE'
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'KAFKA_STORAGE_ERROR':
    case 'NOT_COORDINATOR':
      return 'NOT_COORDINATOR'
    case 'COORDINATOR_LOAD_IN_PROGRESS':
      return code
    default:
      return 'UNKNOWN_SERVER_ERROR'
  }
}
