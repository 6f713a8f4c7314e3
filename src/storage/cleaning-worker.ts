/** What runs in a cleaner's thread: one round of cleaning at a time, for {@link CleaningThread}. */
import { DiskError, nodeDisk, serveThread, systemClock } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import { driveCleaning } from './cleaning-runner.ts'
import type { FromCleaner, ToCleaner } from './cleaning-thread.ts'
import { IoThrottle } from './io-throttle.ts'

let groupPlaced: ((goOn: boolean) => void) | undefined

serveThread((message, reply) => {
  const order = message as ToCleaner
  if (order.kind === 'placed') groupPlaced?.(order.goOn)
  else void clean(order, reply)
})

async function clean(
  order: Extract<ToCleaner, { kind: 'clean' }>,
  reply: (message: FromCleaner) => void,
): Promise<void> {
  try {
    const result = await driveCleaning(order.task, nodeDisk, {
      throttle: new IoThrottle(systemClock, order.bytesPerSecond),
      isWanted: () => Atomics.load(order.stop, 0) === 0,
      onGroup: group => {
        reply({ kind: 'group', group })
        return new Promise(resolve => {
          groupPlaced = resolve
        })
      },
    })
    reply({ kind: 'done', result })
  } catch (error) {
    reply({ kind: 'failed', error: describe(error) })
  }
}

function describe(error: unknown): Extract<FromCleaner, { kind: 'failed' }>['error'] {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof DiskError) return { type: 'disk', code: error.code, path: error.path, message }
  if (error instanceof KafkaError) return { type: 'kafka', code: error.code, message }
  return { type: 'other', message }
}
