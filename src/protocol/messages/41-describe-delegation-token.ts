import { array, bytes, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for delegation tokens by owner. */
export const DescribeDelegationTokenRequest = request(
  'DescribeDelegationToken',
  41,
  { versions: '0-3', flexible: '2+' },
  {
    owners: array({
      principalType: string(),
      principalName: string(),
    }).nullable(),
  },
)
export type DescribeDelegationTokenRequest = MessageOf<typeof DescribeDelegationTokenRequest>

/** The tokens with owner, renewers and secret. */
export const DescribeDelegationTokenResponse = response(
  'DescribeDelegationToken',
  41,
  { versions: '0-3', flexible: '2+' },
  {
    errorCode: int16(),
    tokens: array({
      principalType: string(),
      principalName: string(),
      tokenRequesterPrincipalType: string().from(3),
      tokenRequesterPrincipalName: string().from(3),
      issueTimestamp: int64(),
      expiryTimestamp: int64(),
      maxTimestamp: int64(),
      tokenId: string(),
      hmac: bytes(),
      renewers: array({
        principalType: string(),
        principalName: string(),
      }),
    }),
    throttleTimeMs: int32(),
  },
)
export type DescribeDelegationTokenResponse = MessageOf<typeof DescribeDelegationTokenResponse>
