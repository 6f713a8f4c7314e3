import { DEFAULT_ENTITY, desanitize } from '../metadata/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { DescribeClientQuotasRequest } from '../protocol/messages/48-describe-client-quotas.ts'

/** Of what quotas are: names of users, clients and addresses; null stands for all that have no quota of their own. */
export type QuotaEntity = readonly { readonly entityType: string; readonly entityName: string | null }[]

export const QuotaEntityType = { USER: 'user', CLIENT_ID: 'client-id', IP: 'ip' } as const

/** How a component of a filter matches the name of its kind. */
const MatchType = { EXACT: 0, DEFAULT: 1, ANY: 2 } as const

/** Folders below `/config` whose entities have quotas, as the path of an entity has them. */
const TYPE_OF_FOLDER: Readonly<Record<string, string>> = {
  users: QuotaEntityType.USER,
  clients: QuotaEntityType.CLIENT_ID,
  ips: QuotaEntityType.IP,
}

/** The quota entity whose settings lie at a path below `/config`, as `users/u/clients/c`; undefined where there are no quotas. */
export function quotaEntityOf(path: string): QuotaEntity | undefined {
  const words = path.split('/')
  const entity: { entityType: string; entityName: string | null }[] = []
  for (let index = 0; index + 1 < words.length; index += 2) {
    const entityType = TYPE_OF_FOLDER[words[index]!]
    if (entityType === undefined) return undefined
    const written = words[index + 1]!
    entity.push({ entityType, entityName: written === DEFAULT_ENTITY ? null : desanitize(written) })
  }
  return entity
}

/**
 * Whether entities match a filter: each of its components, and with `strict` nothing besides.
 * @throws INVALID_REQUEST for kinds that come twice or do not go together, UNSUPPORTED_VERSION for other kinds
 */
export function quotaFilter({ components, strict }: DescribeClientQuotasRequest): (entity: QuotaEntity) => boolean {
  const types = components.map(({ entityType }) => entityType)
  for (const [index, { entityType, matchType }] of components.entries()) {
    if (entityType === '') throw new KafkaError('INVALID_REQUEST', 'Unexpected empty filter component entity type')
    if (!Object.values<string>(QuotaEntityType).includes(entityType)) {
      throw new KafkaError('UNSUPPORTED_VERSION', `Custom entity type '${entityType}' not supported`)
    }
    if (types.indexOf(entityType) < index) {
      const kind = entityType === QuotaEntityType.CLIENT_ID ? 'client' : entityType
      throw new KafkaError('INVALID_REQUEST', `Duplicate ${kind} filter component entity type`)
    }
    if (!Object.values<number>(MatchType).includes(matchType)) {
      throw new KafkaError('UNSUPPORTED_VERSION', `Unexpected match type: ${matchType}`)
    }
  }
  if (types.includes(QuotaEntityType.IP) && types.length > 1) {
    throw new KafkaError(
      'INVALID_REQUEST',
      'Invalid entity filter component combination, IP filter component should not be used with user or clientId ' +
        'filter component.',
    )
  }
  return entity =>
    components.every(({ entityType, matchType, match }) => {
      const part = entity.find(other => other.entityType === entityType)
      if (part === undefined || matchType === MatchType.ANY) return part !== undefined
      return part.entityName === (matchType === MatchType.DEFAULT ? null : match)
    }) &&
    (!strict || entity.every(({ entityType }) => types.includes(entityType)))
}
