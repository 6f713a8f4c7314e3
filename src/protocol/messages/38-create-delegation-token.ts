import { array, bytes, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Creates a delegation token. */
export const CreateDelegationTokenRequest = request(
  'CreateDelegationToken',
  38,
  { versions: '0-3', flexible: '2+' },
  {
    ownerPrincipalType: string().nullable().from(3),
    ownerPrincipalName: string().nullable().from(3),
    renewers: array({
      principalType: string(),
      principalName: string(),
    }),
    /** -1 for the broker's limit. */
    maxLifetimeMs: int64().orLongMax(),
  },
)
export type CreateDelegationTokenRequest = MessageOf<typeof CreateDelegationTokenRequest>

/** The token and its secret. */
export const CreateDelegationTokenResponse = response(
  'CreateDelegationToken',
  38,
  { versions: '0-3', flexible: '2+' },
  {
    errorCode: int16(),
    principalType: string(),
    principalName: string(),
    tokenRequesterPrincipalType: string().from(3),
    tokenRequesterPrincipalName: string().from(3),
    issueTimestampMs: int64(),
    expiryTimestampMs: int64(),
    maxTimestampMs: int64(),
    tokenId: string(),
    hmac: bytes(),
    throttleTimeMs: int32(),
  },
)
export type CreateDelegationTokenResponse = MessageOf<typeof CreateDelegationTokenResponse>
