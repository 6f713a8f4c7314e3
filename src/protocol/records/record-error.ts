/** What is wrong with bytes that should be records, as the error codes that clients know. */

/** Bytes that cannot be a batch, or are not those that were sent (`CORRUPT_MESSAGE`, retriable). */
export function corruptMessage(reason: string): Error {
  return Object.assign(new Error(reason), { code: 'CORRUPT_MESSAGE' })
}

/** A whole batch whose contents break the rules (`INVALID_RECORD`, not retriable). */
export function invalidRecord(reason: string): Error {
  return Object.assign(new Error(reason), { code: 'INVALID_RECORD' })
}
