import type { PartitionName, ProducerMarker } from '../../coordinator/index.ts'
import { ErrorCode, NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../protocol/index.ts'
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from '../../protocol/messages/27-write-txn-markers.ts'
import { handler, type RequestContext } from '../handler.ts'

type RequestedMarker = WriteTxnMarkersRequest['markers'][number]

/**
 * WriteTxnMarkers, key 27: ends transactions in partitions that this broker leads, for their coordinators elsewhere and
 * for administrators who abort a hanging one (KIP-664). v2 is newer than Kafka 3.9.
 */
export const writeTxnMarkers = handler(WriteTxnMarkersRequest, WriteTxnMarkersResponse, {
  versions: { min: 0, max: 1 },
  handle: async (request, context) => ({
    markers: await Promise.all(request.markers.map(marker => write(marker, context))),
  }),
  failed: ({ errorCode }, request) => ({ markers: request.markers.map(marker => answer(marker, () => errorCode)) }),
})

async function write(requested: RequestedMarker, { services }: RequestContext) {
  const { producerId, producerEpoch, coordinatorEpoch, topics } = requested
  const result = requested.transactionResult ? 'commit' : 'abort'
  const marker: ProducerMarker = { producerId, producerEpoch, coordinatorEpoch, result }
  const names: PartitionName[] = topics.flatMap(({ name, partitionIndexes }) =>
    partitionIndexes.map(partition => ({ topic: name, partition })),
  )
  if (!canBeWritten(marker) && names.some(({ topic, partition }) => services.replicas.hosted.find(topic, partition))) {
    return answer(requested, () => ErrorCode.UNKNOWN_SERVER_ERROR)
  }
  const errors = await services.markers.write(marker, names)
  let next = 0
  return answer(requested, () => ErrorCode[errors[next++] ?? 'UNKNOWN_SERVER_ERROR'])
}

/** There are no control batches of nobody, or of no epoch. */
function canBeWritten({ producerId, producerEpoch }: ProducerMarker): boolean {
  return producerId !== NO_PRODUCER_ID && producerEpoch !== NO_PRODUCER_EPOCH
}

/** `errorCodeOf` is asked once a partition, in order. */
function answer({ producerId, topics }: RequestedMarker, errorCodeOf: () => number) {
  return {
    producerId,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, errorCode: errorCodeOf() })),
    })),
  }
}
