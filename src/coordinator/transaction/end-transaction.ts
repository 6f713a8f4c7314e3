import { checkProducer } from './add-partitions.ts'
import { NO_PARTITIONS } from './topic-partitions.ts'
import {
  EPOCH_PER_TRANSACTION,
  MAX_EPOCH,
  type ProducerIdentity,
  type Transaction,
  type TransactionDecision,
  type TransactionResult,
} from './transaction.ts'

/**
 * EndTxn v0-4: the end of the transaction is decided when the answer is in the log; markers tell the partitions.
 *
 * Errors: `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`, `INVALID_TXN_STATE` when there is no transaction or it has
 * ended the other way, `CONCURRENT_TRANSACTIONS` while it ends; `NONE` when it has ended so already.
 */
export function decideEndTransaction(
  current: Transaction | undefined,
  request: ProducerIdentity & { readonly result: TransactionResult },
  now: number,
): TransactionDecision {
  const error = checkProducer(current, request)
  if (error !== 'NONE' || current === undefined) return { error }
  const isCommit = request.result === 'commit'
  switch (current.state) {
    case 'Ongoing': {
      const state = isCommit ? 'PrepareCommit' : 'PrepareAbort'
      return { next: { ...current, state, clientVersion: 0, lastUpdateTimestamp: now } }
    }
    case 'CompleteCommit':
      return { error: isCommit ? 'NONE' : 'INVALID_TXN_STATE' }
    case 'CompleteAbort':
      return { error: isCommit ? 'INVALID_TXN_STATE' : 'NONE' }
    case 'PrepareCommit':
      return { error: isCommit ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE' }
    case 'PrepareAbort':
      return { error: isCommit ? 'INVALID_TXN_STATE' : 'CONCURRENT_TRANSACTIONS' }
    case 'Empty':
      return { error: 'INVALID_TXN_STATE' }
    default:
      return { error: 'UNKNOWN_SERVER_ERROR' }
  }
}

/**
 * Aborts an ongoing transaction in an epoch that nobody has, so that its producer is fenced. The epoch is in the record
 * alone: when that cannot be written, nothing has changed, and the next attempt takes the same epoch (KAFKA-9666). It
 * stays where it is at the end of its range (KAFKA-20090); the next InitProducerId brings a new id then.
 *
 * Where each transaction has an epoch it is the one after the next: the next would be that which a producer gets by its own
 * end, and a late one of the fenced producer would be taken for asked again.
 */
export function fence(
  current: Transaction,
  { now, transactionVersion }: { readonly now: number; readonly transactionVersion: number },
): Transaction {
  const isPerTransaction = transactionVersion >= EPOCH_PER_TRANSACTION
  return {
    ...current,
    state: 'PrepareAbort',
    producerEpoch: Math.min(current.producerEpoch + (isPerTransaction ? 2 : 1), MAX_EPOCH),
    lastProducerEpoch: -1,
    clientVersion: isPerTransaction ? transactionVersion : 0,
    lastUpdateTimestamp: now,
  }
}

/** All partitions know of the end. */
export function complete(current: Transaction, now: number): Transaction {
  const state = current.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort'
  const completed = { ...current, state, partitions: NO_PARTITIONS, lastUpdateTimestamp: now } as const
  if (current.clientVersion < EPOCH_PER_TRANSACTION) return completed
  return { ...completed, ...identityAfter(current), previousProducerId: current.producerId, nextProducerId: -1 }
}

/** Who the producer is when the end of its transaction is everywhere known. */
export function identityAfter({ producerId, producerEpoch, nextProducerId }: Transaction): ProducerIdentity {
  return nextProducerId === -1 ? { producerId, producerEpoch } : { producerId: nextProducerId, producerEpoch: 0 }
}

/** Whether the transaction, which is so old, is older than its producer wanted it to be. */
export function isTimedOut(current: Transaction, ageMs: number): boolean {
  return current.state === 'Ongoing' && ageMs > current.timeoutMs
}

/** Whether the id was without a transaction for so long that it is forgotten. */
export function isExpired(current: Transaction, now: number, expirationMs: number): boolean {
  const { state, lastUpdateTimestamp } = current
  if (state !== 'Empty' && state !== 'CompleteCommit' && state !== 'CompleteAbort') return false
  return lastUpdateTimestamp <= now - expirationMs
}
