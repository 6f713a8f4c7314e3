import { bytes, int16, int64, type MessageOf, request, response, string } from '../schema.ts'

/** One step of a SASL exchange. */
export const SaslAuthenticateRequest = request(
  'SaslAuthenticate',
  36,
  { versions: '0-2', flexible: '2+' },
  {
    authBytes: bytes(),
  },
)
export type SaslAuthenticateRequest = MessageOf<typeof SaslAuthenticateRequest>

/** The broker's part of the step. */
export const SaslAuthenticateResponse = response(
  'SaslAuthenticate',
  36,
  { versions: '0-2', flexible: '2+' },
  {
    errorCode: int16(),
    errorMessage: string().nullable(),
    authBytes: bytes(),
    sessionLifetimeMs: int64().from(1).ignorable(),
  },
)
export type SaslAuthenticateResponse = MessageOf<typeof SaslAuthenticateResponse>
