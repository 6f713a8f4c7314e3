import { isDeepStrictEqual } from 'node:util'
import { kindOf } from '../../config/index.ts'
import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts'
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts'
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts'
import type { KnownFields } from '../checked-items.ts'
import { type TopicInfo, topicInfo } from '../cluster-metadata.ts'
import { grouped } from '../grouped.ts'
import { type AclOperation, operationsIn } from './acls.ts'
import { type AdminCall, brokerTimeoutMs, type CallOptions, controllerRequests, settle } from './admin-call.ts'
import type { DescribeOptions } from './groups.ts'

const METADATA = { request: MetadataRequest, response: MetadataResponse }
const CREATE_TOPICS = { request: CreateTopicsRequest, response: CreateTopicsResponse }
const DELETE_TOPICS = { request: DeleteTopicsRequest, response: DeleteTopicsResponse }
const CREATE_PARTITIONS = { request: CreatePartitionsRequest, response: CreatePartitionsResponse }

/** The first versions that take topics by id (KIP-516). */
const FIRST_METADATA_BY_ID = 12
const FIRST_DELETION_BY_ID = 6

const DOUBT = '(a request of this call was not answered, and may have made it)'
/** What is said of a topic that was deleted. */
const GONE: ReadonlySet<number> = new Set([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID])

/** A topic by its name, or by its id, which no other topic ever has. */
export type TopicRef = string | { readonly id: string }

/** A topic as it is now. */
export interface TopicDescription extends TopicInfo {
  /** What the asker may do with it, where that was asked for. */
  readonly authorizedOperations?: readonly AclOperation[] | undefined
}

/** A topic that is to be (Java's NewTopic). */
export interface NewTopic {
  readonly name: string
  /** The broker's `num.partitions` when left out. */
  readonly partitions?: number
  /** The broker's `default.replication.factor` when left out. */
  readonly replicationFactor?: number
  /** Ids of the brokers of each partition, in place of the two numbers. */
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string>>
}

const NEW_TOPIC: KnownFields<NewTopic> = {
  name: true,
  partitions: true,
  replicationFactor: true,
  assignments: true,
  configs: true,
}

/** Options of calls that can be tried without effect. */
export interface ValidatedOptions extends CallOptions {
  /** Says what would be refused and changes nothing. */
  readonly validateOnly?: boolean
}

/** Options of calls that a quota may hold up (KIP-599). */
export interface QuotaOptions extends CallOptions {
  /** False has THROTTLING_QUOTA_EXCEEDED fail at once, in place of waiting until the quota allows it. */
  readonly retryOnQuotaViolation?: boolean
}

/** What was created; -1 and zeros where the broker does not tell. */
export interface CreatedTopic {
  readonly name: string
  readonly id: string
  readonly partitions: number
  readonly replicationFactor: number
}

/** How many partitions a topic is to have, and where the new ones go (Java's NewPartitions). */
export interface NewPartitions {
  readonly topic: string
  readonly total: number
  readonly assignments?: readonly (readonly number[])[]
}

export function createTopics(
  call: AdminCall,
  topics: readonly NewTopic[],
  { validateOnly = false, ...options }: ValidatedOptions & QuotaOptions,
): Promise<CreatedTopic[]> {
  const needed = { name: 'text' } as const
  const form = { what: 'creating topics', items: topics, keyOf: ({ name }: NewTopic) => name, needed, known: NEW_TOPIC }
  const send = controllerRequests(call)
  return settle(call, form, async left => {
    const { answer, isRepeated } = await send(CREATE_TOPICS, () => ({
      topics: left.map(topicInput),
      timeoutMs: brokerTimeoutMs(call),
      validateOnly,
    }))
    // Whoever made it: that it is as it was asked for nobody has said.
    const isDoubtful = (errorCode: number) => isRepeated && errorCode === ErrorCode.TOPIC_ALREADY_EXISTS
    return answer.topics.map(({ name, topicId, errorCode, errorMessage, numPartitions, replicationFactor }) => ({
      key: name,
      errorCode,
      errorMessage: isDoubtful(errorCode) ? `${errorMessage ?? 'it exists'} ${DOUBT}` : errorMessage,
      isFinal: isFinal(errorCode, options),
      result: { name, id: topicId, partitions: numPartitions, replicationFactor },
    }))
  })
}

function topicInput({ name, partitions = -1, replicationFactor = -1, assignments = [], configs = {} }: NewTopic) {
  return {
    name,
    numPartitions: partitions,
    replicationFactor,
    assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }
}

export async function deleteTopics(
  call: AdminCall,
  topics: readonly TopicRef[],
  options: QuotaOptions = {},
): Promise<void> {
  const send = controllerRequests(call)
  await settle(call, { what: 'deleting topics', items: topics, keyOf: refKey }, async left => {
    const { answer, isRepeated } = await send(DELETE_TOPICS, version => ({
      ...(version >= FIRST_DELETION_BY_ID
        ? { topics: left.map(onWire) }
        : { topicNames: left.map(ref => nameFor(ref, version, FIRST_DELETION_BY_ID)) }),
      timeoutMs: brokerTimeoutMs(call),
    }))
    const names = new Set(left)
    return answer.responses.map(({ name, topicId, errorCode, errorMessage }) => ({
      // Who asked by the id is told the name, too.
      key: name !== null && names.has(name) ? name : topicId,
      // Gone by the request before: that is what was asked for.
      errorCode: isRepeated && GONE.has(errorCode) ? ErrorCode.NONE : errorCode,
      errorMessage,
      isFinal: isFinal(errorCode, options),
      result: undefined,
    }))
  })
}

