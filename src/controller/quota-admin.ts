import { clientConfig, ipConfig } from '../config/broker.ts'
import { ConfigError } from '../config/index.ts'
import { configEntity, DEFAULT_ENTITY } from '../metadata/index.ts'
import { ipAddress } from '../platform/index.ts'
import { ErrorCode, KafkaError } from '../protocol/index.ts'
import type { DescribeClientQuotasRequest } from '../protocol/messages/48-describe-client-quotas.ts'
import type {
  AlterClientQuotasRequest,
  AlterClientQuotasResponse,
} from '../protocol/messages/49-alter-client-quotas.ts'
import type { ConfigPlan } from './config-plan.ts'
import type { ConfigStore } from './config-store.ts'
import type { ControllerState } from './controller-state.ts'
import type { FencedWriter } from './fenced-writer.ts'
import { type QuotaEntity, QuotaEntityType, quotaEntityOf, quotaFilter } from './quota-entity.ts'

type Alteration = AlterClientQuotasRequest['entries'][number]
export type AlteredQuotas = AlterClientQuotasResponse['entries'][number]

/** The quotas of an entity, as DescribeClientQuotas answers them. */
export interface DescribedQuotas {
  readonly entity: QuotaEntity
  readonly values: readonly { readonly key: string; readonly value: number }[]
}

/** What a number may be away from a whole one, after it was written as a double. */
const EPSILON = 1e-6

/** Changes and describes quotas (KIP-546), of addresses alone (KIP-612): those of users and clients are described, not changed. */
export class QuotaAdmin {
  readonly #state: ControllerState
  readonly #store: ConfigStore

  constructor(state: ControllerState, store: ConfigStore) {
    this.#state = state
    this.#store = store
  }

  /**
   * Quotas of the entities that match a filter.
   * @throws INVALID_REQUEST, UNSUPPORTED_VERSION for a filter that makes no sense
   */
  describe(request: DescribeClientQuotasRequest): DescribedQuotas[] {
    const matches = quotaFilter(request)
    const described: DescribedQuotas[] = []
    for (const [path, settings] of this.#state.options.metadata.image().configs()) {
      const entity = quotaEntityOf(path)
      if (entity === undefined || !matches(entity)) continue
      const values = [...settings].filter(([key]) => isQuota(key)).map(([key, text]) => ({ key, value: Number(text) }))
      if (values.length > 0) described.push({ entity, values })
    }
    return described
  }

  /** Sets and removes quotas; every entity succeeds or fails by itself. */
  alter({ entries, validateOnly }: AlterClientQuotasRequest): Promise<AlteredQuotas[]> {
    return this.#state.change(async writer => {
      const results: AlteredQuotas[] = []
      for (const entry of entries) {
        const error = await this.#alterOne(entry, validateOnly, writer)
        const { errorCode = ErrorCode.NONE, message = null } = error ?? {}
        results.push({ errorCode, errorMessage: message, entity: entry.entity })
      }
      return results
    })
  }

  async #alterOne(entry: Alteration, validateOnly: boolean, writer: FencedWriter): Promise<KafkaError | undefined> {
    try {
      const planned = this.#plan(entry)
      if (!validateOnly) await this.#store.put(planned, writer)
      return undefined
    } catch (error) {
      const told = this.#state.toKafkaError(error, 'changing quotas')
      if (told.code === 'NOT_CONTROLLER') throw told
      return told
    }
  }

  #plan({ entity, ops }: Alteration): ConfigPlan {
    const path = configEntity('ips', addressOf(entity))
    const settings = new Map(this.#state.options.metadata.image().configOf(path))
    for (const { key, value, remove } of ops) {
      if (remove) settings.delete(key)
      else settings.set(key, checked(key, value))
    }
    return { entity: path, settings }
  }
}

function isQuota(key: string): boolean {
  return clientConfig.key(key) !== undefined || ipConfig.key(key) !== undefined
}

/** The address that an entity means, or {@link DEFAULT_ENTITY}. */
function addressOf(entity: QuotaEntity): string {
  if (entity.length === 0) throw new KafkaError('INVALID_REQUEST', 'Invalid empty client quota entity')
  for (const { entityType, entityName } of entity) {
    if (!Object.values<string>(QuotaEntityType).includes(entityType)) {
      throw new KafkaError('INVALID_REQUEST', `Unhandled client quota entity type: ${entityType}`)
    }
    if (entityName === '') throw new KafkaError('INVALID_REQUEST', `Empty ${entityType} not supported`)
  }
  const ip = entity.find(({ entityType }) => entityType === QuotaEntityType.IP)
  if (ip === undefined) {
    const kinds = entity.map(({ entityType }) => entityType).join(' and ')
    throw new KafkaError('UNSUPPORTED_VERSION', `quotas of ${kinds} are not there yet; those of ip are`)
  }
  if (entity.length > 1) {
    const what = 'Invalid quota entity combination, IP entity should not be used with user/client ID entity.'
    throw new KafkaError('INVALID_REQUEST', what)
  }
  const { entityName } = ip
  if (entityName === null) return DEFAULT_ENTITY
  const address = ipAddress(entityName)
  if (address === undefined) {
    throw new KafkaError('INVALID_REQUEST', `${entityName} is not a valid IP; give an address, not the name of a host`)
  }
  return address
}

/** A quota as it is stored. */
function checked(key: string, value: number): string {
  if (ipConfig.key(key) === undefined) throw new KafkaError('INVALID_REQUEST', `Invalid configuration key ${key}`)
  const whole = Math.trunc(value + EPSILON)
  if (Math.abs(whole - value) > EPSILON) {
    throw new KafkaError('INVALID_REQUEST', `Configuration ${key} must be a INT value`)
  }
  try {
    ipConfig.check(key, `${whole}`)
  } catch (error) {
    if (error instanceof ConfigError) throw new KafkaError('INVALID_REQUEST', error.message)
    throw error
  }
  return `${whole}`
}
