import { KafkaError, ZERO_UUID } from '../../protocol/index.ts'
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../../protocol/messages/20-delete-topics.ts'
import { handler } from '../handler.ts'

/**
 * DeleteTopics, key 20. v5: errors have a message. v6: topics are named or given by id (KIP-516). The topic is gone from
 * the metadata when the answer comes; its files follow after `file.delete.delay.ms`.
 */
export const deleteTopics = handler(DeleteTopicsRequest, DeleteTopicsResponse, {
  answersInTurns: true,
  handle: async (request, { services, apiVersion }) => {
    const topics = wanted(request, apiVersion)
    if (topics.some(({ name, topicId }) => name !== null && topicId !== ZERO_UUID)) {
      throw new KafkaError('INVALID_REQUEST', 'Topic name and topic ID can not both be specified.')
    }
    try {
      return { responses: await services.controller.deleteTopics(topics) }
    } catch (error) {
      // Clients of that time do not know the code.
      const isUnknown = apiVersion < 3 && error instanceof KafkaError && error.code === 'TOPIC_DELETION_DISABLED'
      throw isUnknown ? new KafkaError('INVALID_REQUEST', error.message) : error
    }
  },
  failed: (error, request, { apiVersion }) => ({
    responses: wanted(request, apiVersion).map(topic => ({
      ...topic,
      errorCode: error.errorCode,
      errorMessage: error.message,
    })),
  }),
})

function wanted({ topics, topicNames }: DeleteTopicsRequest, apiVersion: number): DeleteTopicsRequest['topics'] {
  return apiVersion >= 6 ? topics : topicNames.map(name => ({ name, topicId: ZERO_UUID }))
}
