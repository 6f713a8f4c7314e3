import { array, bool, int16, int32, int64, type MessageOf, request, response, string, uint16, uuid } from '../schema.ts'

/** KRaft: a broker enters the cluster. */
export const BrokerRegistrationRequest = request(
  'BrokerRegistration',
  62,
  { versions: '0-4', flexible: '0+' },
  {
    brokerId: int32(),
    clusterId: string(),
    incarnationId: uuid(),
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
    rack: string().nullable(),
    isMigratingZkBroker: bool().from(1),
    logDirs: array(uuid()).from(2).ignorable(),
    previousBrokerEpoch: int64().from(3).default(-1).ignorable(),
  },
)
export type BrokerRegistrationRequest = MessageOf<typeof BrokerRegistrationRequest>

/** The broker's epoch. */
export const BrokerRegistrationResponse = response(
  'BrokerRegistration',
  62,
  { versions: '0-4', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    brokerEpoch: int64().default(-1),
  },
)
export type BrokerRegistrationResponse = MessageOf<typeof BrokerRegistrationResponse>
