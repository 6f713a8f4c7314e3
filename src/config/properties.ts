import { getProperties } from 'properties-file'
import { ConfigError } from './config-error.ts'

/**
 * Reads a `.properties` file as java.util.Properties does: `=`, `:` or a space between key and value, `#` and `!`
 * comments on lines of their own, a trailing backslash continues a line, `\u0041` and the usual escapes, and the last
 * of several values of a key counts. Spaces at the end of a value belong to it.
 * @throws ConfigError for a broken `\u` escape.
 */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  try {
    return new Map(Object.entries(getProperties(text)))
  } catch (error) {
    throw new ConfigError(`Properties file cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
