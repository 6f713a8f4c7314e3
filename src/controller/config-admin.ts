import {
  CONFIG_TYPE_IDS,
  ConfigSource,
  type DescribedConfig,
  describeBroker,
  describeBrokerDefaults,
  describeTopic,
} from '../config/broker.ts'
import { ErrorCode, KafkaError } from '../protocol/index.ts'
import type { DescribeConfigsRequest, DescribeConfigsResponse } from '../protocol/messages/32-describe-configs.ts'
import type { AlterConfigsRequest, AlterConfigsResponse } from '../protocol/messages/33-alter-configs.ts'
import type { IncrementalAlterConfigsRequest } from '../protocol/messages/44-incremental-alter-configs.ts'
import {
  type ConfigContext,
  type ConfigPlan,
  ConfigResourceType,
  checkBrokerName,
  planIncremental,
  planReplacement,
} from './config-plan.ts'
import type { ConfigStore } from './config-store.ts'
import type { ControllerState } from './controller-state.ts'
import type { FencedWriter } from './fenced-writer.ts'
import { checkTopicName } from './topic-name.ts'

export type AlteredResource = AlterConfigsResponse['responses'][number]
export type DescribedResource = DescribeConfigsResponse['results'][number]

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

/** Changes and describes settings of topics and brokers. Every resource of a request succeeds or fails by itself. */
export class ConfigAdmin {
  readonly #state: ControllerState
  readonly #store: ConfigStore

  constructor(state: ControllerState, store: ConfigStore) {
    this.#state = state
    this.#store = store
  }

  /** Sets, deletes, appends to or subtracts from single settings. */
  incrementalAlterConfigs(
    request: Pick<IncrementalAlterConfigsRequest, 'resources' | 'validateOnly'>,
  ): Promise<AlteredResource[]> {
    return this.#alter(request.resources, request.validateOnly, planIncremental)
  }

  /** Replaces all settings of resources. */
  alterConfigs(request: Pick<AlterConfigsRequest, 'resources' | 'validateOnly'>): Promise<AlteredResource[]> {
    return this.#alter(request.resources, request.validateOnly, planReplacement)
  }

  /** Settings with where they come from. */
  describeConfigs(request: DescribeConfigsRequest): DescribedResource[] {
    return request.resources.map(resource => {
      const { resourceType, resourceName } = resource
      try {
        const keys = resource.configurationKeys
        const wanted = keys && keys.length > 0 ? new Set(keys) : undefined
        const configs = this.#describe(resource)
          .filter(({ name }) => !wanted || wanted.has(name))
          .map(config => describedConfig(config, request))
        return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName, configs }
      } catch (error) {
        const { errorCode, message } = this.#state.toKafkaError(error, 'describing settings')
        const errorMessage = errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ? '' : message
        return { errorCode, errorMessage, resourceType, resourceName, configs: [] }
      }
    })
  }

  async #alter<R extends Resource>(
    resources: readonly R[],
    validateOnly: boolean,
    plan: (resource: R, context: ConfigContext) => ConfigPlan,
  ): Promise<AlteredResource[]> {
    return this.#state.change(async writer => {
      const results: AlteredResource[] = []
      for (const resource of resources) {
        const { resourceType, resourceName } = resource
        const error = await this.#alterOne(resource, { validateOnly, plan, writer })
        results.push({
          errorCode: error?.errorCode ?? ErrorCode.NONE,
          errorMessage: error?.message ?? null,
          resourceType,
          resourceName,
        })
      }
      return results
    })
  }

  async #alterOne<R extends Resource>(
    resource: R,
    how: {
      readonly validateOnly: boolean
      readonly plan: (resource: R, context: ConfigContext) => ConfigPlan
      readonly writer: FencedWriter
    },
  ): Promise<KafkaError | undefined> {
    const { metadata, config, brokerId } = this.#state.options
    try {
      const planned = how.plan(resource, { image: metadata.image(), config, brokerId })
      if (how.validateOnly) return undefined
      await this.#store.put(planned, how.writer)
      return undefined
    } catch (error) {
      const told = this.#state.toKafkaError(error, 'changing settings')
      if (told.code === 'NOT_CONTROLLER') throw told
      return told
    }
  }

  #describe({ resourceType, resourceName }: Resource): readonly DescribedConfig[] {
    const { config, metadata, brokerId } = this.#state.options
    switch (resourceType) {
      case ConfigResourceType.TOPIC: {
        checkTopicName(resourceName)
        const image = metadata.image()
        if (!image.topic(resourceName)) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
        return describeTopic(config, image.config('topics', resourceName))
      }
      case ConfigResourceType.BROKER:
        if (resourceName === '') return describeBrokerDefaults(config)
        checkBrokerName(resourceName, { brokerId, orEmpty: true })
        return describeBroker(config)
      case ConfigResourceType.BROKER_LOGGER:
        if (resourceName === '') throw new KafkaError('INVALID_REQUEST', 'Broker id must not be empty')
        checkBrokerName(resourceName, { brokerId, orEmpty: false })
        return []
      case ConfigResourceType.CLIENT_METRICS:
        throw new KafkaError('INVALID_REQUEST', 'Config type client-metrics is only supported on KRaft clusters')
      case ConfigResourceType.GROUP:
        throw new KafkaError('INVALID_REQUEST', 'Config type groups is only supported on KRaft clusters')
      default:
        throw new KafkaError('INVALID_REQUEST', `Unsupported resource type: ${resourceType}`)
    }
  }
}

function describedConfig(
  config: DescribedConfig,
  { includeSynonyms, includeDocumentation }: DescribeConfigsRequest,
): DescribedResource['configs'][number] {
  const { name, value, source, isSensitive, isReadOnly, type, synonyms, documentation } = config
  return {
    name,
    value,
    readOnly: isReadOnly,
    isDefault: synonyms.length === 0 || source === ConfigSource.DEFAULT_CONFIG,
    configSource: source,
    isSensitive,
    synonyms: includeSynonyms ? [...synonyms] : [],
    configType: CONFIG_TYPE_IDS[type],
    documentation: includeDocumentation ? documentation : null,
  }
}
