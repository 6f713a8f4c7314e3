import { array, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Asks which broker coordinates a group, a transactional id or a share partition. */
export const FindCoordinatorRequest = request(
  'FindCoordinator',
  10,
  { versions: '0-6', flexible: '3+' },
  {
    /** One key up to v3; `coordinatorKeys` from v4. */
    key: string().until(3),
    /** 0 for a group, 1 for a transactional id, 2 for a share partition. */
    keyType: int8().from(1),
    coordinatorKeys: array(string()).from(4),
  },
)
export type FindCoordinatorRequest = MessageOf<typeof FindCoordinatorRequest>

/** The coordinators' addresses. */
export const FindCoordinatorResponse = response(
  'FindCoordinator',
  10,
  { versions: '0-6', flexible: '3+' },
  {
    throttleTimeMs: int32().from(1).ignorable(),
    errorCode: int16().until(3),
    errorMessage: string().nullable().from(1).until(3).ignorable(),
    nodeId: int32().until(3),
    host: string().until(3),
    port: int32().until(3),
    coordinators: array({
      key: string().from(4),
      nodeId: int32().from(4),
      host: string().from(4),
      port: int32().from(4),
      errorCode: int16().from(4),
      errorMessage: string().nullable().from(4).ignorable(),
    }).from(4),
  },
)
export type FindCoordinatorResponse = MessageOf<typeof FindCoordinatorResponse>
