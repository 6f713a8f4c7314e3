import { type BatchHeader, decodeEndTxnMarker, decodeRecords } from '../protocol/index.ts'

/** What a compressed batch may grow to when it must be looked into. */
export const MAX_DECOMPRESSED_BYTES = 128 * 2 ** 20

/** How a transaction ended, and the epoch of the coordinator that ended it. */
export type TransactionMarker = NonNullable<ReturnType<typeof decodeEndTxnMarker>>

/** The marker of a transaction coordinator in a batch, if it is a control batch that holds one. */
export function markerOf(bytes: Uint8Array, header: BatchHeader): TransactionMarker | undefined {
  if (!header.isControl) return undefined
  for (const record of decodeRecords(bytes, header, { maxBytes: MAX_DECOMPRESSED_BYTES })) {
    return decodeEndTxnMarker(record)
  }
  return undefined
}
