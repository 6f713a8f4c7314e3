import { int16, int32, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** KRaft: removes a voter from the quorum (KIP-853). */
export const RemoveRaftVoterRequest = request(
  'RemoveRaftVoter',
  81,
  { versions: '0', flexible: '0+' },
  {
    clusterId: string().nullable(),
    voterId: int32(),
    voterDirectoryId: uuid(),
  },
)
export type RemoveRaftVoterRequest = MessageOf<typeof RemoveRaftVoterRequest>

/** Whether it was removed. */
export const RemoveRaftVoterResponse = response(
  'RemoveRaftVoter',
  81,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
  },
)
export type RemoveRaftVoterResponse = MessageOf<typeof RemoveRaftVoterResponse>
