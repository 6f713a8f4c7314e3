import type { Random } from '../../platform/index.ts'
import { KafkaError } from '../../protocol/index.ts'
import {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from '../../protocol/messages/50-describe-user-scram-credentials.ts'
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../../protocol/messages/51-alter-user-scram-credentials.ts'
import { MIN_ITERATIONS, type ScramMechanismName, saltPassword } from '../../security/index.ts'
import { checkChoice, checkItem, checkItems } from '../checked-items.ts'
import { grouped } from '../grouped.ts'
import { type AdminCall, asked, settle } from './admin-call.ts'

const DESCRIBE = { request: DescribeUserScramCredentialsRequest, response: DescribeUserScramCredentialsResponse }
const ALTER = { request: AlterUserScramCredentialsRequest, response: AlterUserScramCredentialsResponse }
const MECHANISMS: Readonly<Record<ScramMechanismName, number>> = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 }
const SALT_BYTES = 32
const UPSERT_FIELDS = { user: 'text', mechanism: 'text', password: 'text' } as const

/** How a user may authenticate; never with what. */
export interface ScramCredential {
  readonly mechanism: ScramMechanismName
  readonly iterations: number
}

export interface UserScramCredentials {
  readonly user: string
  readonly credentials: readonly ScramCredential[]
}

/** What becomes of a user's credential of one mechanism. The password itself is not sent, but salted (KIP-554). */
export type ScramCredentialChange =
  | { readonly user: string; readonly mechanism: ScramMechanismName; readonly operation: 'delete' }
  | {
      readonly user: string
      readonly mechanism: ScramMechanismName
      readonly operation?: 'upsert'
      readonly password: string
      /** 4,096 when left out; Kafka allows up to 16,384. */
      readonly iterations?: number
    }

export async function describeUserScramCredentials(
  call: AdminCall,
  users: readonly string[] | undefined,
): Promise<UserScramCredentials[]> {
  const ask = (names: readonly string[] | null) =>
    asked(call, 'describing SCRAM users', () =>
      call.cluster.requestAny(DESCRIBE, { users: names?.map(name => ({ name })) ?? null }),
    )
  const read = ({ user, credentialInfos }: { user: string; credentialInfos: readonly Info[] }) => ({
    user,
    credentials: credentialInfos.map(({ mechanism, iterations }) => ({ mechanism: nameOf(mechanism), iterations })),
  })
  if (users === undefined) return (await ask(null)).results.map(read)
  return settle(
    call,
    { what: 'describing SCRAM users', items: users, keyOf: user => user, needed: 'text' },
    async left => (await ask(left)).results.map(one => ({ ...one, key: one.user, result: read(one) })),
  )
}

interface Info {
  readonly mechanism: number
  readonly iterations: number
}

function nameOf(mechanism: number): ScramMechanismName {
  const found = Object.entries(MECHANISMS).find(([, id]) => id === mechanism)?.[0]
  if (found === undefined) throw new KafkaError('UNSUPPORTED_SASL_MECHANISM', `SCRAM mechanism ${mechanism}`)
  return found as ScramMechanismName
}

export async function alterUserScramCredentials(
  call: AdminCall,
  changes: readonly ScramCredentialChange[],
): Promise<void> {
  checkItems('altering SCRAM users', changes, { user: 'text', mechanism: 'text' })
  for (const change of changes) checkChange(change)
  const byUser = grouped(changes, ({ user }) => user)
  const items = [...byUser.keys()]
  await settle(call, { what: 'altering SCRAM users', items, keyOf: user => user }, async left => {
    const wanted = left.flatMap(user => byUser.get(user) ?? [])
    const { results } = await call.cluster.requestController(ALTER, {
      deletions: wanted.flatMap(({ operation, user, mechanism }) =>
        operation === 'delete' ? [{ name: user, mechanism: MECHANISMS[mechanism] }] : [],
      ),
      upsertions: await upsertions(wanted, call.cluster.settings.random),
    })
    return results.map(({ user, errorCode, errorMessage }) => ({
      key: user,
      errorCode,
      errorMessage,
      result: undefined,
    }))
  })
}

/** @throws KafkaError UNSUPPORTED_SASL_MECHANISM as Java's admin, INVALID_REQUEST for what else could not be meant */
function checkChange(change: ScramCredentialChange): void {
  const { mechanism, operation = 'upsert' } = change
  checkChoice('mechanism', mechanism, MECHANISMS, 'UNSUPPORTED_SASL_MECHANISM')
  checkChoice('operation', operation, { upsert: true, delete: true })
  if (change.operation === 'delete') return
  const needed = change.iterations === undefined ? UPSERT_FIELDS : { ...UPSERT_FIELDS, iterations: 'integer' as const }
  checkItem('altering SCRAM users', change, needed)
}

function upsertions(changes: readonly ScramCredentialChange[], random: Random) {
  return Promise.all(
    changes.flatMap(change => {
      if (change.operation === 'delete') return []
      const { user, mechanism, password, iterations = MIN_ITERATIONS } = change
      const salt = random.bytes(SALT_BYTES)
      return [
        saltPassword(mechanism, { password, salt, iterations }).then(saltedPassword => ({
          name: user,
          mechanism: MECHANISMS[mechanism],
          iterations,
          salt,
          saltedPassword,
        })),
      ]
    }),
  )
}
