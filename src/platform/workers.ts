/**
 * Work that takes so long that the event loop must not do it: a pure function of plain data. A thread finds it by the
 * module that exports it and by the name of the export:
 *
 * ```ts
 * export const compressAnew: Job<Input, Output> = { module: import.meta.url, name: 'compressAnew', run: compressBatch }
 * ```
 */
export interface Job<Input extends object, Output extends object> {
  /** URL of the module that exports the job. */
  readonly module: string
  /** Name of the export. */
  readonly name: string
  /** Does the work. What it throws arrives as a plain `Error`, so an expected failure belongs into the output. */
  readonly run: (input: Input) => Output | Promise<Output>
}

/** Where jobs run. */
export interface Workers {
  /**
   * Runs a job beside the event loop. Input and output are plain data; `Uint8Array`s that are properties of their own are
   * handed over as bytes and not as the memory around them. The input is taken when the call returns: its memory may be
   * used again.
   *
   * @throws Error with the message of what the job threw, or when the thread died or the workers were closed.
   */
  run<Input extends object, Output extends object>(job: Job<Input, Output>, input: Input): Promise<Output>
  /** Ends all threads; what still runs is rejected. */
  close(): Promise<void>
}

/** The deterministic twin: jobs run in this thread, at once, and their promise resolves in the same turn of the loop. */
export const inlineWorkers: Workers = {
  run: async (job, input) => job.run(packed(input).data),
  close: async () => {},
}

/** Data with each `Uint8Array` among its properties in memory of its own, which may change hands. */
export function packed<Data extends object>(data: Data): { readonly data: Data; readonly memory: ArrayBuffer[] } {
  const memory: ArrayBuffer[] = []
  const copy = Object.entries(data).map(([key, value]) => {
    if (!(value instanceof Uint8Array)) return [key, value]
    const bytes = new Uint8Array(value)
    memory.push(bytes.buffer)
    return [key, bytes]
  })
  return { data: Object.fromEntries(copy) as Data, memory }
}
