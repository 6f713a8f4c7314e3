import { fence } from './end-transaction.ts'
import { NO_PARTITIONS } from './topic-partitions.ts'
import { isEpochExhausted, type ProducerIdentity, type Transaction, type TransactionDecision } from './transaction.ts'

/** An InitProducerId with a transactional id. */
export interface InitRequest {
  readonly timeoutMs: number
  /** Who the producer was so far, if it goes on after an error (KIP-360). */
  readonly expected: ProducerIdentity | undefined
}

/** What is decided with. */
export interface InitContext {
  readonly now: number
  /** An id that nobody has, once it was asked for. */
  readonly newProducerId: number | undefined
  /** What the cluster has agreed on. */
  readonly transactionVersion: number
}

/** As {@link TransactionDecision}; or ask again with a new producer id; or abort first, with this, and let the client retry. */
export type InitDecision = TransactionDecision | { readonly needsProducerId: true } | { readonly fence: Transaction }

/**
 * InitProducerId: makes the producer the one that its transactional id belongs to, by a new epoch, or a new id when there
 * are no more epochs. A transaction that a predecessor left open is aborted first, in an epoch of its own that nobody
 * gets.
 *
 * Errors: `PRODUCER_FENCED` when another producer came after the one that goes on, `CONCURRENT_TRANSACTIONS` while a
 * transaction is being ended.
 */
export function decideInitProducerId(
  current: Transaction | undefined,
  request: InitRequest,
  context: InitContext,
): InitDecision {
  if (current === undefined) return startWith(request, context, undefined)
  const { expected } = request
  if (expected !== undefined && !mayBe(current, expected)) return { error: 'PRODUCER_FENCED' }
  switch (current.state) {
    case 'PrepareCommit':
    case 'PrepareAbort':
      return { error: 'CONCURRENT_TRANSACTIONS' }
    case 'Ongoing':
      // Unlike Kafka's, a producer that was fenced already does not abort its successor's transaction.
      if (expected !== undefined && isOlder(expected, current)) return { error: 'PRODUCER_FENCED' }
      return { fence: fence(current, context) }
    case 'Empty':
    case 'CompleteCommit':
    case 'CompleteAbort': {
      const isLastEpoch = expected === undefined || expected.producerEpoch === current.producerEpoch
      if (isEpochExhausted(current.producerEpoch) && isLastEpoch) return startWith(request, context, current)
      return bumpEpoch(current, request, context.now)
    }
    default:
      return { error: 'UNKNOWN_SERVER_ERROR' }
  }
}

/** Whether the producer may be the current one, or the one whose last epoch led to the current id. */
function mayBe(current: Transaction, expected: ProducerIdentity): boolean {
  if (expected.producerId === current.producerId) return true
  return expected.producerId === current.previousProducerId && isEpochExhausted(expected.producerEpoch)
}

function isOlder(expected: ProducerIdentity, current: Transaction): boolean {
  return expected.producerId !== current.producerId || expected.producerEpoch < current.producerEpoch
}

function startWith(request: InitRequest, context: InitContext, before: Transaction | undefined): InitDecision {
  const { now, newProducerId } = context
  if (newProducerId === undefined) return { needsProducerId: true }
  const isContinued = before !== undefined && request.expected !== undefined
  const next = { producerId: newProducerId, producerEpoch: 0, previousProducerId: before?.producerId ?? -1 }
  const lastProducerEpoch = isContinued ? before.producerEpoch : -1
  const clientVersion = before?.clientVersion ?? 0
  return { next: { ...initial(request, now), ...next, lastProducerEpoch, clientVersion } }
}

function bumpEpoch(current: Transaction, request: InitRequest, now: number): TransactionDecision {
  const { producerId, producerEpoch, lastProducerEpoch, clientVersion } = current
  const identity = { producerId, previousProducerId: producerId, clientVersion }
  const expectedEpoch = request.expected?.producerEpoch
  if (expectedEpoch === undefined || expectedEpoch === producerEpoch) {
    const epochs = { producerEpoch: producerEpoch + 1, lastProducerEpoch: expectedEpoch ?? -1 }
    return { next: { ...initial(request, now), ...identity, ...epochs } }
  }
  // The answer to its last request was lost: the epoch of that is its. A producer that came later would have unset it.
  if (expectedEpoch === lastProducerEpoch) {
    const { previousProducerId } = current
    const epochs = { producerEpoch, lastProducerEpoch }
    return { next: { ...initial(request, now), ...identity, previousProducerId, ...epochs } }
  }
  return { error: 'PRODUCER_FENCED' }
}

function initial({ timeoutMs }: InitRequest, now: number) {
  return {
    state: 'Empty',
    timeoutMs,
    partitions: NO_PARTITIONS,
    nextProducerId: -1,
    startTimestamp: -1,
    lastUpdateTimestamp: now,
  } as const
}
