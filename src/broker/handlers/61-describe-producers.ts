import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { DescribeProducersRequest, DescribeProducersResponse } from '../../protocol/messages/61-describe-producers.ts'
import { handler, type RequestContext } from '../handler.ts'

/** DescribeProducers, key 61: what partitions remember of idempotent and transactional producers (KIP-664). */
export const describeProducers = handler(DescribeProducersRequest, DescribeProducersResponse, {
  handle: (request, context) => ({
    topics: request.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partition => answerOne(name, partition, context)),
    })),
  }),
  failed: ({ errorCode, message }, { topics }) => ({
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, errorCode, errorMessage: message })),
    })),
  }),
})

function answerOne(topic: string, partitionIndex: number, { services }: RequestContext) {
  try {
    const log = services.replicas.partition(topic, partitionIndex).logFor(-1, false)
    return { partitionIndex, errorCode: ErrorCode.NONE, activeProducers: log.producerStates() }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { partitionIndex, errorCode: error.errorCode, errorMessage: error.message }
  }
}
