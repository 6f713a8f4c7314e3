import { array, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Elects the preferred, or any live, replica as leader. */
export const ElectLeadersRequest = request(
  'ElectLeaders',
  43,
  { versions: '0-2', flexible: '2+' },
  {
    electionType: int8().from(1),
    topicPartitions: array({
      topic: string(),
      partitions: array(int32()),
    }).nullable(),
    timeoutMs: int32().default(60_000),
  },
)
export type ElectLeadersRequest = MessageOf<typeof ElectLeadersRequest>

/** What came of it in each partition. */
export const ElectLeadersResponse = response(
  'ElectLeaders',
  43,
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16().from(1),
    replicaElectionResults: array({
      topic: string(),
      partitionResult: array({
        partitionId: int32(),
        errorCode: int16(),
        errorMessage: string().nullable(),
      }),
    }),
  },
)
export type ElectLeadersResponse = MessageOf<typeof ElectLeadersResponse>
