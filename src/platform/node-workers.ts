import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Job, packed, type Workers } from './workers.ts'

/** Threads at most: jobs are rare, and each thread takes some 10 MB. */
const MAX_THREADS = 4

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
 * Threads of this process, made when they are first needed and kept. A job goes to the thread with the least to do, and
 * each thread works in order. As many jobs may wait as callers hand in: they bound that by the memory of their requests.
 */
export function nodeWorkers(maxThreads = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1))): Workers {
  const threads = new Set<Thread>()
  let isClosed = false
  const idlest = (): Thread => {
    const [first, ...others] = threads
    const least = others.reduce<Thread | undefined>((best, one) => (best && best.load <= one.load ? best : one), first)
    if (least !== undefined && (least.load === 0 || threads.size >= maxThreads)) return least
    const thread = new Thread(() => threads.delete(thread))
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
  #lastId = 0

  constructor(onEnd: () => void) {
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
    const id = ++this.#lastId
    const { data, memory } = packed(input)
    const request: WorkerRequest = { id, module, name, input: data }
    return new Promise((resolve, reject) => {
      this.#worker.postMessage(request, memory)
      if (this.#pending.size === 0) this.#worker.ref()
      this.#pending.set(id, { resolve, reject })
    })
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #answered(answer: WorkerAnswer): void {
    const pending = this.#pending.get(answer.id)
    this.#pending.delete(answer.id)
    if (this.#pending.size === 0) this.#worker.unref()
    if ('output' in answer) {
      pending?.resolve(answer.output)
      return
    }
    const error = new Error(answer.error.message)
    if (answer.error.stack !== undefined) error.stack = answer.error.stack
    pending?.reject(error)
  }
}
