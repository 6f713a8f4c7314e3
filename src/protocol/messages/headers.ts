/** What stands before every request and response. */
import { header, int16, int32, type MessageOf, string } from '../schema.ts'

/** Stands before every request; v2 before flexible ones, v0 only before ControlledShutdown v0. */
export const RequestHeader = header(
  'RequestHeader',
  { versions: '0-2', flexible: '2+' },
  {
    requestApiKey: int16(),
    requestApiVersion: int16(),
    correlationId: int32(),
    clientId: string().nullable().from(1).ignorable().neverFlexible(),
  },
)
export type RequestHeader = MessageOf<typeof RequestHeader>

/** Stands before every response; v1 before flexible ones. */
export const ResponseHeader = header(
  'ResponseHeader',
  { versions: '0-1', flexible: '1+' },
  {
    correlationId: int32(),
  },
)
export type ResponseHeader = MessageOf<typeof ResponseHeader>
