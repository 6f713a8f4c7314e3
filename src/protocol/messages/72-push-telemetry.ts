import { bool, bytes, int8, int16, int32, type MessageOf, request, response, uuid } from '../schema.ts'

/** Brings client metrics. */
export const PushTelemetryRequest = request(
  'PushTelemetry',
  72,
  { versions: '0', flexible: '0+' },
  {
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    terminating: bool(),
    compressionType: int8(),
    metrics: bytes(),
  },
)
export type PushTelemetryRequest = MessageOf<typeof PushTelemetryRequest>

/** Whether they were taken. */
export const PushTelemetryResponse = response(
  'PushTelemetry',
  72,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
)
export type PushTelemetryResponse = MessageOf<typeof PushTelemetryResponse>
