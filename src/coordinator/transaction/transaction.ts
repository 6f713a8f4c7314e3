import type { ErrorName } from '../../protocol/index.ts'
import type { TopicPartitions } from './topic-partitions.ts'

/**
 * States of a transactional id, each at the place of its number in `__transaction_state` (Kafka's TransactionState).
 * `Dead` and `PrepareEpochFence` are in no log: there an expired id has a tombstone, and a fenced one is `PrepareAbort`.
 */
export const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

export type TransactionState = (typeof TRANSACTION_STATES)[number]

/** How a transaction ends. */
export type TransactionResult = 'commit' | 'abort'

/** A transactional id and its transaction under way or last over; a value. */
export interface Transaction {
  readonly state: TransactionState
  readonly producerId: number
  readonly producerEpoch: number
  /** The producer id before the current one, or the same; -1 if unknown: values of version 0 do not hold it. */
  readonly previousProducerId: number
  /** While the end is prepared that uses up the last epoch: the producer id that follows, in epoch 0; else -1. */
  readonly nextProducerId: number
  /** The epoch that the last InitProducerId named, or that the last end was for; -1 without one or if unknown: it is not in the log. */
  readonly lastProducerEpoch: number
  /** `transaction.version` by which the client added partitions or ended its transaction last: 2 gives each transaction an epoch (KIP-890). */
  readonly clientVersion: number
  readonly timeoutMs: number
  readonly partitions: TopicPartitions
  /** Wall clock of the first partition; -1 before. */
  readonly startTimestamp: number
  readonly lastUpdateTimestamp: number
}

/** A producer as a request names it. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** The first `transaction.version` whose values in the log have tagged fields. */
export const FLEXIBLE_VALUES = 1

/** The first `transaction.version` with an epoch for each transaction (KIP-890). */
export const EPOCH_PER_TRANSACTION = 2

/** What to write, or what to answer without writing: an error, or NONE when all is as it was asked for. */
export type TransactionDecision = { readonly next: Transaction } | { readonly error: ErrorName }

/** Greatest epoch of the protocol; only fencing reaches it. */
export const MAX_EPOCH = 32767

/** Whether the epoch leaves no room for another producer and for fencing that: a new id is due. */
export function isEpochExhausted(epoch: number): boolean {
  return epoch >= MAX_EPOCH - 1
}

/** Whether the transaction's end is decided and not everywhere known. */
export function isPrepared(transaction: Transaction): boolean {
  return transaction.state === 'PrepareCommit' || transaction.state === 'PrepareAbort'
}
