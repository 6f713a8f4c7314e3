/**
 * Control records: what a transaction coordinator writes into a partition at the end of a transaction.
 *
 * ```
 * key    int16 version 0, int16 type: 0 abort, 1 commit
 * value  int16 version 0, int32 coordinator epoch
 * ```
 */

import type { LogRecord } from './record.ts'
import { encodeBatch } from './record-batch.ts'
import { invalidRecord } from './record-error.ts'

/** How a transaction ended. */
export type TransactionResult = 'abort' | 'commit'

/** The marker of the end of a transaction (Kafka's EndTransactionMarker). */
export interface TransactionMarker {
  readonly result: TransactionResult
  /** Epoch of the transaction coordinator that wrote it: an older one's marker is refused. */
  readonly coordinatorEpoch: number
}

/** A marker and the batch around it. */
export interface TransactionMarkerBatch extends TransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
}

const RESULTS: readonly TransactionResult[] = ['abort', 'commit']
const KEY_BYTES = 4
const VALUE_BYTES = 6

/** The one-record control batch that ends a transaction in a partition. */
export function encodeEndTxnMarker(marker: TransactionMarkerBatch): Uint8Array {
  const key = Buffer.alloc(KEY_BYTES)
  key.writeInt16BE(RESULTS.indexOf(marker.result), 2)
  const value = Buffer.alloc(VALUE_BYTES)
  value.writeInt32BE(marker.coordinatorEpoch, 2)
  return encodeBatch({
    records: [{ key, value, timestamp: marker.timestamp }],
    baseOffset: marker.baseOffset ?? 0,
    ...(marker.partitionLeaderEpoch === undefined ? {} : { partitionLeaderEpoch: marker.partitionLeaderEpoch }),
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    isTransactional: true,
    isControl: true,
  })
}

/**
 * The marker in a record of a control batch; undefined for a control record of another kind, which readers pass over.
 * Versions above 0 may have more bytes, which are passed over too.
 *
 * @throws INVALID_RECORD for a key or value that is too short.
 */
export function decodeEndTxnMarker(record: Pick<LogRecord, 'key' | 'value'>): TransactionMarker | undefined {
  const key = readable(record.key, KEY_BYTES, 'key')
  if (key.getInt16(0) < 0) throw invalidRecord('control record with a negative version')
  const result = RESULTS[key.getInt16(2)]
  if (result === undefined) return undefined
  const value = readable(record.value, VALUE_BYTES, 'value')
  if (value.getInt16(0) < 0) throw invalidRecord('control record with a negative version')
  return { result, coordinatorEpoch: value.getInt32(2) }
}

function readable(field: Uint8Array | null, minBytes: number, name: string): DataView {
  if (field === null || field.length < minBytes) throw invalidRecord(`control record with a ${name} too short`)
  return new DataView(field.buffer, field.byteOffset, field.length)
}
