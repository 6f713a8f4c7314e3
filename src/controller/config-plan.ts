import { checkTopicOverrides, type DynamicBrokerConfig, kafkaConfig, topicConfig } from '../config/broker.ts'
import { ConfigError } from '../config/index.ts'
import { type ClusterImage, configEntity, DEFAULT_ENTITY } from '../metadata/index.ts'
import { KafkaError } from '../protocol/index.ts'
import type { AlterConfigsRequest } from '../protocol/messages/33-alter-configs.ts'
import type { IncrementalAlterConfigsRequest } from '../protocol/messages/44-incremental-alter-configs.ts'

/** Kinds of resources that have settings, as requests number them. */
export const ConfigResourceType = {
  UNKNOWN: 0,
  TOPIC: 2,
  BROKER: 4,
  BROKER_LOGGER: 8,
  CLIENT_METRICS: 16,
  GROUP: 32,
} as const

/** What IncrementalAlterConfigs does to a setting. */
const ConfigOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

/** A resource and the changes to its settings, as clients ask for them. */
export type IncrementalResource = IncrementalAlterConfigsRequest['resources'][number]
/** A resource and all settings it shall have. */
export type ReplacedResource = AlterConfigsRequest['resources'][number]

/** What settings are changed by. */
export interface ConfigContext {
  readonly image: ClusterImage
  readonly config: DynamicBrokerConfig
  readonly brokerId: number
}

/** All settings that an entity will have. */
export interface ConfigPlan {
  readonly entity: string
  readonly settings: ReadonlyMap<string, string>
}

/** A resource as its settings are kept and checked. */
interface Target {
  readonly entity: string
  /** Whether a key holds a list; undefined for a key that is not known. */
  readonly isList: (name: string) => boolean | undefined
  readonly defaultText: (name: string) => string | null
  readonly check: (settings: ReadonlyMap<string, string>) => void
}

/** The settings after single changes (KIP-339), or the {@link KafkaError} that refuses them. */
export function planIncremental(resource: IncrementalResource, context: ConfigContext): ConfigPlan {
  const { configs } = resource
  if (new Set(configs.map(({ name }) => name)).size < configs.length) {
    throw new KafkaError('INVALID_REQUEST', 'Error due to duplicate config keys')
  }
  refuseNulls(configs.filter(({ configOperation }) => configOperation !== ConfigOperation.DELETE))
  if (resource.resourceType === ConfigResourceType.BROKER_LOGGER) throw refusedLogger(resource, context)
  const target = targetOf(resource, context)
  const settings = new Map(context.image.configOf(target.entity))
  for (const { name, configOperation, value } of configs) {
    const changed = operate({ name, operation: configOperation, value: value ?? '' }, settings, target)
    if (changed === undefined) settings.delete(name)
    else settings.set(name, changed)
  }
  target.check(settings)
  return { entity: target.entity, settings }
}

/** The settings when all are replaced (AlterConfigs), or the {@link KafkaError} that refuses them. */
export function planReplacement(resource: ReplacedResource, context: ConfigContext): ConfigPlan {
  refuseNulls(resource.configs)
  const target = targetOf(resource, context)
  const settings = new Map(resource.configs.map(({ name, value }) => [name, value ?? '']))
  target.check(settings)
  return { entity: target.entity, settings }
}

function refuseNulls(configs: readonly { readonly name: string; readonly value: string | null }[]): void {
  const nulls = configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (nulls.length > 0) throw new KafkaError('INVALID_REQUEST', `Null value not supported for : ${nulls.join(',')}`)
}

/** Levels of single loggers cannot be changed: to whoever asks, none of the loggers exists. */
function refusedLogger({ resourceName, configs }: IncrementalResource, { brokerId }: ConfigContext): KafkaError {
  checkBrokerName(resourceName, { brokerId, orEmpty: false })
  const list = configs.find(({ configOperation }) => configOperation >= ConfigOperation.APPEND)
  if (list) {
    const verb = list.configOperation === ConfigOperation.APPEND ? 'APPEND' : 'SUBTRACT'
    return new KafkaError('INVALID_REQUEST', `${verb} operation is not allowed for the BROKER_LOGGER resource`)
  }
  return new KafkaError('INVALID_CONFIG', `Logger ${configs[0]?.name ?? ''} does not exist!`)
}

