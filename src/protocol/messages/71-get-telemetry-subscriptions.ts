import { array, bool, int8, int16, int32, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Asks which client metrics are wanted (KIP-714). */
export const GetTelemetrySubscriptionsRequest = request(
  'GetTelemetrySubscriptions',
  71,
  { versions: '0', flexible: '0+' },
  {
    clientInstanceId: uuid(),
  },
)
export type GetTelemetrySubscriptionsRequest = MessageOf<typeof GetTelemetrySubscriptionsRequest>

/** The subscription. */
export const GetTelemetrySubscriptionsResponse = response(
  'GetTelemetrySubscriptions',
  71,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    acceptedCompressionTypes: array(int8()),
    pushIntervalMs: int32(),
    telemetryMaxBytes: int32(),
    deltaTemporality: bool(),
    requestedMetrics: array(string()),
  },
)
export type GetTelemetrySubscriptionsResponse = MessageOf<typeof GetTelemetrySubscriptionsResponse>
