import { DESCRIBE_PRODUCERS, WRITE_MARKERS } from './apis.ts'
import type { Peer } from './peer.ts'
import type { World } from './world.ts'

/**
 * What an operator does about transactions that nobody will end, because their coordinator lost them with the power
 * (KIP-664, `kafka-transactions.sh abort`): finds them in the partitions that hold them, and aborts them there.
 */
export async function abortHangingTransactions(world: World, peer: Peer): Promise<void> {
  const places = [...world.settings.topics, { name: '__consumer_offsets', partitions: 1 }].flatMap(topic =>
    Array.from({ length: topic.partitions }, (_, partition) => ({ name: topic.name, partition })),
  )
  for (const { name, partition } of places) {
    const { topics } = await peer.call(DESCRIBE_PRODUCERS, { topics: [{ name, partitionIndexes: [partition] }] })
    for (const producer of topics[0]!.partitions[0]!.activeProducers) {
      if (producer.currentTxnStartOffset < 0) continue
      const { producerId, producerEpoch, coordinatorEpoch } = producer
      const where = [{ name, partitionIndexes: [partition] }]
      const marker = { producerId, producerEpoch, coordinatorEpoch, transactionResult: false, topics: where }
      const { markers } = await peer.call(WRITE_MARKERS, { markers: [marker] })
      const errorCode = markers[0]?.topics[0]?.partitions[0]?.errorCode
      if (errorCode !== 0) world.fail(`the transaction of ${producerId} in ${name}-${partition}: error ${errorCode}`)
      world.count('hanging transaction aborted')
    }
  }
}
