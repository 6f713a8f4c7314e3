import { array, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Moves replicas between log directories of a broker. */
export const AlterReplicaLogDirsRequest = request(
  'AlterReplicaLogDirs',
  34,
  { versions: '0-2', flexible: '2+' },
  {
    dirs: array({
      path: string(),
      topics: array({
        name: string(),
        partitions: array(int32()),
      }),
    }),
  },
)
export type AlterReplicaLogDirsRequest = MessageOf<typeof AlterReplicaLogDirsRequest>

/** Which moves were taken on. */
export const AlterReplicaLogDirsResponse = response(
  'AlterReplicaLogDirs',
  34,
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    results: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
)
export type AlterReplicaLogDirsResponse = MessageOf<typeof AlterReplicaLogDirsResponse>
