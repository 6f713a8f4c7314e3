import { array, bool, int16, int32, type MessageOf, request, response, string, uint16, uuid } from '../schema.ts'

/** KRaft: adds a voter to the quorum (KIP-853). */
export const AddRaftVoterRequest = request(
  'AddRaftVoter',
  80,
  { versions: '0-1', flexible: '0+' },
  {
    clusterId: string().nullable(),
    timeoutMs: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array({
      name: string(),
      host: string(),
      port: uint16(),
    }),
    ackWhenCommitted: bool().from(1).default(true),
  },
)
export type AddRaftVoterRequest = MessageOf<typeof AddRaftVoterRequest>

/** Whether it was added. */
export const AddRaftVoterResponse = response(
  'AddRaftVoter',
  80,
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
  },
)
export type AddRaftVoterResponse = MessageOf<typeof AddRaftVoterResponse>
