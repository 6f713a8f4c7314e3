import {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from '../../protocol/messages/48-describe-client-quotas.ts'
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../../protocol/messages/49-alter-client-quotas.ts'
import { checkFields, checkItems } from '../checked-items.ts'
import { type AdminCall, asked, settle } from './admin-call.ts'
import type { ValidatedOptions } from './topics.ts'

const DESCRIBE = { request: DescribeClientQuotasRequest, response: DescribeClientQuotasResponse }
const ALTER = { request: AlterClientQuotasRequest, response: AlterClientQuotasResponse }
const MATCH = { exact: 0, default: 1, any: 2 } as const

export type QuotaEntityType = 'user' | 'client-id' | 'ip'

/** Whom a quota is for: `{ user: 'alice' }`, `{ user: 'alice', 'client-id': null }`. Null stands for all who have no quota of their own. */
export type QuotaEntity = { readonly [T in QuotaEntityType]?: string | null }

export interface ClientQuotas {
  readonly entity: QuotaEntity
  /** By name: `producer_byte_rate`, `consumer_byte_rate`, `request_percentage`, `controller_mutation_rate`, `connection_creation_rate`. */
  readonly quotas: Readonly<Record<string, number>>
}

/** New values by name; null takes a quota away. */
export interface ClientQuotaChange {
  readonly entity: QuotaEntity
  readonly quotas: Readonly<Record<string, number | null>>
}

/** Which entities are meant; all when nothing is said. */
export interface ClientQuotaFilter {
  /** Entities that have such parts; without `name` whatever its name, with null those that stand for all others. */
  readonly parts?: readonly { readonly type: QuotaEntityType; readonly name?: string | null }[]
  /** Only entities that have no other part beside. */
  readonly strict?: boolean
}

export async function describeClientQuotas(call: AdminCall, filter: ClientQuotaFilter): Promise<ClientQuotas[]> {
  checkFields('describing quotas', filter, { parts: true, strict: true })
  const { parts = [], strict = false } = filter
  checkItems('describing quotas', parts, { type: 'text' })
  const components = parts.map(({ type, name }) => ({
    entityType: type,
    matchType: name === undefined ? MATCH.any : name === null ? MATCH.default : MATCH.exact,
    match: name ?? null,
  }))
  const { entries } = await asked(call, 'describing client quotas', () =>
    call.cluster.requestAny(DESCRIBE, { components, strict }),
  )
  return (entries ?? []).map(({ entity, values }) => ({
    entity: readEntity(entity),
    quotas: Object.fromEntries(values.map(({ key, value }) => [key, value])),
  }))
}

const CHANGE_FIELDS = { entity: 'object', quotas: 'object' } as const

export async function alterClientQuotas(
  call: AdminCall,
  changes: readonly ClientQuotaChange[],
  { validateOnly = false }: ValidatedOptions,
): Promise<void> {
  const keyOf = ({ entity }: ClientQuotaChange): string => entityName(entity)
  await settle(call, { what: 'altering client quotas', items: changes, keyOf, needed: CHANGE_FIELDS }, async left => {
    const { entries } = await call.cluster.requestAny(ALTER, {
      entries: left.map(({ entity, quotas }) => ({
        entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
        ops: Object.entries(quotas).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
      })),
      validateOnly,
    })
    return entries.map(({ errorCode, errorMessage, entity }) => ({
      key: entityName(readEntity(entity)),
      errorCode,
      errorMessage,
      result: undefined,
    }))
  })
}

function readEntity(parts: readonly { entityType: string; entityName: string | null }[]): QuotaEntity {
  return Object.fromEntries(parts.map(({ entityType, entityName }) => [entityType, entityName]))
}

/** `client-id=<default>, user=alice` */
function entityName(entity: QuotaEntity): string {
  const parts = Object.entries(entity).map(([type, name]) => `${type}=${name ?? '<default>'}`)
  return parts.sort().join(', ')
}
