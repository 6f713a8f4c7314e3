import { bytes, int16, int32, int64, type MessageOf, request, response } from '../schema.ts'

/** Changes when a delegation token expires, or ends it at once. */
export const ExpireDelegationTokenRequest = request(
  'ExpireDelegationToken',
  40,
  { versions: '0-2', flexible: '2+' },
  {
    hmac: bytes(),
    /** Negative ends the token at once. */
    expiryTimePeriodMs: int64().orLongMax(),
  },
)
export type ExpireDelegationTokenRequest = MessageOf<typeof ExpireDelegationTokenRequest>

/** When it now expires. */
export const ExpireDelegationTokenResponse = response(
  'ExpireDelegationToken',
  40,
  { versions: '0-2', flexible: '2+' },
  {
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32(),
  },
)
export type ExpireDelegationTokenResponse = MessageOf<typeof ExpireDelegationTokenResponse>
