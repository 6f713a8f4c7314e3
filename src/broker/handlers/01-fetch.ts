import { ErrorCode, type MessageInput } from '../../protocol/index.ts'
import { FetchRequest, FetchResponse } from '../../protocol/messages/01-fetch.ts'
import type { FetchAnswer, FetchParams, FetchPartitionResult } from '../../replication/index.ts'
import { leaderEndpoints } from '../advertised-address.ts'
import { handler, type RequestContext } from '../handler.ts'

/** The first versions whose readers know messages of format 1, batches of format 2, zstd, and KAFKA_STORAGE_ERROR. */
const FIRST_WITH = { timestamps: 2, batches: 4, storageError: 6, zstd: 10 }
const READ_COMMITTED = 1

/**
 * Fetch, key 1. v0-3: records are converted to format 0 or 1 (KIP-283). v7+: incremental sessions (KIP-227). v11+: from any replica (KIP-392). v13+: by topic id. v15+: the
 * follower's id is in a tagged field.
 */
export const fetch = handler(FetchRequest, FetchResponse, {
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
      ...(apiVersion < FIRST_WITH.zstd ? limitsOfOldReader(apiVersion) : {}),
    } as const
    const results = services.replicas.fetch(session.partitions, params, connection)
    const reply = (found: readonly FetchPartitionResult[]): MessageInput<typeof FetchResponse> => {
      const known = apiVersion < FIRST_WITH.storageError ? found.map(withKnownError) : found
      return answer(session.answer(known), known, context)
    }
    return results instanceof Promise ? results.then(reply) : reply(results)
  },
  failed: error => ({ errorCode: error.errorCode }),
})

function limitsOfOldReader(apiVersion: number): Pick<FetchParams, 'legacyMagic' | 'isBeforeZstd'> {
  if (apiVersion >= FIRST_WITH.batches) return { isBeforeZstd: true }
  return { isBeforeZstd: true, legacyMagic: apiVersion < FIRST_WITH.timestamps ? 0 : 1 }
}

/** Clients that do not know KAFKA_STORAGE_ERROR are told to look for another leader, which makes them ask again. */
function withKnownError(result: FetchPartitionResult): FetchPartitionResult {
  if (result.errorCode !== ErrorCode.KAFKA_STORAGE_ERROR) return result
  return { ...result, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }
}

function answer(
  fetched: FetchAnswer,
  results: readonly FetchPartitionResult[],
  context: RequestContext,
): MessageInput<typeof FetchResponse> {
  if (context.apiVersion < 16) return fetched
  return {
    nodeEndpoints: leaderEndpoints(
      results.map(({ currentLeader }) => currentLeader.leaderId),
      context,
    ),
    ...fetched,
  }
}
