import { checkSignal } from '../abortable.ts'
import type { ConsumerBatch } from './consumer-options.ts'
import type { RecordSource } from './record-iterator.ts'
import { takeUntil } from './take-until.ts'

/**
 * Batch by batch; see {@link Consumer.batches}. A signal that is aborted ends the loop where it asks for the next one.
 * @throws KafkaError INVALID_REQUEST for a signal that is none
 */
export async function* batchesOf<K, V>(
  source: RecordSource<K, V>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ConsumerBatch<K, V>, void, undefined> {
  checkSignal(signal)
  while (!signal?.aborted) {
    const delivery = await (signal === undefined ? source.take() : takeUntil(source, signal))
    if (delivery === undefined) return
    const { partition, records, nextOffset } = delivery
    const { topic, partition: number, highWatermark } = partition
    try {
      yield { topic, partition: number, records, highWatermark }
      source.reached(delivery, nextOffset)
    } finally {
      source.done(delivery)
    }
  }
}