/** The new value of a setting; undefined to have none. */
function operate(
  change: { readonly name: string; readonly operation: number; readonly value: string },
  settings: ReadonlyMap<string, string>,
  target: Target,
): string | undefined {
  const { name, operation, value } = change
  const items = (): readonly string[] => {
    const verb = operation === ConfigOperation.APPEND ? 'append' : 'subtract'
    if (target.isList(name) !== true) {
      throw new KafkaError('INVALID_CONFIG', `Config value ${verb} is not allowed for config key: ${name}`)
    }
    return (settings.get(name) ?? target.defaultText(name) ?? '').split(',').filter(item => item !== '')
  }
  switch (operation) {
    case ConfigOperation.SET:
      return value
    case ConfigOperation.DELETE:
      return undefined
    case ConfigOperation.APPEND:
      return [...new Set([...items(), ...value.split(',')])].join(',')
    case ConfigOperation.SUBTRACT: {
      const without = value.split(',')
      return items()
        .filter(item => !without.includes(item))
        .join(',')
    }
    default:
      throw new KafkaError('INVALID_REQUEST', `Unknown operation type ${operation}`)
  }
}

function targetOf(
  { resourceType, resourceName }: { readonly resourceType: number; readonly resourceName: string },
  context: ConfigContext,
): Target {
  if (resourceType === ConfigResourceType.TOPIC) return topicTarget(resourceName, context)
  if (resourceType === ConfigResourceType.BROKER) return brokerTarget(resourceName, context)
  const name = Object.entries(ConfigResourceType).find(([, type]) => type === resourceType)?.[0] ?? String(resourceType)
  throw new KafkaError(
    'INVALID_REQUEST',
    `AlterConfigs is only supported for topics and brokers, but resource type is ${name}`,
  )
}

function topicTarget(name: string, { image, config }: ConfigContext): Target {
  if (name === '') throw new KafkaError('INVALID_REQUEST', 'Default topic resources are not allowed.')
  if (!image.topic(name)) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
  }
  return {
    entity: configEntity('topics', name),
    isList: key => isList(topicConfig.key(key)?.type),
    defaultText: key => topicConfig.defaultText(key),
    check: settings => {
      try {
        checkTopicOverrides(config.current, settings)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        const resource = `ConfigResource(type=TOPIC, name='${name}')`
        const where = error.standsAlone ? '' : `Invalid config value for resource ${resource}: `
        throw new KafkaError('INVALID_CONFIG', where + error.message)
      }
    },
  }
}

function brokerTarget(name: string, { config, brokerId }: ConfigContext): Target {
  const isDefault = name === ''
  if (!isDefault) checkBrokerName(name, { brokerId, orEmpty: false })
  return {
    entity: configEntity('brokers', isDefault ? DEFAULT_ENTITY : String(brokerId)),
    isList: key => isList(kafkaConfig.key(key)?.type),
    defaultText: key => kafkaConfig.defaultText(key),
    check: settings => {
      try {
        config.validate(isDefault ? 'cluster' : 'broker', settings)
      } catch (error) {
        if (error instanceof ConfigError) throw new KafkaError('INVALID_REQUEST', error.message)
        throw error
      }
    },
  }
}

/** Throws INVALID_REQUEST unless `name` is the id of this broker: each broker answers for itself alone. */
export function checkBrokerName(
  name: string,
  { brokerId, orEmpty }: { readonly brokerId: number; readonly orEmpty: boolean },
): void {
  if (!/^[+-]?\d{1,10}$/.test(name)) {
    throw new KafkaError('INVALID_REQUEST', `Broker id must be an integer, but it is: ${name}`)
  }
  if (Number(name) !== brokerId) {
    const expected = `${brokerId}${orEmpty ? ' or empty string' : ''}`
    throw new KafkaError('INVALID_REQUEST', `Unexpected broker id, expected ${expected}, but received ${name}`)
  }
}

function isList(type: string | undefined): boolean | undefined {
  return type === undefined ? undefined : type === 'list'
}
