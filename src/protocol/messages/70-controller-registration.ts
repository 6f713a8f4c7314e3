import { array, bool, int16, int32, type MessageOf, request, response, string, uint16, uuid } from '../schema.ts'

/** KRaft: a controller makes itself known. */
export const ControllerRegistrationRequest = request(
  'ControllerRegistration',
  70,
  { versions: '0', flexible: '0+' },
  {
    controllerId: int32(),
    incarnationId: uuid(),
    zkMigrationReady: bool(),
    listeners: array({
      name: string(),
      host: string(),
      port: uint16(),
      securityProtocol: int16(),
    }),
    features: array({
      name: string(),
      minSupportedVersion: int16(),
      maxSupportedVersion: int16(),
    }),
  },
)
export type ControllerRegistrationRequest = MessageOf<typeof ControllerRegistrationRequest>

/** Whether it was accepted. */
export const ControllerRegistrationResponse = response(
  'ControllerRegistration',
  70,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
  },
)
export type ControllerRegistrationResponse = MessageOf<typeof ControllerRegistrationResponse>
