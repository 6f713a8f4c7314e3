import { readFileSync } from 'node:fs'

/**
 * How many files and sockets this process may have open (`ulimit -n`), or undefined where the system does not tell.
 * Node raises the soft limit to the hard one when it starts, so this is what is left after that.
 */
export function descriptorLimit(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
