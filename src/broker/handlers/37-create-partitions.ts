import { CreatePartitionsRequest, CreatePartitionsResponse } from '../../protocol/messages/37-create-partitions.ts'
import { handler } from '../handler.ts'

/** CreatePartitions, key 37: adds partitions to topics. They are there when the answer comes. */
export const createPartitions = handler(CreatePartitionsRequest, CreatePartitionsResponse, {
  handle: async ({ topics, validateOnly }, { services }) => ({
    results: await services.controller.createPartitions(topics, { validateOnly }),
  }),
  failed: (error, { topics }) => ({
    results: topics.map(({ name }) => ({ name, errorCode: error.errorCode, errorMessage: error.message })),
  }),
})
