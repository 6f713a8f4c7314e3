import { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/43-elect-leaders.ts'
import { handler } from '../handler.ts'

/**
 * ElectLeaders, key 43. v0: the preferred replica (KIP-183). v1: or, when none in sync is alive, any that is (KIP-460);
 * the whole request may fail with one code.
 */
export const electLeaders = handler(ElectLeadersRequest, ElectLeadersResponse, {
  handle: async (request, { services }) => ({
    replicaElectionResults: await services.controller.electLeaders(request),
  }),
  failed: ({ errorCode, message }, { topicPartitions }) => ({
    errorCode,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map(partitionId => ({ partitionId, errorCode, errorMessage: message })),
    })),
  }),
})