export function describeTopics(
  call: AdminCall,
  topics: readonly TopicRef[],
  { includeAuthorizedOperations = false }: DescribeOptions,
): Promise<TopicDescription[]> {
  return settle(call, { what: 'describing topics', items: topics, keyOf: refKey }, async left => {
    // A request is about names or about ids: brokers heed only the ids where there are any.
    const kinds = grouped(left, ref => typeof ref)
    const answers = await Promise.all(
      Array.from(kinds.values(), ofKind =>
        call.cluster.requestAny(METADATA, version => ({
          topics: ofKind.map(ref =>
            version >= FIRST_METADATA_BY_ID ? onWire(ref) : { name: nameFor(ref, version, FIRST_METADATA_BY_ID) },
          ),
          ...(version >= 4 && { allowAutoTopicCreation: false }),
          ...(includeAuthorizedOperations && { includeTopicAuthorizedOperations: true }),
        })),
      ),
    )
    const names = new Set(left)
    return answers
      .flatMap(answer => answer.topics)
      .map(({ errorCode, topicAuthorizedOperations, ...topic }) => ({
        key: topic.name !== null && names.has(topic.name) ? topic.name : topic.topicId,
        errorCode,
        result: {
          ...topicInfo(topic, topic.name ?? ''),
          ...(includeAuthorizedOperations && { authorizedOperations: operationsIn(topicAuthorizedOperations) }),
        },
      }))
  })
}

export async function createPartitions(
  call: AdminCall,
  wanted: readonly NewPartitions[],
  { validateOnly = false, ...options }: ValidatedOptions & QuotaOptions,
): Promise<void> {
  const needed = { topic: 'text', total: 'integer' } as const
  const form = { what: 'adding partitions', items: wanted, keyOf: ({ topic }: NewPartitions) => topic, needed }
  const send = controllerRequests(call)
  await settle(call, form, async left => {
    const { answer, isRepeated } = await send(CREATE_PARTITIONS, () => ({
      topics: left.map(({ topic, total, assignments }) => ({
        name: topic,
        count: total,
        assignments: assignments?.map(brokerIds => ({ brokerIds })) ?? null,
      })),
      timeoutMs: brokerTimeoutMs(call),
      validateOnly,
    }))
    const isDoubtful = (errorCode: number) => isRepeated && !validateOnly && errorCode === ErrorCode.INVALID_PARTITIONS
    const doubtful = new Set(answer.results.filter(({ errorCode }) => isDoubtful(errorCode)).map(({ name }) => name))
    const grown = await grownAsWanted(
      call,
      left.filter(({ topic }) => doubtful.has(topic)),
    )
    return answer.results.map(({ name, errorCode, errorMessage }) => ({
      key: name,
      // Grown by the request before: that is what was asked for.
      errorCode: grown.has(name) ? ErrorCode.NONE : errorCode,
      errorMessage,
      isFinal: isFinal(errorCode, options),
      result: undefined,
    }))
  })
}

/** Names of those topics that have the partitions that they were to have. */
async function grownAsWanted(call: AdminCall, wanted: readonly NewPartitions[]): Promise<ReadonlySet<string>> {
  const names = wanted.map(({ topic }) => topic)
  const topics = await describeTopics(call, names, {})
  return new Set(names.filter((_, at) => hasGrown(topics[at]!, wanted[at]!)))
}

function hasGrown({ partitions }: TopicInfo, { total, assignments = [] }: NewPartitions): boolean {
  const added = partitions.slice(total - assignments.length).map(({ replicas }) => replicas)
  return partitions.length === total && (assignments.length === 0 || isDeepStrictEqual(added, [...assignments]))
}

const isFinal = (errorCode: number, { retryOnQuotaViolation = true }: QuotaOptions): boolean =>
  errorCode === ErrorCode.THROTTLING_QUOTA_EXCEEDED && !retryOnQuotaViolation

/** @throws KafkaError INVALID_REQUEST for what names no topic, where no compiler looks */
function refKey(ref: TopicRef): string {
  const key = typeof ref === 'string' ? ref : ref.id
  if (typeof key === 'string') return key
  throw new KafkaError('INVALID_REQUEST', `a topic is named by a text or { id }, not by ${kindOf(ref)}`)
}

const onWire = (ref: TopicRef) => (typeof ref === 'string' ? { name: ref } : { name: null, topicId: ref.id })

/** The name, where a version knows no ids. */
function nameFor(ref: TopicRef, version: number, firstById: number): string {
  if (typeof ref === 'string') return ref
  throw new KafkaError(
    'UNSUPPORTED_VERSION',
    `topic ${ref.id}: the broker takes topics by name only (version ${version}, ids come with ${firstById})`,
  )
}
