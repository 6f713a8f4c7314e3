import { parentPort, Worker } from 'node:worker_threads'

/** Threads beside the event loop, for work that would hold it up. Messages are copied (structured clone). */
export interface Threads {
  /** Starts a thread that runs a module, which calls {@link serveThread}. */
  start(module: URL): ServiceThread
}

/** One thread. It keeps the process alive until it is ended. */
export interface ServiceThread {
  post(message: unknown): void
  /** Sets who hears what the thread says. */
  onMessage(listener: (message: unknown) => void): void
  /** Sets who hears that the thread died of an error, or ended although nobody ended it. */
  onFailure(listener: (error: Error) => void): void
  /** Ends the thread wherever it is; resolves when it is gone. */
  end(): Promise<void>
}

/** The machine's threads. What needs a twin takes none of these and does the same work on the event loop. */
export const nodeThreads: Threads = {
  start(module) {
    const worker = new Worker(module)
    let isEnding = false
    return {
      post: message => worker.postMessage(message),
      onMessage: listener => void worker.on('message', listener),
      onFailure(listener) {
        worker.on('error', listener)
        worker.on('exit', code => {
          if (!isEnding) listener(new Error(`worker thread ended with code ${code}`))
        })
      },
      async end() {
        isEnding = true
        await worker.terminate()
      },
    }
  },
}

/** In a thread that {@link Threads.start} has started: `onMessage` gets what is posted, and may reply. */
export function serveThread(onMessage: (message: unknown, reply: (message: unknown) => void) => void): void {
  const port = parentPort
  if (port === null) throw new Error('this module is for a worker thread')
  port.on('message', message => onMessage(message, reply => port.postMessage(reply)))
}
