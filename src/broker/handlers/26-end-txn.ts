import { EndTxnRequest, EndTxnResponse } from '../../protocol/messages/26-end-txn.ts'
import { handler } from '../handler.ts'

/**
 * EndTxn, key 26: commits or aborts. v5, whose answer brings the next epoch, is for clusters that have finalized
 * transaction.version 2, which a broker in ZooKeeper mode cannot; like there, v4 is the last.
 */
export const endTxn = handler(EndTxnRequest, EndTxnResponse, {
  versions: { min: 0, max: 4 },
  handle: (request, { services, apiVersion }) => services.transactions.endTxn(request, { apiVersion }),
  failed: ({ errorCode }) => ({ errorCode }),
})
