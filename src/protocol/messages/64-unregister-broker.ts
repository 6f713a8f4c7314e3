import { int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Removes a broker's registration. */
export const UnregisterBrokerRequest = request(
  'UnregisterBroker',
  64,
  { versions: '0', flexible: '0+' },
  {
    brokerId: int32(),
  },
)
export type UnregisterBrokerRequest = MessageOf<typeof UnregisterBrokerRequest>

/** Whether it was removed. */
export const UnregisterBrokerResponse = response(
  'UnregisterBroker',
  64,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
  },
)
export type UnregisterBrokerResponse = MessageOf<typeof UnregisterBrokerResponse>
