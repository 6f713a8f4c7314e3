import { holdProcess } from '../../platform/index.ts'
import type { KafkaError } from '../../protocol/index.ts'
import type { Deliveries, Delivery } from './deliveries.ts'
import type { RecordSource } from './record-iterator.ts'

/** What decides whether a consumer hands out records. */
export interface SourceParts {
  readonly isClosing: () => boolean
  /** Why it does not. */
  readonly trouble: () => KafkaError | undefined
  /** Something was looked for, or given back: there may be room to fetch more. */
  readonly taken: () => void
}

/** Records of a consumer, for whoever iterates. */
export function recordSource<K, V>(
  deliveries: Deliveries<K, V>,
  { isClosing, trouble, taken }: SourceParts,
): RecordSource<K, V> {
  const takeNow = (): Delivery<K, V> | undefined => {
    if (isClosing() || trouble() !== undefined) return undefined
    const delivery = deliveries.take()
    taken()
    return delivery
  }
  const take = async (): Promise<Delivery<K, V> | undefined> => {
    for (;;) {
      const delivery = takeNow()
      if (delivery !== undefined) return delivery
      if (isClosing()) return undefined
      const error = trouble()
      if (error !== undefined) throw error
      // While no broker can be reached there is no connection that would keep a program alive that only waits for records.
      using _ = holdProcess()
      await deliveries.arrival()
    }
  }
  return {
    take,
    takeNow,
    reached: (delivery, offset) => deliveries.reached(delivery, offset),
    done: delivery => {
      // Others may be waiting already for what has to be fetched again.
      if (deliveries.done(delivery) === 'rewound') taken()
    },
    mayGoOn: delivery =>
      !isClosing() && !deliveries.isHeld && !delivery.partition.isPaused && deliveries.counts(delivery),
  }
}

/** The same for a reader that does not know when the program is done with a record: what it read only the program commits. */
export function committedByHand<K, V>(source: RecordSource<K, V>): RecordSource<K, V> {
  return {
    ...source,
    reached: (delivery, offset) => {
      delivery.partition.isCommittedByHand = true
      source.reached(delivery, offset)
    },
  }
}
