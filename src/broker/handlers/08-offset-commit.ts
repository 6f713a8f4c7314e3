import { ErrorCode, type KafkaError, type MessageInput } from '../../protocol/index.ts'
import { OffsetCommitRequest, OffsetCommitResponse } from '../../protocol/messages/08-offset-commit.ts'
import { handler, type RequestContext } from '../handler.ts'

/**
 * OffsetCommit, key 8: stores how far a group, or a consumer without one, has come. v1+: generation and member. v1: a
 * time of its own for each offset. v2-4: a retention for all. v6+: leader epochs. v7+: static members. v10: topic ids.
 * v0, which Kafka keeps in ZooKeeper apart from the rest, is stored like the rest.
 */
export const offsetCommit = handler(OffsetCommitRequest, OffsetCommitResponse, {
  handle: async (request, context) => {
    if (context.apiVersion < 10) return context.services.groups.offsetCommit(request)
    const topics = request.topics.map(topic => ({ ...topic, name: nameOf(topic.topicId, context) ?? '' }))
    return withUnknownIds(await context.services.groups.offsetCommit({ ...request, topics }))
  },
  failed: (error, request) => ({ topics: request.topics.map(topic => failedTopic(topic, error)) }),
})

function nameOf(topicId: string, { services }: RequestContext): string | undefined {
  return services.metadata.image().topicById(topicId)?.name
}

/** A topic whose id nobody knows has no name, and no partitions either. */
function withUnknownIds(
  response: MessageInput<typeof OffsetCommitResponse>,
): MessageInput<typeof OffsetCommitResponse> {
  const topics = (response.topics ?? []).map(topic => {
    if (topic.name !== '') return topic
    const partitions = (topic.partitions ?? []).map(partition => ({
      ...partition,
      errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
    }))
    return { ...topic, partitions }
  })
  return { ...response, topics }
}

function failedTopic({ name, topicId, partitions }: OffsetCommitRequest['topics'][number], { errorCode }: KafkaError) {
  return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}
