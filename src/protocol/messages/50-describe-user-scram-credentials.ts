import { array, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Asks which SCRAM credentials users have. */
export const DescribeUserScramCredentialsRequest = request(
  'DescribeUserScramCredentials',
  50,
  { versions: '0', flexible: '0+' },
  {
    users: array({
      name: string(),
    }).nullable(),
  },
)
export type DescribeUserScramCredentialsRequest = MessageOf<typeof DescribeUserScramCredentialsRequest>

/** Mechanism and iterations of each; never the secret. */
export const DescribeUserScramCredentialsResponse = response(
  'DescribeUserScramCredentials',
  50,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string().nullable(),
      credentialInfos: array({
        mechanism: int8(),
        iterations: int32(),
      }),
    }),
  },
)
export type DescribeUserScramCredentialsResponse = MessageOf<typeof DescribeUserScramCredentialsResponse>
