import {
  ByteReader,
  decodeMessage,
  decodeWithVersion,
  encodeWithVersion,
  KafkaError,
  type MessageInput,
} from '../../protocol/index.ts'
import { TransactionLogKey, TransactionLogValue } from '../../protocol/messages/data/transaction-records.ts'
import type { EncodedRecord } from '../runtime/coordinator-runtime.ts'
import { NO_PARTITIONS, type TopicPartitions } from './topic-partitions.ts'
import { EPOCH_PER_TRANSACTION, FLEXIBLE_VALUES, TRANSACTION_STATES, type Transaction } from './transaction.ts'

/** A record of `__transaction_state`: all that is known of a transactional id; null when it is forgotten. */
export interface TransactionRecord {
  readonly transactionalId: string
  readonly transaction: Transaction | null
}

const KEY_VERSION = 0
const PLAIN_VALUE = 0
const FLEXIBLE_VALUE = 1
const NO_PRODUCER = -1

/**
 * Key and value as they go into the log: in the version that Kafka writes at the cluster's `transaction.version`, and never in
 * one that would lose what the next epoch of a transaction is decided by.
 */
export function encodeTransactionRecord(
  { transactionalId, transaction }: TransactionRecord,
  transactionVersion: number,
): EncodedRecord {
  return {
    key: encodeWithVersion(TransactionLogKey, KEY_VERSION, { transactionalId }),
    value: transaction && encodeValue(transaction, transactionVersion),
  }
}

function encodeValue(transaction: Transaction, transactionVersion: number): Uint8Array {
  const { nextProducerId, clientVersion } = transaction
  const isFlexible = transactionVersion >= FLEXIBLE_VALUES || nextProducerId !== NO_PRODUCER || clientVersion > 0
  const value = logValueOf(transaction)
  if (!isFlexible) return encodeWithVersion(TransactionLogValue, PLAIN_VALUE, value)
  const previousProducerId = previousProducerIdOf(transaction)
  const fields = { ...value, previousProducerId, nextProducerId, clientTransactionVersion: clientVersion }
  return encodeWithVersion(TransactionLogValue, FLEXIBLE_VALUE, fields)
}

/** The producer id in the record before, which is what Kafka logs: only InitProducerId and a transaction's end change it. */
function previousProducerIdOf({ state, producerId, previousProducerId, clientVersion }: Transaction): number {
  const isComplete = state === 'CompleteCommit' || state === 'CompleteAbort'
  const mayDiffer = state === 'Empty' || (isComplete && clientVersion >= EPOCH_PER_TRANSACTION)
  return mayDiffer && previousProducerId !== NO_PRODUCER ? previousProducerId : producerId
}

/**
 * What {@link encodeTransactionRecord} and every Kafka since 0.11 has written; undefined for keys of a later kind.
 *
 * @throws MalformedError, KafkaError UNSUPPORTED_VERSION, INVALID_RECORD for bytes that are no such record.
 */
export function decodeTransactionRecord(key: Uint8Array, value: Uint8Array | null): TransactionRecord | undefined {
  const reader = new ByteReader(key)
  if (reader.int16() !== KEY_VERSION) return undefined
  const { transactionalId } = decodeMessage(TransactionLogKey, KEY_VERSION, reader)
  if (value === null) return { transactionalId, transaction: null }
  const { message } = decodeWithVersion(TransactionLogValue, value)
  const state = TRANSACTION_STATES[message.transactionStatus]
  if (state === undefined) {
    throw new KafkaError('INVALID_RECORD', `transaction state ${message.transactionStatus} is not known`)
  }
  const transaction: Transaction = {
    state,
    producerId: message.producerId,
    producerEpoch: message.producerEpoch,
    previousProducerId: message.previousProducerId,
    nextProducerId: message.nextProducerId,
    lastProducerEpoch: -1,
    clientVersion: message.clientTransactionVersion,
    timeoutMs: message.transactionTimeoutMs,
    partitions: partitionsOf(message),
    startTimestamp: message.transactionStartTimestampMs,
    lastUpdateTimestamp: message.transactionLastUpdateTimestampMs,
  }
  return { transactionalId, transaction }
}

function logValueOf(transaction: Transaction): MessageInput<typeof TransactionLogValue> {
  return {
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStatus: TRANSACTION_STATES.indexOf(transaction.state),
    transactionPartitions:
      transaction.state === 'Empty'
        ? null
        : Array.from(transaction.partitions, ([topic, indexes]) => ({ topic, partitionIds: [...indexes] })),
    transactionLastUpdateTimestampMs: transaction.lastUpdateTimestamp,
    transactionStartTimestampMs: transaction.startTimestamp,
  }
}

function partitionsOf({ transactionPartitions }: TransactionLogValue): TopicPartitions {
  if (transactionPartitions === null || transactionPartitions.length === 0) return NO_PARTITIONS
  return new Map(transactionPartitions.map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]))
}
