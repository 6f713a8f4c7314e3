import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from '../../protocol/messages/25-add-offsets-to-txn.ts'
import { handler } from '../handler.ts'

/** AddOffsetsToTxn, key 25: a group whose offsets a transaction is going to commit. */
export const addOffsetsToTxn = handler(AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, {
  handle: (request, { services, apiVersion }) => services.transactions.addOffsetsToTxn(request, { apiVersion }),
  failed: ({ errorCode }) => ({ errorCode }),
})
