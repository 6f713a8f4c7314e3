import { array, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for reassignments under way. */
export const ListPartitionReassignmentsRequest = request(
  'ListPartitionReassignments',
  46,
  { versions: '0', flexible: '0+' },
  {
    timeoutMs: int32().default(60_000),
    topics: array({
      name: string(),
      partitionIndexes: array(int32()),
    })
      .nullable()
      .default(null),
  },
)
export type ListPartitionReassignmentsRequest = MessageOf<typeof ListPartitionReassignmentsRequest>

/** Current, joining and leaving replicas. */
export const ListPartitionReassignmentsResponse = response(
  'ListPartitionReassignments',
  46,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32()),
        addingReplicas: array(int32()),
        removingReplicas: array(int32()),
      }),
    }),
  },
)
export type ListPartitionReassignmentsResponse = MessageOf<typeof ListPartitionReassignmentsResponse>
