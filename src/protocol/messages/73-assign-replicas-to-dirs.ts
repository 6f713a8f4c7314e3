import { array, int16, int32, int64, type MessageOf, request, response, uuid } from '../schema.ts'

/** KRaft: a broker reports the log directories of its replicas. */
export const AssignReplicasToDirsRequest = request(
  'AssignReplicasToDirs',
  73,
  { versions: '0', flexible: '0+' },
  {
    brokerId: int32(),
    brokerEpoch: int64().default(-1),
    directories: array({
      id: uuid(),
      topics: array({
        topicId: uuid(),
        partitions: array({
          partitionIndex: int32(),
        }),
      }),
    }),
  },
)
export type AssignReplicasToDirsRequest = MessageOf<typeof AssignReplicasToDirsRequest>

/** Which reports were taken. */
export const AssignReplicasToDirsResponse = response(
  'AssignReplicasToDirs',
  73,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    directories: array({
      id: uuid(),
      topics: array({
        topicId: uuid(),
        partitions: array({
          partitionIndex: int32(),
          errorCode: int16(),
        }),
      }),
    }),
  },
)
export type AssignReplicasToDirsResponse = MessageOf<typeof AssignReplicasToDirsResponse>
