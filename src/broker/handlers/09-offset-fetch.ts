import type { ClusterImage } from '../../metadata/index.ts'
import { ErrorCode, type KafkaError, type MessageInput } from '../../protocol/index.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/09-offset-fetch.ts'
import { answerEach, answeredOnce } from '../answer-each.ts'
import { groupContext } from '../group-context.ts'
import { handler, type RequestContext } from '../handler.ts'

type Response = MessageInput<typeof OffsetFetchResponse>
type RequestedGroup = OffsetFetchRequest['groups'][number]
type FetchedGroup = NonNullable<Response['groups']>[number]

/**
 * OffsetFetch, key 9: what groups have committed. v2+: null topics mean all, and an error of the whole. v7+: only
 * offsets that no open transaction may change. v8+: several groups (KIP-709). v10: topic ids.
 */
export const offsetFetch = handler(OffsetFetchRequest, OffsetFetchResponse, {
  answersInTurns: true,
  handle: async (request, context) => {
    if (request.groups.length < 2) return fetch(request, context)
    const fetchOne = (group: RequestedGroup): FetchedGroup =>
      fetch({ ...request, groups: [group] }, context).groups![0]!
    return { groups: await context.connection.inPieces(answerEach(request.groups, answeredOnce(fetchOne))) }
  },
  failed: (error, request, { apiVersion }) => failed(error, request, apiVersion),
})

function fetch(request: OffsetFetchRequest, context: RequestContext): Response {
  if (context.apiVersion < 10) return context.services.groups.offsetFetch(request, groupContext(context))
  const image = context.services.metadata.image()
  const groups = request.groups.map(group => withNames(group, image))
  const response = context.services.groups.offsetFetch({ ...request, groups }, groupContext(context))
  return { ...response, groups: (response.groups ?? []).map(group => withIds(group, image)) }
}

function withNames(group: RequestedGroup, image: ClusterImage): RequestedGroup {
  const topics = group.topics?.map(topic => ({ ...topic, name: image.topicById(topic.topicId)?.name ?? '' })) ?? null
  return { ...group, topics }
}

/** Topics get their ids. One that was asked for by an id nobody knows says so; one that was not asked for is left out. */
function withIds(group: FetchedGroup, image: ClusterImage): FetchedGroup {
  const topics = (group.topics ?? []).flatMap(topic => {
    const topicId = topic.topicId ?? image.topic(topic.name ?? '')?.topicId
    if (topicId === undefined) return []
    if (topic.name !== '') return [{ ...topic, topicId }]
    const partitions = (topic.partitions ?? []).map(partition => ({
      ...partition,
      errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
    }))
    return [{ ...topic, topicId, partitions }]
  })
  return { ...group, topics }
}

function failed({ errorCode }: KafkaError, request: OffsetFetchRequest, apiVersion: number): Response {
  if (apiVersion >= 8) return { groups: request.groups.map(({ groupId }) => ({ groupId, errorCode, topics: [] })) }
  if (apiVersion >= 2) return { errorCode, topics: [] }
  const topics = (request.topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(partitionIndex => ({
      partitionIndex,
      committedOffset: -1,
      metadata: '',
      errorCode,
    })),
  }))
  return { topics }
}
