import { ErrorCode, KafkaError, type MessageInput } from '../../protocol/index.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/02-list-offsets.ts'
import { legacyOffsets, listOffset, OffsetSpec } from '../../replication/index.ts'
import { handler, type RequestContext } from '../handler.ts'

type AskedPartition = ListOffsetsRequest['topics'][number]['partitions'][number]
type Answer = NonNullable<NonNullable<MessageInput<typeof ListOffsetsResponse>['topics']>[number]['partitions']>[number]

const DEBUGGING_CONSUMER = -2
const CONSUMER = -1
const READ_COMMITTED = 1

/** Timestamps below 0 that stand for something else, and the first version that knows each. */
const FIRST_VERSION: ReadonlyMap<number, number> = new Map([
  [OffsetSpec.LATEST, 0],
  [OffsetSpec.EARLIEST, 0],
  [OffsetSpec.MAX_TIMESTAMP, 7],
  [OffsetSpec.EARLIEST_LOCAL, 8],
  [OffsetSpec.LATEST_TIERED, 9],
  [OffsetSpec.EARLIEST_PENDING_UPLOAD, 11],
])

/**
 * ListOffsets, key 2. v0 answers with start offsets of segments, v1+ with one offset. v2: isolation level. v4: leader
 * epochs (KIP-320). v7, v8, v9, v11: more special timestamps.
 */
export const listOffsets = handler(ListOffsetsRequest, ListOffsetsResponse, {
  handle: (request, context) => {
    const repeated = repeatedPartitions(request)
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(partition =>
          repeated.has(`${name}/${partition.partitionIndex}`)
            ? { partitionIndex: partition.partitionIndex, errorCode: ErrorCode.INVALID_REQUEST }
            : answerOne(name, partition, { request, context }),
        ),
      })),
    }
  },
  failed: ({ errorCode }, request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
})

/** Partitions that a request names more than once: it is not clear then which of the answers is meant. */
function repeatedPartitions({ topics }: ListOffsetsRequest): ReadonlySet<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${name}/${partitionIndex}`
      if (seen.has(key)) repeated.add(key)
      seen.add(key)
    }
  }
  return repeated
}

function answerOne(
  topic: string,
  asked: AskedPartition,
  { request, context }: { readonly request: ListOffsetsRequest; readonly context: RequestContext },
): Answer {
  const { apiVersion, services } = context
  const { partitionIndex, timestamp, currentLeaderEpoch } = asked
  if (timestamp < 0 && apiVersion < (FIRST_VERSION.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
    return { partitionIndex, errorCode: ErrorCode.UNSUPPORTED_VERSION }
  }
  const requireLeader = request.replicaId !== DEBUGGING_CONSUMER
  const isClient = request.replicaId === CONSUMER
  try {
    const partition = services.replicas.partition(topic, partitionIndex)
    if (apiVersion === 0) {
      const { maxNumOffsets: maxOffsets } = asked
      const nowMs = services.clock.now()
      const how = { timestamp, maxOffsets, isClient, requireLeader, nowMs }
      return { partitionIndex, oldStyleOffsets: legacyOffsets(partition, how) }
    }
    const ofClient = request.isolationLevel === READ_COMMITTED ? 'committed' : 'high_watermark'
    const isolation = isClient ? ofClient : undefined
    const found = listOffset(partition, { timestamp, currentLeaderEpoch, isolation, requireLeader })
    if (!found) return { partitionIndex }
    const { leaderEpoch, ...offset } = found
    return { partitionIndex, ...offset, ...(apiVersion >= 4 ? { leaderEpoch } : {}) }
  } catch (error) {
    return { partitionIndex, errorCode: codeOf(error, context) }
  }
}

function codeOf(error: unknown, { apiVersion, services }: RequestContext): number {
  if (!(error instanceof KafkaError)) {
    services.logger.error({ err: error }, 'Error while responding to offset request')
    return ErrorCode.UNKNOWN_SERVER_ERROR
  }
  // Clients before v5 do not know OFFSET_NOT_AVAILABLE; this makes them ask again.
  if (error.code === 'OFFSET_NOT_AVAILABLE' && apiVersion < 5) return ErrorCode.LEADER_NOT_AVAILABLE
  return error.errorCode
}
