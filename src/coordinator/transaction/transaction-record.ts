import { ByteReader, decodeMessage, decodeWithVersion, encodeWithVersion, KafkaError } from '../../protocol/index.ts'
import { TransactionLogKey, TransactionLogValue } from '../../protocol/messages/data/transaction-records.ts'
import type { EncodedRecord } from '../runtime/coordinator-runtime.ts'
import { NO_PARTITIONS, type TopicPartitions } from './topic-partitions.ts'
import { TRANSACTION_STATES, type Transaction } from './transaction.ts'

/**
 * A record of `__transaction_state`: all that is known of a transactional id; null when it is forgotten. In the versions
 * that Kafka 3.9 writes in ZooKeeper mode.
 */
export interface TransactionRecord {
  readonly transactionalId: string
  readonly transaction: Transaction | null
}

const KEY_VERSION = 0
const VALUE_VERSION = 0

/** Key and value as they go into the log. */
export function encodeTransactionRecord({ transactionalId, transaction }: TransactionRecord): EncodedRecord {
  return {
    key: encodeWithVersion(TransactionLogKey, KEY_VERSION, { transactionalId }),
    value: transaction && encodeWithVersion(TransactionLogValue, VALUE_VERSION, logValueOf(transaction)),
  }
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
    previousProducerId: -1,
    lastProducerEpoch: -1,
    timeoutMs: message.transactionTimeoutMs,
    partitions: partitionsOf(message),
    startTimestamp: message.transactionStartTimestampMs,
    lastUpdateTimestamp: message.transactionLastUpdateTimestampMs,
  }
  return { transactionalId, transaction }
}

function logValueOf(transaction: Transaction): TransactionLogValue {
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
