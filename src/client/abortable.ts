import { KafkaError } from '../protocol/index.ts'

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

/** What is said of a signal that is none, where no compiler looks. */
function mistakeOf(signal: AbortSignal): KafkaError | undefined {
  const { aborted, addEventListener } = Object(signal) as Partial<AbortSignal>
  if (typeof aborted === 'boolean' && typeof addEventListener === 'function') return undefined
  const given = Object(signal).constructor?.name ?? typeof signal
  const way = `signal: give an AbortSignal, such as controller.signal, not ${signal === null ? 'null' : given}`
  return new KafkaError('INVALID_REQUEST', way)
}

/** For a loop, which an aborted signal ends without an error. @throws KafkaError INVALID_REQUEST for a signal that is none */
export function checkSignal(signal: AbortSignal | undefined): void {
  const mistake = signal === undefined ? undefined : mistakeOf(signal)
  if (mistake !== undefined) throw mistake
}

/**
 * Why nothing is begun under a signal: its reason where it is aborted already; INVALID_REQUEST for what is no signal. Undefined where
 * there is nothing against it.
 */
export function endOf(signal: AbortSignal | undefined): { readonly reason: unknown } | undefined {
  if (signal === undefined) return undefined
  const mistake = mistakeOf(signal)
  if (mistake !== undefined) return { reason: mistake }
  return signal.aborted ? { reason: signal.reason } : undefined
}

/** @throws the reason of a signal that is aborted already; KafkaError INVALID_REQUEST for what is none */
export function throwIfEnded(signal: AbortSignal | undefined): void {
  const end = endOf(signal)
  if (end !== undefined) throw end.reason
}

/**
 * What `promise` settles to, unless `signal` is aborted first: then its reason is thrown and the promise left alone. A promise that
 * fails after that is nobody's to handle, and ends no process.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const end = endOf(signal)
    if (end !== undefined) reject(end.reason)
    const forget = end === undefined ? onAbort(signal, () => reject(signal.reason)) : undefined
    promise.then(resolve, reject).finally(() => forget?.())
  })
}
