import { ConfigError, parseProperties } from '../config/index.ts'
import { DiskError, nodeDisk, readWholeFile } from '../platform/index.ts'

/** Settings out of a file, as an option of clients. */
export interface FileOptions {
  readonly properties: ReadonlyMap<string, string>
}

/**
 * Reads a `.properties` file as Java clients have them (UTF-8). Settings given in code go over it, and what a client has no such setting
 * for is left alone: one file does for all clients.
 *
 * ```ts
 * const kafka = new Kafka(propertiesFile('client.properties'))
 * ```
 * @throws ConfigError when it cannot be read
 */
export function propertiesFile(path: string): FileOptions {
  try {
    return { properties: parseProperties(readWholeFile(nodeDisk, path).toString('utf8')) }
  } catch (error) {
    if (error instanceof DiskError) throw new ConfigError(`cannot read ${path}: ${error.code}`)
    throw error
  }
}
