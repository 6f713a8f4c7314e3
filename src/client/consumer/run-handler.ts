import { abortable, onAbort } from '../abortable.ts'
import { partitionForKey } from '../producer/murmur2.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { Delivery } from './deliveries.ts'
import type { RecordSource } from './record-iterator.ts'

/** How {@link Consumer.run} calls the handler. */
export interface RunOptions {
  /** Calls that may be under way at once; 1 when left out. */
  readonly concurrency?: number
  /** What keeps its order: the records of a partition, or only those of a key, which makes one partition concurrent too. */
  readonly order?: 'partition' | 'key'
  /** Ends the run when the calls under way are over. */
  readonly signal?: AbortSignal
}

type Handler<K, V> = (record: ConsumerRecord<K, V>) => unknown

/** Calls `handler` with every record of `source` until that ends; see {@link Consumer.run}. No call is under way when it settles. */
export async function runHandler<K, V>(
  source: RecordSource<K, V>,
  handler: Handler<K, V>,
  { concurrency = 1, order = 'partition', signal }: RunOptions,
): Promise<void> {
  if (!(concurrency >= 1)) throw new RangeError(`concurrency: ${concurrency} is not a number of calls`)
  const over = new AbortController()
  const stop = (): void => over.abort()
  if (signal?.aborted) stop()
  const forget = signal && onAbort(signal, stop)
  const worker = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const delivery = source.takeNow() ?? (await takeUntil(source, over.signal))
      if (delivery === undefined) return
      try {
        if (order === 'key' && concurrency > 1) await byKey(source, delivery, { handler, lanes: concurrency })
        else await inOrder(source, delivery, { handler, over: over.signal })
      } catch (error) {
        stop()
        throw error
      } finally {
        source.done(delivery)
      }
    }
  }
  const workers = order === 'key' ? 1 : concurrency
  await allOver(Array.from({ length: workers }, worker))
  forget?.()
}

/** Resolves when all are over. @throws what one of them was rejected with */
async function allOver(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) if (result.status === 'rejected') throw result.reason
}

/** The next records; undefined when there will be none, or when `over` is aborted first. */
async function takeUntil<K, V>(source: RecordSource<K, V>, over: AbortSignal): Promise<Delivery<K, V> | undefined> {
  const taking = source.take()
  try {
    return await abortable(taking, over)
  } catch (error) {
    if (!over.aborted) throw error
    // What comes after the end is given back untouched, and an error is for whoever asks next.
    taking.then(
      late => late && source.done(late),
      () => undefined,
    )
    return undefined
  }
}

/** One record after the other; goes on in the same turn of the loop where the handler returns no promise. */
async function inOrder<K, V>(
  source: RecordSource<K, V>,
  delivery: Delivery<K, V>,
  { handler, over }: { readonly handler: Handler<K, V>; readonly over: AbortSignal },
): Promise<void> {
  const { records, nextOffset } = delivery
  for (let index = 0; index < records.length; index++) {
    if (over.aborted || !source.mayGoOn(delivery)) return
    const working = handler(records[index]!)
    if (working instanceof Promise) await working
    source.reached(delivery, records[index + 1]?.offset ?? nextOffset)
  }
}

/** The records of a delivery at once, those of a key after each other. It counts as worked on as a whole. */
async function byKey<K, V>(
  source: RecordSource<K, V>,
  delivery: Delivery<K, V>,
  { handler, lanes }: { readonly handler: Handler<K, V>; readonly lanes: number },
): Promise<void> {
  const byLane = Array.from({ length: lanes }, (): ConsumerRecord<K, V>[] => [])
  for (const [index, record] of delivery.records.entries()) {
    const lane = record.keyBytes === null ? index % lanes : partitionForKey(record.keyBytes, lanes)
    byLane[lane]!.push(record)
  }
  let isFailing = false
  const work = async (records: readonly ConsumerRecord<K, V>[]): Promise<void> => {
    for (let at = 0; at < records.length && !isFailing; at++) {
      try {
        await handler(records[at]!)
      } catch (error) {
        isFailing = true
        throw error
      }
    }
  }
  await allOver(byLane.map(work))
  source.reached(delivery, delivery.nextOffset)
}
