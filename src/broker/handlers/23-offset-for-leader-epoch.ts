import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../../protocol/messages/23-offset-for-leader-epoch.ts'
import { handler, type RequestContext } from '../handler.ts'

type AskedPartition = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number]

/**
 * OffsetForLeaderEpoch, key 23: where a leader epoch ended, for followers and consumers that look whether their log or
 * position left the leader's (KIP-101, KIP-320).
 */
export const offsetForLeaderEpoch = handler(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, {
  handle: (request, context) => ({
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(partition => answerOne(topic, partition, context)),
    })),
  }),
  failed: ({ errorCode }, { topics }) => ({
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode })),
    })),
  }),
})

function answerOne(topic: string, asked: AskedPartition, { services }: RequestContext) {
  const { partition, currentLeaderEpoch, leaderEpoch } = asked
  try {
    const log = services.replicas.partition(topic, partition).logFor(currentLeaderEpoch, true)
    const end = log.offsetForLeaderEpoch(leaderEpoch)
    return { partition, errorCode: ErrorCode.NONE, leaderEpoch: end.epoch, endOffset: end.endOffset }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { partition, errorCode: error.errorCode }
  }
}
