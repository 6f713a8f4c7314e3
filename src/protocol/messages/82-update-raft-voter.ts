import { array, int16, int32, type MessageOf, request, response, string, struct, uint16, uuid } from '../schema.ts'

/** KRaft: a voter changes its endpoints or versions (KIP-853). */
export const UpdateRaftVoterRequest = request(
  'UpdateRaftVoter',
  82,
  { versions: '0', flexible: '0+' },
  {
    clusterId: string().nullable(),
    currentLeaderEpoch: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array({
      name: string(),
      host: string(),
      port: uint16(),
    }),
    kRaftVersionFeature: struct({
      minSupportedVersion: int16(),
      maxSupportedVersion: int16(),
    }),
  },
)
export type UpdateRaftVoterRequest = MessageOf<typeof UpdateRaftVoterRequest>

/** Whether it was changed, and who leads. */
export const UpdateRaftVoterResponse = response(
  'UpdateRaftVoter',
  82,
  { versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    currentLeader: struct({
      leaderId: int32().default(-1),
      leaderEpoch: int32().default(-1),
      host: string(),
      port: int32(),
    }).tagged(0),
  },
)
export type UpdateRaftVoterResponse = MessageOf<typeof UpdateRaftVoterResponse>
