/** What stands in a log's file behind its last whole batch. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as p from '../../src/protocol/everything.ts'

/** Nothing; zeros alone, as of a file whose length was written and whose bytes were not; a batch in part, or anything else. */
export type LogTail = 'none' | 'zeros' | 'torn'

/** The file of a partition's records that was made last; one that nothing has come into yet does not count. */
export function lastLogFile(logDirectory: string, partition: string): string {
  const directory = join(logDirectory, partition)
  const logs = readdirSync(directory).filter(name => name.endsWith('.log') && statSync(join(directory, name)).size > 0)
  return join(directory, logs.sort().at(-1)!)
}

export function tailOf(file: string): LogTail {
  const bytes = readFileSync(file)
  const tail = bytes.subarray(endOfWholeBatches(bytes))
  if (tail.length === 0) return 'none'
  return tail.every(byte => byte === 0) ? 'zeros' : 'torn'
}

function endOfWholeBatches(bytes: Uint8Array): number {
  let end = 0
  try {
    for (const header of p.batches(bytes)) {
      if (!p.batchCrcValid(bytes, header)) break
      end = header.position + header.length
    }
  } catch {
    // No batch begins here.
  }
  return end
}
