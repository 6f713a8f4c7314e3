interface Waiters {
  readonly callbacks: Set<() => void>
  readonly listener: () => void
}

/** Those who wait under a signal. It gets one listener for all of them: thousands may share one, and Node warns of more than ten. */
const waiters = new WeakMap<AbortSignal, Waiters>()

/** Calls `callback` when `signal` is aborted, unless what is returned was called before. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks, listener } = waiters.get(signal) ?? listenTo(signal)
  callbacks.add(callback)
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0) return
    signal.removeEventListener('abort', listener)
    waiters.delete(signal)
  }
}

function listenTo(signal: AbortSignal): Waiters {
  const callbacks = new Set<() => void>()
  const listener = (): void => {
    waiters.delete(signal)
    for (const callback of callbacks) callback()
    callbacks.clear()
  }
  signal.addEventListener('abort', listener, { once: true })
  waiters.set(signal, { callbacks, listener })
  return { callbacks, listener }
}

/**
 * What `promise` settles to, unless `signal` is aborted first: then its reason is thrown and the promise left alone. A promise that
 * fails after that is nobody's to handle, and ends no process.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    const forget = signal.aborted ? undefined : onAbort(signal, abort)
    promise.then(resolve, reject).finally(() => forget?.())
  })
}
