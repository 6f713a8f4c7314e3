/** What runs in a thread of `nodeWorkers`: takes one job after the other and answers each. */
import { parentPort } from 'node:worker_threads'
import type { WorkerAnswer, WorkerRequest } from './node-workers.ts'
import { type Job, packed } from './workers.ts'

let last: Promise<void> = Promise.resolve()

parentPort?.on('message', (request: WorkerRequest) => {
  last = last.then(() => answer(request))
})

async function answer({ id, module, name, input }: WorkerRequest): Promise<void> {
  try {
    const exports = (await import(module)) as Record<string, Job<object, object>>
    const job = exports[name]
    if (job === undefined) throw new Error(`${module} exports no job ${name}`)
    const { data, memory } = packed(await job.run(input))
    parentPort?.postMessage({ id, output: data } satisfies WorkerAnswer, memory)
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    parentPort?.postMessage({ id, error: { message, stack } } satisfies WorkerAnswer)
  }
}
