import { identityAfter } from './end-transaction.ts'
import {
  EPOCH_PER_TRANSACTION,
  isEpochExhausted,
  isPrepared,
  MAX_EPOCH,
  type ProducerIdentity,
  type Transaction,
  type TransactionDecision,
  type TransactionResult,
} from './transaction.ts'

/** As {@link TransactionDecision}; or ask again with a new producer id, since the transaction's epoch is the last of this one. */
export type EndDecision = TransactionDecision | { readonly needsProducerId: true }

/**
 * EndTxn v5 (KIP-890, `transaction.version` 2): ends the transaction and takes the next epoch, in which its markers are written:
 * whatever of it comes late is refused. What {@link identityAfter} the decided state says is the answer; so it is after NONE,
 * which means that the same was asked for before.
 *
 * | state | abort, epoch of before | abort, current epoch | commit, epoch of before | commit, current epoch |
 * |---|---|---|---|---|
 * | Empty | PRODUCER_FENCED | next epoch | PRODUCER_FENCED | INVALID_TXN_STATE |
 * | Ongoing | PRODUCER_FENCED | next epoch | PRODUCER_FENCED | next epoch |
 * | CompleteAbort | NONE | next epoch | INVALID_TXN_STATE | INVALID_TXN_STATE |
 * | CompleteCommit | INVALID_TXN_STATE | next epoch | NONE | INVALID_TXN_STATE |
 *
 * Errors besides: `CONCURRENT_TRANSACTIONS` while a transaction ends, whoever asks, for the identity that it brings is not the
 * current one yet; `INVALID_PRODUCER_ID_MAPPING`.
 */
export function decideEndAndBump(
  current: Transaction | undefined,
  request: ProducerIdentity & { readonly result: TransactionResult },
  context: { readonly now: number; readonly newProducerId: number | undefined },
): EndDecision {
  if (current === undefined) return { error: 'INVALID_PRODUCER_ID_MAPPING' }
  if (isPrepared(current)) return { error: 'CONCURRENT_TRANSACTIONS' }
  const { state } = current
  const isCommit = request.result === 'commit'
  if (isAskedAgain(current, request)) {
    return { error: isCommit === (state === 'CompleteCommit') ? 'NONE' : 'INVALID_TXN_STATE' }
  }
  if (current.producerId !== request.producerId) return { error: 'INVALID_PRODUCER_ID_MAPPING' }
  if (current.producerEpoch !== request.producerEpoch) return { error: 'PRODUCER_FENCED' }
  if (state === 'Dead' || state === 'PrepareEpochFence') return { error: 'UNKNOWN_SERVER_ERROR' }
  if (isCommit && state !== 'Ongoing') return { error: 'INVALID_TXN_STATE' }
  return bump(current, isCommit ? 'PrepareCommit' : 'PrepareAbort', context)
}

function bump(
  current: Transaction,
  state: 'PrepareCommit' | 'PrepareAbort',
  { now, newProducerId }: { readonly now: number; readonly newProducerId: number | undefined },
): EndDecision {
  const { producerEpoch } = current
  const isExhausted = isEpochExhausted(producerEpoch)
  if (isExhausted && newProducerId === undefined) return { needsProducerId: true }
  return {
    next: {
      ...current,
      state,
      producerEpoch: Math.min(producerEpoch + 1, MAX_EPOCH),
      lastProducerEpoch: producerEpoch,
      nextProducerId: isExhausted && newProducerId !== undefined ? newProducerId : -1,
      clientVersion: EPOCH_PER_TRANSACTION,
      // What never had a partition begins with its end.
      startTimestamp: current.state === 'Ongoing' ? current.startTimestamp : now,
      lastUpdateTimestamp: now,
    },
  }
}

/**
 * Whether the transaction was ended by the very request, whose answer was lost. The last epoch of a producer id is never
 * answered, so one that stands there was fenced. Stricter than Kafka, which takes a producer that another one of the first
 * protocol came after for the one that goes on.
 */
function isAskedAgain(current: Transaction, { producerId, producerEpoch }: ProducerIdentity): boolean {
  const { state, clientVersion } = current
  if (state !== 'CompleteCommit' && state !== 'CompleteAbort') return false
  if (clientVersion < EPOCH_PER_TRANSACTION) return false
  if (current.producerId === producerId) {
    return current.producerEpoch === producerEpoch + 1 && current.producerEpoch !== MAX_EPOCH
  }
  return current.previousProducerId === producerId && current.producerEpoch === 0 && producerEpoch === MAX_EPOCH - 1
}
