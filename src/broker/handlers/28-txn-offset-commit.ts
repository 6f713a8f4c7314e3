import { EPOCH_PER_TRANSACTION, type PartitionName } from '../../coordinator/index.ts'
import { OFFSETS_TOPIC } from '../../metadata/index.ts'
import { ErrorCode, type ErrorName, type MessageInput } from '../../protocol/index.ts'
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from '../../protocol/messages/28-txn-offset-commit.ts'
import type { BrokerServices } from '../broker-services.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { AdditionOutcome, ImplicitWrite } from '../implicit-partitions.ts'
import { fencedAsInvalidEpoch, verifyWrite } from '../transaction-verification.ts'

const FIRST_WITH_ABORTABLE = 4
const FIRST_IMPLICIT = 5

/**
 * TxnOffsetCommit, key 28: offsets of a group that count when a transaction is committed. v3+: generation and member
 * (KIP-447). v5 makes the group part of the transaction by itself (KIP-890), where transaction.version is 2.
 */
export const txnOffsetCommit = handler(TxnOffsetCommitRequest, TxnOffsetCommitResponse, {
  sinceTransactionVersion: { version: FIRST_IMPLICIT, level: EPOCH_PER_TRANSACTION },
  handle: async (request, context) => {
    const { apiVersion, services } = context
    if (apiVersion >= FIRST_IMPLICIT) {
      return services.implicitPartitions.write(implicitWrite(request, services), outcomeOf =>
        services.groups.txnOffsetCommit(request, () => verify(request, context, outcomeOf)),
      )
    }
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

function implicitWrite(request: TxnOffsetCommitRequest, services: BrokerServices): ImplicitWrite {
  const { transactionalId, groupId, producerId, producerEpoch } = request
  return { transactionalId, producer: { producerId, producerEpoch }, names: [partitionOf(groupId, services)] }
}

function partitionOf(groupId: string, { groups }: BrokerServices): PartitionName {
  return { topic: OFFSETS_TOPIC, partition: groups.partitionFor(groupId) }
}

function verify(
  request: TxnOffsetCommitRequest,
  { apiVersion, services }: RequestContext,
  outcomeOf?: AdditionOutcome,
): ErrorName {
  const { transactionalId, groupId } = request
  const name = partitionOf(groupId, services)
  const addition = fencedAsInvalidEpoch(outcomeOf?.(name) ?? 'NONE')
  if (addition !== 'NONE') return addition
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
