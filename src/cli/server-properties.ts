import { ConfigError, parseProperties } from '../config/index.ts'
import { type Disk, DiskError, readWholeFile } from '../platform/index.ts'

/**
 * The keys of a `server.properties` file with overrides on top.
 * @throws ConfigError when the file cannot be read or an override has no `=`.
 */
export function readServerProperties(
  disk: Disk,
  path: string | undefined,
  overrides: readonly string[],
): Map<string, string> {
  const properties = new Map(path === undefined ? [] : parseProperties(readText(disk, path)))
  for (const override of overrides) {
    const equals = override.indexOf('=')
    if (equals <= 0) throw new ConfigError(`--override ${override}: write it as key=value`)
    properties.set(override.slice(0, equals).trim(), override.slice(equals + 1).trim())
  }
  return properties
}

function readText(disk: Disk, path: string): string {
  try {
    return readWholeFile(disk, path).toString('utf8')
  } catch (error) {
    if (error instanceof DiskError) throw new ConfigError(`cannot read ${path}: ${error.code}`)
    throw error
  }
}
