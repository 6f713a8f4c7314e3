import { ErrorCode } from '../../protocol/index.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts'
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts'
import { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts'
import type { TopicInfo } from '../cluster-metadata.ts'
import { type AdminCall, brokerTimeoutMs, type CallOptions, settle } from './admin-call.ts'

const CREATE_TOPICS = { request: CreateTopicsRequest, response: CreateTopicsResponse }
const DELETE_TOPICS = { request: DeleteTopicsRequest, response: DeleteTopicsResponse }
const CREATE_PARTITIONS = { request: CreatePartitionsRequest, response: CreatePartitionsResponse }

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

/** Options of calls that can be tried without effect. */
export interface ValidatedOptions extends CallOptions {
  /** Says what would be refused and changes nothing. */
  readonly validateOnly?: boolean
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
  { validateOnly = false }: ValidatedOptions,
): Promise<CreatedTopic[]> {
  const form = { what: 'creating topics', items: topics, keyOf: ({ name }: NewTopic) => name }
  return settle(call, form, async left => {
    const answer = await call.cluster.requestController(CREATE_TOPICS, {
      topics: left.map(topicInput),
      timeoutMs: brokerTimeoutMs(call),
      validateOnly,
    })
    return answer.topics.map(({ name, topicId, errorCode, errorMessage, numPartitions, replicationFactor }) => ({
      key: name,
      errorCode,
      errorMessage,
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

export async function deleteTopics(call: AdminCall, names: readonly string[]): Promise<void> {
  await settle(call, { what: 'deleting topics', items: names, keyOf: name => name }, async left => {
    const answer = await call.cluster.requestController(DELETE_TOPICS, version => ({
      ...(version >= 6 ? { topics: left.map(name => ({ name })) } : { topicNames: left }),
      timeoutMs: brokerTimeoutMs(call),
    }))
    return answer.responses.map(({ name, errorCode, errorMessage }) => ({
      key: name ?? '',
      errorCode,
      errorMessage,
      result: undefined,
    }))
  })
}

export async function listTopics({ cluster, patience }: AdminCall): Promise<TopicInfo[]> {
  const metadata = await cluster.retrying('listing topics', patience, () => cluster.refresh(null))
  return [...metadata.topics].sort((one, other) => (one.name < other.name ? -1 : 1))
}

export async function describeTopics(call: AdminCall, names: readonly string[]): Promise<TopicInfo[]> {
  const { cluster } = call
  try {
    return await settle(call, { what: 'describing topics', items: names, keyOf: name => name }, async left => {
      const metadata = await cluster.refresh(left)
      return left.map(name => ({
        key: name,
        errorCode: metadata.topic(name)
          ? ErrorCode.NONE
          : (metadata.failureOf(name)?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        result: metadata.topic(name) as TopicInfo,
      }))
    })
  } finally {
    for (const name of names) cluster.forget(name)
  }
}

export async function createPartitions(
  call: AdminCall,
  wanted: readonly NewPartitions[],
  { validateOnly = false }: ValidatedOptions,
): Promise<void> {
  const form = { what: 'adding partitions', items: wanted, keyOf: ({ topic }: NewPartitions) => topic }
  await settle(call, form, async left => {
    const answer = await call.cluster.requestController(CREATE_PARTITIONS, {
      topics: left.map(({ topic, total, assignments }) => ({
        name: topic,
        count: total,
        assignments: assignments?.map(brokerIds => ({ brokerIds })) ?? null,
      })),
      timeoutMs: brokerTimeoutMs(call),
      validateOnly,
    })
    return answer.results.map(({ name, errorCode, errorMessage }) => ({
      key: name,
      errorCode,
      errorMessage,
      result: undefined,
    }))
  })
}
