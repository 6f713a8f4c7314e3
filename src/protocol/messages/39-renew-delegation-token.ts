import { bytes, int16, int32, int64, type MessageOf, request, response } from '../schema.ts'

/** Lets a delegation token live longer. */
export const RenewDelegationTokenRequest = request(
  'RenewDelegationToken',
  39,
  { versions: '0-2', flexible: '2+' },
  {
    hmac: bytes(),
    renewPeriodMs: int64().orLongMax(),
  },
)
export type RenewDelegationTokenRequest = MessageOf<typeof RenewDelegationTokenRequest>

/** When it now expires. */
export const RenewDelegationTokenResponse = response(
  'RenewDelegationToken',
  39,
  { versions: '0-2', flexible: '2+' },
  {
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32(),
  },
)
export type RenewDelegationTokenResponse = MessageOf<typeof RenewDelegationTokenResponse>
