import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.ts'
import type { DeleteRecordsResult } from '../../replication/index.ts'
import { handler } from '../handler.ts'

/** DeleteRecords, key 21: moves the start of partitions forward (KIP-107). */
export const deleteRecords = handler(DeleteRecordsRequest, DeleteRecordsResponse, {
  handle: (request, { services }) => {
    const entries = request.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, offset }) => ({ topic: name, partition: partitionIndex, offset })),
    )
    const results = services.replicas.deleteRecords(entries, request.timeoutMs)
    return results instanceof Promise ? results.then(late => answer(request, late)) : answer(request, results)
  },
  failed: ({ errorCode }, { topics }) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
    })),
  }),
})

/** Puts the results back under their topics. */
function answer({ topics }: DeleteRecordsRequest, results: readonly DeleteRecordsResult[]) {
  let next = 0
  return {
    topics: topics.map(({ name, partitions }) => {
      const from = next
      next += partitions.length
      return { name, partitions: results.slice(from, next) }
    }),
  }
}
