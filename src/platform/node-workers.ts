import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Job, packed, type Workers } from './workers.ts'

/** Threads at most: jobs are rare, and each thread takes some 10 MB. */
const MAX_THREADS = 4
/** A thread that has nothing to do keeps the memory of its last jobs; after so long it is ended. */
const IDLE_MS = 10_000

/** What a thread is asked. */
export interface WorkerRequest {
  readonly id: number
  readonly module: string
  readonly name: string
  readonly input: object
}

/** What it answers. */
export type WorkerAnswer =
  | { readonly id: number; readonly output: object }
  | { readonly id: number; readonly error: { readonly message: string; readonly stack: string | undefined } }

interface Pending {
  readonly resolve: (output: object) => void
  readonly reject: (error: Error) => void
}

/**
 * Threads of this process, made when they are needed and ended when they have been idle for a while. A job goes to the thread with the least to do, and
 * each thread works in order. As many jobs may wait as callers hand in: they bound that by the memory of their requests.
 */
export function nodeWorkers(
  maxThreads: number = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1)),
  idleMs: number = IDLE_MS,
): Workers {
  const threads = new Set<Thread>()
  let isClosed = false
  const idlest = (): Thread => {
    const [first, ...others] = threads
    const least = others.reduce<Thread | undefined>((best, one) => (best && best.load <= one.load ? best : one), first)
    if (least !== undefined && (least.load === 0 || threads.size >= maxThreads)) return least
    const thread = new Thread({ idleMs, onEnd: () => threads.delete(thread) })
    threads.add(thread)
    return thread
  }
  return {
    async run<Input extends object, Output extends object>(job: Job<Input, Output>, input: Input): Promise<Output> {
      if (isClosed) throw new Error('the workers are closed')
      return (await idlest().run(job, input)) as Output
    },
    async close() {
      isClosed = true
      await Promise.all([...threads].map(thread => thread.end()))
    },
  }
}

class Thread {
  readonly #worker = new Worker(new URL('./worker-thread.js', import.meta.url))
  readonly #pending = new Map<number, Pending>()
  readonly #idleMs: number
  readonly #onEnd: () => void
  #idleTimer: NodeJS.Timeout | undefined
  #lastId = 0

  /** `onEnd` is called, perhaps twice, when no job may be given to the thread any more. */
  constructor({ idleMs, onEnd }: { readonly idleMs: number; readonly onEnd: () => void }) {
    this.#idleMs = idleMs
    this.#onEnd = onEnd
    this.#worker.unref()
    this.#worker.on('message', (answer: WorkerAnswer) => this.#answered(answer))
    const died = (error: Error): void => {
      onEnd()
      for (const { reject } of this.#pending.values()) reject(error)
      this.#pending.clear()
    }
    this.#worker.once('error', error => died(error instanceof Error ? error : new Error(String(error))))
    this.#worker.once('exit', code => died(new Error(`a worker thread ended with ${code}`)))
  }

  /** Jobs that it has not answered. */
  get load(): number {
    return this.#pending.size
  }

  run({ module, name }: { readonly module: string; readonly name: string }, input: object): Promise<object> {
    clearTimeout(this.#idleTimer)
    const id = ++this.#lastId
    const { data, memory } = packed(input)
    const request: WorkerRequest = { id, module, name, input: data }
    return new Promise((resolve, reject) => {
      this.#worker.postMessage(request, memory)
      if (this.#pending.size === 0) this.#worker.ref()
      this.#pending.set(id, { resolve, reject })
    })
  }

  #rest(): void {
    this.#worker.unref()
    this.#idleTimer = setTimeout(() => {
      this.#onEnd()
      void this.end()
    }, this.#idleMs).unref()
  }

  async end(): Promise<void> {
    clearTimeout(this.#idleTimer)
    await this.#worker.terminate()
  }

  #answered(answer: WorkerAnswer): void {
    const pending = this.#pending.get(answer.id)
    this.#pending.delete(answer.id)
    if (this.#pending.size === 0) this.#rest()
    if ('output' in answer) {
      pending?.resolve(answer.output)
      return
    }
    const error = new Error(answer.error.message)
    if (answer.error.stack !== undefined) error.stack = answer.error.stack
    pending?.reject(error)
  }
}
