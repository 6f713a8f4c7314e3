import { EPOCH_PER_TRANSACTION } from '../../coordinator/index.ts'
import { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/26-end-txn.ts'
import { handler } from '../handler.ts'

/** EndTxn, key 26: commits or aborts. The answer to v5 brings the next epoch (KIP-890), where transaction.version is 2. */
export const endTxn = handler(EndTxnRequest, EndTxnResponse, {
  sinceTransactionVersion: { version: 5, level: EPOCH_PER_TRANSACTION },
  handle: (request, { services, apiVersion }) => services.transactions.endTxn(request, { apiVersion }),
  failed: ({ errorCode }) => ({ errorCode }),
})
