import { CreateTopicsRequest, CreateTopicsResponse } from '../../protocol/messages/19-create-topics.ts'
import { handler } from '../handler.ts'

/**
 * CreateTopics, key 19. v1: the client may ask only whether it could be done. v5: the answer tells partitions, replicas
 * and settings (KIP-525). v7: and the topic's id. The topic is there when the answer comes, so the timeout has no use.
 */
export const createTopics = handler(CreateTopicsRequest, CreateTopicsResponse, {
  answersInTurns: true,
  handle: async ({ topics, validateOnly }, { services, apiVersion }) => ({
    topics: await services.controller.createTopics(topics, { validateOnly, describe: apiVersion >= 5 }),
  }),
  failed: (error, { topics }) => ({
    topics: topics.map(({ name }) => ({ name, errorCode: error.errorCode, errorMessage: error.message })),
  }),
})
