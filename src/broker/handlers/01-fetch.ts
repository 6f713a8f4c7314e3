import type { MessageInput } from '../../protocol/index.ts'
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts'
import type { FetchAnswer, FetchPartitionResult } from '../../replication/index.ts'
import { leaderEndpoints } from '../advertised-address.ts'
import { handler, type RequestContext } from '../handler.ts'

/** The first version whose readers know record batches of format 2; older ones need conversion. */
const FIRST_WITH_BATCHES = 4
const READ_COMMITTED = 1

/**
 * Fetch, key 1. v7+: incremental sessions (KIP-227). v11+: from any replica (KIP-392). v13+: by topic id. v15+: the
 * follower's id is in a tagged field.
 */
export const fetch = handler(FetchRequest, FetchResponse, {
  versions: { min: FIRST_WITH_BATCHES, max: FetchRequest.versions.max },
  handle: (request, context) => {
    const { services, apiVersion, connection } = context
    const image = services.metadata.image()
    const session = services.fetchSessions.open(request, apiVersion, topicId => image.topicById(topicId)?.name)
    const replicaId = apiVersion >= 15 ? request.replicaState.replicaId : request.replicaId
    const isolation = request.isolationLevel === READ_COMMITTED ? 'committed' : 'high_watermark'
    const params = {
      maxWaitMs: request.maxWaitMs,
      minBytes: request.minBytes,
      maxBytes: request.maxBytes,
      isolation: replicaId >= 0 ? ('log_end' as const) : isolation,
      replicaId,
      fromAnyReplica: replicaId < 0 && (apiVersion >= 11 || replicaId === -2),
    } as const
    const results = services.replicas.fetch(session.partitions, params, connection)
    if (results instanceof Promise) return results.then(late => answer(session.answer(late), late, context))
    return answer(session.answer(results), results, context)
  },
  failed: error => ({ errorCode: error.errorCode }),
})

function answer(
  fetched: FetchAnswer,
  results: readonly FetchPartitionResult[],
  context: RequestContext,
): MessageInput<typeof FetchResponse> {
  if (context.apiVersion < 16) return fetched
  return {
    ...fetched,
    nodeEndpoints: leaderEndpoints(
      results.map(({ currentLeader }) => currentLeader.leaderId),
      context,
    ),
  }
}
