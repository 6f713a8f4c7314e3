import type { PartitionName, ProducerIdentity } from '../coordinator/index.ts'
import {
  BATCH_FIELD,
  type BatchHeader,
  type ErrorName,
  LOG_OVERHEAD_BYTES,
  readBatchHeader,
} from '../protocol/index.ts'
import type { AppendEntry } from '../replication/index.ts'
import type { BrokerServices } from './broker-services.ts'
import { type AdditionOutcome, type ImplicitWrite, memberError } from './implicit-partitions.ts'

const TRANSACTIONAL_BIT = 0x10

/** Whether any batch is transactional: the cheap look at everything that is produced, which mostly is one batch. */
export function isTransactional({ records }: AppendEntry): boolean {
  if (records === null) return false
  for (let position = 0; records[position + BATCH_FIELD.magic] === 2; ) {
    if (((records[position + BATCH_FIELD.attributes + 1] ?? 0) & TRANSACTIONAL_BIT) !== 0) return true
    const at = position + BATCH_FIELD.length
    const length = (records[at]! << 24) | (records[at + 1]! << 16) | (records[at + 2]! << 8) | records[at + 3]!
    if (length <= 0) return false
    position += LOG_OVERHEAD_BYTES + length
  }
  return false
}

/** What is verified for whom. */
export interface VerifiedWrite {
  readonly transactionalId: string
  readonly producer: ProducerIdentity
  readonly name: PartitionName
  /** Whether the client knows TRANSACTION_ABORTABLE (KIP-890). */
  readonly knowsAbortable: boolean
}

/**
 * Whether a producer may write to the partition as part of its transaction (KIP-890): it has begun to, or the coordinator
 * knows that it will. NONE; `INVALID_TXN_STATE` (or `TRANSACTION_ABORTABLE`) when the partition was not added;
 * `INVALID_PRODUCER_EPOCH` for a fenced producer; else why the coordinator cannot tell. Coordinator and partition are in
 * this process, so nothing comes between this answer and the append that follows in the same turn.
 */
export function verifyWrite(write: VerifiedWrite, services: BrokerServices): ErrorName {
  if (!services.config.get('transaction.partition.verification.enable')) return 'NONE'
  const error = memberError(write, write.name, services)
  return error === 'TRANSACTION_ABORTABLE' && !write.knowsAbortable ? 'INVALID_TXN_STATE' : fencedAsInvalidEpoch(error)
}

/** What who writes is told where a coordinator says that the producer is fenced. */
export function fencedAsInvalidEpoch(error: ErrorName): ErrorName {
  return error === 'PRODUCER_FENCED' ? 'INVALID_PRODUCER_EPOCH' : error
}

const FIRST_PRODUCE_WITH_ABORTABLE = 11
/** The first version of Produce that makes a partition part of the transaction. */
const FIRST_IMPLICIT_PRODUCE = 12

/**
 * What a Produce request of the second protocol writes in a transaction; undefined where partitions have to be named before. The
 * version alone says which: a client that has not heard yet that `transaction.version` was lowered names none.
 */
export function implicitlyProduced(
  entries: readonly AppendEntry[],
  { transactionalId, apiVersion }: { readonly transactionalId: string; readonly apiVersion: number },
): ImplicitWrite | undefined {
  if (apiVersion < FIRST_IMPLICIT_PRODUCE) return undefined
  const written = entries.filter(isTransactional)
  const first = written[0]?.records
  const producer = first ? readBatchHeader(first, 0) : undefined
  return producer && { transactionalId, producer, names: written }
}

/** {@link verifyWrite} for a produced batch, and what adding its partition came to, in the errors that producers of all ages understand. */
export function verifyProduced(
  entry: AppendEntry,
  request: {
    readonly transactionalId: string
    readonly apiVersion: number
    readonly outcomeOf?: AdditionOutcome | undefined
  },
  services: BrokerServices,
): ErrorName {
  const header = entry.records === null ? undefined : readBatchHeader(entry.records, 0)
  if (header === undefined || !header.isTransactional) return 'NONE'
  const { transactionalId, apiVersion, outcomeOf } = request
  const knowsAbortable = apiVersion >= FIRST_PRODUCE_WITH_ABORTABLE
  const addition = fencedAsInvalidEpoch(outcomeOf?.(entry) ?? 'NONE')
  const error =
    addition === 'NONE'
      ? verifyWrite({ transactionalId, producer: header, name: entry, knowsAbortable }, services)
      : addition
  if (error === 'NONE' && outcomeOf !== undefined && isWithoutBeginning(header, entry, services))
    return 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  switch (error) {
    case 'CONCURRENT_TRANSACTIONS':
      // Producers of the second protocol know that the transaction before may still be ending.
      return outcomeOf === undefined ? 'NOT_ENOUGH_REPLICAS' : error
    case 'COORDINATOR_LOAD_IN_PROGRESS':
    case 'COORDINATOR_NOT_AVAILABLE':
    case 'NOT_COORDINATOR':
      // One that every producer tries again after, without asking for metadata first.
      return 'NOT_ENOUGH_REPLICAS'
    default:
      return error
  }
}

/**
 * Whether the log knows nothing of a producer that does not begin with its first batch here. That one was perhaps refused while the
 * transaction before was ending, and comes again: taken before it, this one would stand in its place. Where each transaction has an
 * epoch, each begins anew.
 */
function isWithoutBeginning(
  { producerId, baseSequence }: BatchHeader,
  { topic, partition }: AppendEntry,
  { replicas }: BrokerServices,
): boolean {
  return baseSequence !== 0 && replicas.hosted.find(topic, partition)?.log?.knowsProducer(producerId) === false
}
