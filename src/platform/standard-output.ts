import { fstatSync, writeSync } from 'node:fs'

const STDOUT = 1

/**
 * Writes bytes to standard output and calls `written` when all are, or with the error, which `process.stdout` emits too. To a file Node's
 * stream writes once and passes over that a full disk, or a limit, took a part only.
 */
export function writeOutput(bytes: Uint8Array, written: (error?: Error | null) => void): void {
  let rest = bytes
  try {
    if (isFile()) while (rest.length > 0) rest = rest.subarray(writeSync(STDOUT, rest))
  } catch {
    // The stream meets the same error with what is left, and tells it.
  }
  if (rest.length > 0) process.stdout.write(rest, written)
  else written()
}

let known: boolean | undefined
function isFile(): boolean {
  known ??= fstatSync(STDOUT).isFile()
  return known
}
