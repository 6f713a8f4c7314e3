import type { Api } from '../../network/index.ts'
import type { Fields, MessageOf, Schema } from '../../protocol/index.ts'
import { DescribeConfigsRequest, DescribeConfigsResponse } from '../../protocol/messages/32-describe-configs.ts'
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../protocol/messages/44-incremental-alter-configs.ts'
import type { RequestBody } from '../broker-node.ts'
import { grouped } from '../grouped.ts'
import { type AdminCall, type CallOptions, knowing, settle } from './admin-call.ts'
import type { ValidatedOptions } from './topics.ts'

const DESCRIBE_CONFIGS = { request: DescribeConfigsRequest, response: DescribeConfigsResponse }
const ALTER_CONFIGS = { request: IncrementalAlterConfigsRequest, response: IncrementalAlterConfigsResponse }

const RESOURCE_TYPES = { topic: 2, broker: 4, 'broker-logger': 8, 'client-metrics': 16, group: 32 } as const
const OF_ONE_BROKER: ReadonlySet<string> = new Set(['broker', 'broker-logger'])
const OPERATIONS = { set: 0, delete: 1, append: 2, subtract: 3 } as const
const SOURCES: readonly string[] = [
  'unknown',
  'dynamic-topic',
  'dynamic-broker',
  'dynamic-default-broker',
  'static-broker',
  'default',
  'dynamic-broker-logger',
  'client-metrics',
  'group',
]
const VALUE_TYPES = [
  'unknown',
  'boolean',
  'string',
  'int',
  'short',
  'long',
  'double',
  'list',
  'class',
  'password',
] as const

/**
 * What has settings (Java's ConfigResource). The name of a broker is its id; an empty one stands for all brokers. Settings of groups and of
 * client metrics are Kafka's from 3.8 and 3.7 on, in KRaft mode.
 */
export interface ConfigResource {
  readonly type: keyof typeof RESOURCE_TYPES
  readonly name: string
}

/** One setting as it is in force. */
export interface ConfigEntry {
  readonly name: string
  /** Null where it is a secret. */
  readonly value: string | null
  /** Where the value comes from: `dynamic-topic`, `static-broker`, `default`, ... */
  readonly source: string
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  /** `unknown` where the broker does not tell (before 2.6). */
  readonly type: (typeof VALUE_TYPES)[number]
  readonly documentation: string | null
  /** Where else there is a value for it, the one in force first; empty unless asked for. */
  readonly synonyms: readonly ConfigSynonym[]
}

/** A value that stands behind a setting, as it is named there. */
export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: string
}

export interface ResourceConfigs extends ConfigResource {
  readonly entries: readonly ConfigEntry[]
}

export interface DescribeConfigsOptions extends CallOptions {
  /** Only these settings. */
  readonly names?: readonly string[]
  readonly includeDocumentation?: boolean
  /** Has `synonyms` filled in. */
  readonly includeSynonyms?: boolean
}

/** A change of one setting; `append` and `subtract` are for lists. */
export type ConfigChange =
  | { readonly name: string; readonly operation: 'delete' }
  | { readonly name: string; readonly operation?: 'set' | 'append' | 'subtract'; readonly value: string }

export interface ResourceChanges extends ConfigResource {
  readonly changes: readonly ConfigChange[]
}

const RESOURCE_FIELDS = { type: 'text', name: 'text' } as const
const CHANGE_FIELDS = { ...RESOURCE_FIELDS, changes: 'list' } as const
const keyOf = ({ type, name }: ConfigResource): string => `${type} ${name}`
const keyOnWire = (type: number, name: string): string => `${typeName(type)} ${name}`
const typeName = (type: number): string =>
  Object.entries(RESOURCE_TYPES).find(([, number]) => number === type)?.[0] ?? String(type)

const sourceName = (source: number): string => SOURCES[source] ?? 'unknown'

export function describeConfigs(
  call: AdminCall,
  resources: readonly ConfigResource[],
  { names, includeDocumentation = false, includeSynonyms = false }: DescribeConfigsOptions,
): Promise<ResourceConfigs[]> {
  return settle(call, { what: 'describing configs', items: resources, keyOf, needed: RESOURCE_FIELDS }, async left => {
    const answers = await eachOwner(call, left, DESCRIBE_CONFIGS, ofOwner => version => ({
      resources: ofOwner.map(({ type, name }) => ({
        resourceType: RESOURCE_TYPES[type],
        resourceName: name,
        configurationKeys: names ?? null,
      })),
      ...(version >= 1 ? { includeSynonyms } : {}),
      ...(version >= 3 ? { includeDocumentation } : {}),
    }))
    return answers.flatMap(({ results }) =>
      results.map(({ resourceType, resourceName, errorCode, errorMessage, configs }) => ({
        key: keyOnWire(resourceType, resourceName),
        errorCode,
        errorMessage,
        result: {
          type: typeName(resourceType) as ConfigResource['type'],
          name: resourceName,
          entries: configs.map(config => ({
            name: config.name,
            value: config.value,
            source: config.isDefault ? 'default' : sourceName(config.configSource),
            isReadOnly: config.readOnly,
            isSensitive: config.isSensitive,
            type: VALUE_TYPES[config.configType] ?? 'unknown',
            documentation: config.documentation,
            synonyms: config.synonyms.map(one => ({ ...one, source: sourceName(one.source) })),
          })),
        },
      })),
    )
  })
}

export async function incrementalAlterConfigs(
  call: AdminCall,
  resources: readonly ResourceChanges[],
  { validateOnly = false }: ValidatedOptions,
): Promise<void> {
  await settle(call, { what: 'altering configs', items: resources, keyOf, needed: CHANGE_FIELDS }, async left => {
    const answers = await eachOwner(call, left, ALTER_CONFIGS, ofOwner => ({
      resources: ofOwner.map(({ type, name, changes }) => ({
        resourceType: RESOURCE_TYPES[type],
        resourceName: name,
        configs: changes.map(change => ({
          name: change.name,
          configOperation: OPERATIONS[change.operation ?? 'set'],
          value: change.operation === 'delete' ? null : change.value,
        })),
      })),
      validateOnly,
    }))
    return answers.flatMap(({ responses }) =>
      responses.map(({ resourceType, resourceName, errorCode, errorMessage }) => ({
        key: keyOnWire(resourceType, resourceName),
        errorCode,
        errorMessage,
        result: undefined,
      })),
    )
  })
}

/** A broker's own settings are asked of it; everything else, of anybody. */
async function eachOwner<R extends ConfigResource, Q extends Fields, S extends Fields>(
  call: AdminCall,
  resources: readonly R[],
  api: Api<Q, S>,
  body: (ofOwner: readonly R[]) => RequestBody<Q>,
): Promise<MessageOf<Schema<S>>[]> {
  const { cluster } = call
  const owners = grouped(resources, ({ type, name }) =>
    OF_ONE_BROKER.has(type) && name !== '' ? Number(name) : undefined,
  )
  await knowing(
    call,
    [...owners.keys()].filter(broker => broker !== undefined),
  )
  return Promise.all(
    Array.from(owners, ([broker, ofOwner]) =>
      broker === undefined ? cluster.requestAny(api, body(ofOwner)) : cluster.request({ broker }, api, body(ofOwner)),
    ),
  )
}
