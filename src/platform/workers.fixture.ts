import { threadId } from 'node:worker_threads'
import type { Job } from './workers.ts'

/** Jobs of the tests of {@link Workers}; a thread loads them from this very module. */
export const reverse: Job<{ bytes: Uint8Array }, { bytes: Uint8Array }> = {
  module: import.meta.url,
  name: 'reverse',
  run: ({ bytes }) => ({ bytes: Uint8Array.from(bytes).reverse() }),
}
export const fail: Job<object, object> = {
  module: import.meta.url,
  name: 'fail',
  run: () => {
    throw new Error('no luck')
  },
}
export const die: Job<object, object> = { module: import.meta.url, name: 'die', run: () => process.exit(3) }

/** Says which thread it runs in. */
export const whichThread: Job<object, { readonly id: number }> = {
  module: import.meta.url,
  name: 'whichThread',
  run: () => ({ id: threadId }),
}
