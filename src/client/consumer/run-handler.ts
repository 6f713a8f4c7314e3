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

/** Calls `handler` with every record of `source` until that ends; see {@link Consumer.run}. */
export async function runHandler<K, V>(
  source: RecordSource<K, V>,
  handler: Handler<K, V>,
  { concurrency = 1, order = 'partition', signal }: RunOptions,
): Promise<void> {
  if (!(concurrency >= 1)) throw new RangeError(`concurrency: ${concurrency} is not a number of calls`)
  const state = { isOver: signal?.aborted ?? false }
  const stop = (): void => {
    state.isOver = true
  }
  signal?.addEventListener('abort', stop, { once: true })
  const worker = async (): Promise<void> => {
    while (!state.isOver) {
      const delivery = source.takeNow() ?? (await takeUnless(source, signal))
      if (delivery === undefined) return
      try {
        if (order === 'key' && concurrency > 1) await byKey(source, delivery, { handler, lanes: concurrency })
        else await inOrder(source, delivery, { handler, state })
      } catch (error) {
        stop()
        throw error
      } finally {
        source.done(delivery)
      }
    }
  }
  const workers = order === 'key' ? 1 : concurrency
  try {
    await Promise.all(Array.from({ length: workers }, worker))
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

async function takeUnless<K, V>(source: RecordSource<K, V>, signal: AbortSignal | undefined) {
  if (signal === undefined) return source.take()
  const taking = source.take()
  let end = (): void => {}
  const ended = new Promise<undefined>(resolve => {
    end = () => resolve(undefined)
    signal.addEventListener('abort', end, { once: true })
  })
  try {
    const delivery = await Promise.race([taking, ended])
    // What comes after the end is given back untouched, and an error is for whoever asks next.
    if (delivery === undefined) {
      taking.then(
        late => late && source.done(late),
        () => undefined,
      )
    }
    return delivery
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** One record after the other; goes on in the same turn of the loop where the handler returns no promise. */
async function inOrder<K, V>(
  source: RecordSource<K, V>,
  delivery: Delivery<K, V>,
  { handler, state }: { readonly handler: Handler<K, V>; readonly state: { readonly isOver: boolean } },
): Promise<void> {
  const { records, nextOffset } = delivery
  for (let index = 0; index < records.length; index++) {
    if (state.isOver || !source.mayGoOn(delivery)) return
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
  await Promise.all(
    byLane.map(async records => {
      for (const record of records) await handler(record)
    }),
  )
  source.reached(delivery, delivery.nextOffset)
}
