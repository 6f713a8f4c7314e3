import type { Clock } from '../../platform/index.ts'
import { KafkaError } from '../../protocol/index.ts'
import { inTime } from '../deadline.ts'
import type { ConsumerRecord } from './consumer-record.ts'
import type { RecordSource } from './record-iterator.ts'
import { type RunOptions, runHandler } from './run-handler.ts'

/** The runs of a consumer's handlers that are under way, so that its close can wait for them. */
export class HandlerRuns<K, V> {
  readonly #running = new Set<Promise<void>>()
  #isCalling = false

  /** Calls `handler` as {@link runHandler} does. */
  start(source: RecordSource<K, V>, handler: (record: ConsumerRecord<K, V>) => unknown, options: RunOptions) {
    if (typeof handler !== 'function') {
      const message = `run() takes the function that gets each record, not ${typeof handler}`
      return Promise.reject(new KafkaError('INVALID_REQUEST', message))
    }
    const called = (record: ConsumerRecord<K, V>): unknown => {
      this.#isCalling = true
      try {
        return handler(record)
      } finally {
        this.#isCalling = false
      }
    }
    const run = runHandler(source, called, options)
    const settled = run.catch(() => undefined).finally(() => this.#running.delete(settled))
    this.#running.add(settled)
    return run
  }

  /** A handler is in the part of it that comes before its first `await`: whoever asks is that handler. */
  get isCalling(): boolean {
    return this.#isCalling
  }

  /** Resolves when none is under way any more, or after `timeoutMs`. */
  async ended(clock: Clock, timeoutMs: number): Promise<void> {
    if (this.#running.size > 0) await inTime(Promise.all(this.#running), clock, timeoutMs)
  }
}
