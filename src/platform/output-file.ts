import { openSync } from 'node:fs'

/** Opens a file that a process's output is appended to; returns its descriptor, for `spawn`. */
export function openOutput(path: string): number {
  return openSync(path, 'a')
}
