import { DiskError, type ServiceThread, type Threads } from '../platform/index.ts'
import { type ErrorName, KafkaError } from '../protocol/index.ts'
import type { CleaningRun, CleaningRunner } from './cleaning-runner.ts'
import type { CleanedGroup, CleaningResult, CleaningTask } from './cleaning-task.ts'

/** What is said to a cleaner's thread. */
export type ToCleaner =
  | {
      readonly kind: 'clean'
      readonly task: CleaningTask
      readonly bytesPerSecond: number
      /** Shared: anything but 0 in its one element ends the round. */
      readonly stop: Int32Array
    }
  | { readonly kind: 'placed'; readonly goOn: boolean }

/** What a cleaner's thread says. */
export type FromCleaner =
  | { readonly kind: 'group'; readonly group: CleanedGroup }
  | { readonly kind: 'done'; readonly result: CleaningResult | undefined }
  | {
      readonly kind: 'failed'
      readonly error:
        | { readonly type: 'disk'; readonly code: string; readonly path: string; readonly message: string }
        | { readonly type: 'kafka'; readonly code: ErrorName; readonly message: string }
        | { readonly type: 'other'; readonly message: string }
    }

/** Runs rounds in a thread of its own, which is started for the first and ended when there is nothing more to do. */
export class CleaningThread implements CleaningRunner {
  readonly #threads: Threads
  #thread: ServiceThread | undefined
  #isDead = false
  #hear: (message: FromCleaner) => void = () => {}
  #fail: (error: Error) => void = () => {}

  constructor(threads: Threads) {
    this.#threads = threads
  }

  run(task: CleaningTask, { bytesPerSecond, signal, onGroup }: CleaningRun): Promise<CleaningResult | undefined> {
    const thread = this.#started()
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const end = (): void => void Atomics.store(stop, 0, 1)
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
    const done = new Promise<CleaningResult | undefined>((resolve, reject) => {
      let failure: Error | undefined
      const place = (goOn: boolean): void => thread.post({ kind: 'placed', goOn } satisfies ToCleaner)
      this.#fail = reject
      this.#hear = message => {
        if (message.kind === 'group') {
          onGroup(message.group).then(place, error => {
            // The round is over when the thread says so: its last word must not be taken for that of the next round.
            failure = error
            place(false)
          })
        } else if (failure !== undefined) reject(failure)
        else if (message.kind === 'done') resolve(message.result)
        else reject(errorOf(message.error))
      }
    })
    thread.post({ kind: 'clean', task, bytesPerSecond, stop } satisfies ToCleaner)
    return done.finally(() => signal.removeEventListener('abort', end))
  }

  get isDead(): boolean {
    return this.#isDead
  }

  async rest(): Promise<void> {
    const thread = this.#thread
    this.#thread = undefined
    await thread?.end()
  }

  #started(): ServiceThread {
    if (this.#thread !== undefined) return this.#thread
    const thread = this.#threads.start(new URL('./cleaning-worker.js', import.meta.url))
    thread.onMessage(message => this.#hear(message as FromCleaner))
    thread.onFailure(error => {
      if (this.#thread === thread) {
        this.#thread = undefined
        this.#isDead = true
      }
      this.#fail(error)
    })
    this.#thread = thread
    this.#isDead = false
    return thread
  }
}

function errorOf(error: Extract<FromCleaner, { kind: 'failed' }>['error']): Error {
  if (error.type === 'disk') return new DiskError(error.code, 'clean', error.path, error.message)
  return error.type === 'kafka' ? new KafkaError(error.code, error.message) : new Error(error.message)
}
