import { array, int16, type MessageOf, request, response, string } from '../schema.ts'

/** Chooses a SASL mechanism. */
export const SaslHandshakeRequest = request(
  'SaslHandshake',
  17,
  { versions: '0-1', flexible: 'none' },
  {
    mechanism: string(),
  },
)
export type SaslHandshakeRequest = MessageOf<typeof SaslHandshakeRequest>

/** Whether it is enabled, and which ones are. */
export const SaslHandshakeResponse = response(
  'SaslHandshake',
  17,
  { versions: '0-1', flexible: 'none' },
  {
    errorCode: int16(),
    mechanisms: array(string()),
  },
)
export type SaslHandshakeResponse = MessageOf<typeof SaslHandshakeResponse>
