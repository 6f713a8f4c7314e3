import { abortable } from '../abortable.ts'
import type { Delivery } from './deliveries.ts'
import type { RecordSource } from './record-iterator.ts'

/** The next records; undefined when there will be none, or when `over` is aborted first. */
export async function takeUntil<K, V>(
  source: RecordSource<K, V>,
  over: AbortSignal,
): Promise<Delivery<K, V> | undefined> {
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
