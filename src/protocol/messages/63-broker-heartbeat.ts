import { array, bool, int16, int32, int64, type MessageOf, request, response, uuid } from '../schema.ts'

/** KRaft: a broker says that it lives, or wishes to stop. */
export const BrokerHeartbeatRequest = request(
  'BrokerHeartbeat',
  63,
  { versions: '0-2', flexible: '0+' },
  {
    brokerId: int32(),
    brokerEpoch: int64().default(-1),
    currentMetadataOffset: int64(),
    wantFence: bool(),
    wantShutDown: bool(),
    offlineLogDirs: array(uuid()).from(1).tagged(0),
    cordonedLogDirs: array(uuid()).nullable().from(2).default(null).tagged(1),
  },
)
export type BrokerHeartbeatRequest = MessageOf<typeof BrokerHeartbeatRequest>

/** Whether the broker is caught up, fenced or may stop. */
export const BrokerHeartbeatResponse = response(
  'BrokerHeartbeat',
  63,
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    isCaughtUp: bool(),
    isFenced: bool().default(true),
    shouldShutDown: bool(),
  },
)
export type BrokerHeartbeatResponse = MessageOf<typeof BrokerHeartbeatResponse>
