import {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { handler } from '../handler.ts'

/**
 * AddPartitionsToTxn, key 24: partitions that a transaction is going to write to. v0-3 come from producers, v4+ from
 * brokers, for several transactions, or only to verify (KIP-890).
 */
export const addPartitionsToTxn = handler(AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, {
  handle: (request, { services, apiVersion }) => services.transactions.addPartitionsToTxn(request, { apiVersion }),
  failed: ({ errorCode }, request, { apiVersion }) =>
    apiVersion >= 4
      ? { errorCode }
      : {
          resultsByTopicV3AndBelow: request.v3AndBelowTopics.map(({ name, partitions }) => ({
            name,
            resultsByPartition: partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode: errorCode })),
          })),
        },
})
