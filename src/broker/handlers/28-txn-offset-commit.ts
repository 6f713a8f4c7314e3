import { OFFSETS_TOPIC } from '../../metadata/index.ts'
import { ErrorCode, type ErrorName, type MessageInput } from '../../protocol/index.ts'
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../protocol/messages/28-txn-offset-commit.ts'
import { handler, type RequestContext } from '../handler.ts'
import { verifyWrite } from '../transaction-verification.ts'

const FIRST_WITH_ABORTABLE = 4

/**
 * TxnOffsetCommit, key 28: offsets of a group that count when a transaction is committed. v3+: generation and member
 * (KIP-447). v5 adds the group to the transaction by itself, for clusters with transaction.version 2; it is not served.
 */
export const txnOffsetCommit = handler(TxnOffsetCommitRequest, TxnOffsetCommitResponse, {
  versions: { min: 0, max: 4 },
  handle: async (request, context) => {
    const { apiVersion, services } = context
    const response = await services.groups.txnOffsetCommit(request, () => verify(request, context))
    return apiVersion < 2 ? withOlderErrors(response) : response
  },
  failed: ({ errorCode }, request) => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }),
})

function verify(request: TxnOffsetCommitRequest, { apiVersion, services }: RequestContext): ErrorName {
  const { transactionalId, groupId } = request
  const name = { topic: OFFSETS_TOPIC, partition: services.groups.partitionFor(groupId) }
  const knowsAbortable = apiVersion >= FIRST_WITH_ABORTABLE
  return verifyWrite({ transactionalId, producer: request, name, knowsAbortable }, services)
}

/** The first clients took this one for another reason to try again. */
function withOlderErrors(
  response: MessageInput<typeof TxnOffsetCommitResponse>,
): MessageInput<typeof TxnOffsetCommitResponse> {
  const topics = (response.topics ?? []).map(topic => ({
    ...topic,
    partitions: (topic.partitions ?? []).map(partition =>
      partition.errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
        ? { ...partition, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }
        : partition,
    ),
  }))
  return { ...response, topics }
}
