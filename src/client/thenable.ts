/** Whether something is to be waited for: a promise, or what acts as one, like the queries of some database clients. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}
