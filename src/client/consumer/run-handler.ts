import { KafkaError } from '../../protocol/index.ts'
import { checkSignal, onAbort } from '../abortable.ts'
import { checkFields, type KnownFields } from '../checked-items.ts'
import { partitionForKey } from '../producer/murmur2.ts'
import { isThenable } from '../thenable.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { Delivery } from './deliveries.ts'
import type { RecordSource } from './record-iterator.ts'
import { takeUntil } from './take-until.ts'

/** How {@link Consumer.run} calls the handler. */
export interface RunOptions {
  /** Calls that may be under way at once; 1 when left out. */
  readonly concurrency?: number
  /** What keeps its order: the records of a partition, or only those of a key, which makes one partition concurrent too. */
  readonly order?: 'partition' | 'key'
  /** Ends the run when the calls under way are over. */
  readonly signal?: AbortSignal
}

const OPTIONS: KnownFields<RunOptions> = { concurrency: true, order: true, signal: true }

type Handler<K, V> = (record: ConsumerRecord<K, V>) => unknown

const ORDERS: readonly unknown[] = ['partition', 'key'] satisfies RunOptions['order'][]

/** @throws KafkaError INVALID_REQUEST for options that would have no effect, or not the one that was meant, where no compiler looks */
function checkOptions(options: RunOptions): void {
  checkFields('run()', options, OPTIONS)
  const { concurrency = 1, order = 'partition', signal } = options
  const refuse = (what: string): never => {
    throw new KafkaError('INVALID_REQUEST', what)
  }
  if (!(Number.isSafeInteger(concurrency) && concurrency >= 1))
    refuse(`concurrency: ${concurrency} is not a number of calls: give 1 or more`)
  if (!ORDERS.includes(order)) refuse(`order: ${String(order)} is neither partition nor key`)
  checkSignal(signal)
}

/** Calls `handler` with every record of `source` until that ends; see {@link Consumer.run}. No call is under way when it settles. */
export async function runHandler<K, V>(
  source: RecordSource<K, V>,
  handler: Handler<K, V>,
  options: RunOptions,
): Promise<void> {
  checkOptions(options)
  const { concurrency = 1, order = 'partition', signal } = options
  const over = new AbortController()
  const stop = (): void => over.abort()
  if (signal?.aborted) stop()
  const forget = signal && onAbort(signal, stop)
  const worker = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const delivery = source.takeNow() ?? (await takeUntil(source, over.signal))
      if (delivery === undefined) return
      try {
        if (order === 'key' && concurrency > 1) {
          await byKey(source, delivery, { handler, over: over.signal, lanes: concurrency })
        } else await inOrder(source, delivery, { handler, over: over.signal })
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
    await allOver(Array.from({ length: workers }, worker))
  } finally {
    forget?.()
  }
}

/** Resolves when all are over. @throws what one of them was rejected with */
async function allOver(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) if (result.status === 'rejected') throw result.reason
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
    if (isThenable(working)) await working
    source.reached(delivery, records[index + 1]?.offset ?? nextOffset)
  }
}

/**
 * The records of a delivery at once, those of a key after each other. What comes before the first record that was not worked on counts:
 * where the work ends early, what was done behind it is done again.
 */
async function byKey<K, V>(
  source: RecordSource<K, V>,
  delivery: Delivery<K, V>,
  { handler, over, lanes }: { readonly handler: Handler<K, V>; readonly over: AbortSignal; readonly lanes: number },
): Promise<void> {
  const { records, nextOffset } = delivery
  const byLane = Array.from({ length: lanes }, (): number[] => [])
  for (const [index, { keyBytes }] of records.entries()) {
    const lane = keyBytes === null ? index % lanes : partitionForKey(keyBytes, lanes)
    byLane[lane]!.push(index)
  }
  const isDone = new Uint8Array(records.length)
  let isFailing = false
  const work = async (lane: readonly number[]): Promise<void> => {
    for (const index of lane) {
      if (isFailing || over.aborted || !source.mayGoOn(delivery)) return
      try {
        await handler(records[index]!)
        isDone[index] = 1
      } catch (error) {
        isFailing = true
        throw error
      }
    }
  }
  try {
    await allOver(byLane.map(work))
  } finally {
    const first = isDone.indexOf(0)
    source.reached(delivery, first === -1 ? nextOffset : records[first]!.offset)
  }
}
