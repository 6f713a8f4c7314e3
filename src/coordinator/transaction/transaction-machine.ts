import type { StateMachine } from '../runtime/coordinator-runtime.ts'
import { decodeTransactionRecord, encodeTransactionRecord, type TransactionRecord } from './transaction-record.ts'
import type { TransactionShard } from './transaction-shard.ts'

/** Transactions as the runtime sees them; `transactionVersion` is what the cluster has agreed on. */
export function transactionMachine(
  create: (partition: number) => TransactionShard,
  transactionVersion: () => number,
): StateMachine<TransactionShard, TransactionRecord> {
  return {
    create,
    replay: (shard, record, { loading }) => shard.replay(record, loading),
    // Nobody writes to this topic in a transaction.
    endTransaction: () => {},
    loaded: shard => shard.loaded(),
    unloaded: shard => shard.unloaded(),
    encode: record => encodeTransactionRecord(record, transactionVersion()),
    decode: decodeTransactionRecord,
  }
}
