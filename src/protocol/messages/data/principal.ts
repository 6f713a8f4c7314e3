/** The principal that a broker forwards. */
import { bool, data, type MessageOf, string } from '../../schema.ts'

/** A principal in an Envelope, behind its version. */
export const DefaultPrincipalData = data(
  'DefaultPrincipalData',
  { versions: '0', flexible: '0+' },
  {
    type: string(),
    name: string(),
    tokenAuthenticated: bool(),
  },
)
export type DefaultPrincipalData = MessageOf<typeof DefaultPrincipalData>
