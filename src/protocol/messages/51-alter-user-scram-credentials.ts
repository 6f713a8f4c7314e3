import { array, bytes, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Sets and removes SCRAM credentials. */
export const AlterUserScramCredentialsRequest = request(
  'AlterUserScramCredentials',
  51,
  { versions: '0', flexible: '0+' },
  {
    deletions: array({
      name: string(),
      mechanism: int8(),
    }),
    upsertions: array({
      name: string(),
      mechanism: int8(),
      iterations: int32(),
      salt: bytes(),
      saltedPassword: bytes(),
    }),
  },
)
export type AlterUserScramCredentialsRequest = MessageOf<typeof AlterUserScramCredentialsRequest>

/** Which users were changed. */
export const AlterUserScramCredentialsResponse = response(
  'AlterUserScramCredentials',
  51,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string().nullable(),
    }),
  },
)
export type AlterUserScramCredentialsResponse = MessageOf<typeof AlterUserScramCredentialsResponse>
