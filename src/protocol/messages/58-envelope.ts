import { bytes, int16, type MessageOf, request, response } from '../schema.ts'

/** A broker forwards a client's request to the controller (KIP-590). */
export const EnvelopeRequest = request(
  'Envelope',
  58,
  { versions: '0', flexible: '0+' },
  {
    requestData: bytes(),
    requestPrincipal: bytes().nullable(),
    clientHostAddress: bytes(),
  },
)
export type EnvelopeRequest = MessageOf<typeof EnvelopeRequest>

/** The wrapped response. */
export const EnvelopeResponse = response(
  'Envelope',
  58,
  { versions: '0', flexible: '0+' },
  {
    responseData: bytes().nullable().default(null),
    errorCode: int16(),
  },
)
export type EnvelopeResponse = MessageOf<typeof EnvelopeResponse>
