import { array, bool, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Starts, changes or cancels reassignments of partitions to brokers. */
export const AlterPartitionReassignmentsRequest = request(
  'AlterPartitionReassignments',
  45,
  { versions: '0-1', flexible: '0+' },
  {
    timeoutMs: int32().default(60_000),
    allowReplicationFactorChange: bool().from(1).default(true),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32()).nullable().default(null),
      }),
    }),
  },
)
export type AlterPartitionReassignmentsRequest = MessageOf<typeof AlterPartitionReassignmentsRequest>

/** Which partitions are on their way. */
export const AlterPartitionReassignmentsResponse = response(
  'AlterPartitionReassignments',
  45,
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    allowReplicationFactorChange: bool().from(1).default(true).ignorable(),
    errorCode: int16(),
    errorMessage: string().nullable(),
    responses: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string().nullable(),
      }),
    }),
  },
)
export type AlterPartitionReassignmentsResponse = MessageOf<typeof AlterPartitionReassignmentsResponse>
