import { ConfigError, parseProperties } from '../config/index.ts'
import { type Disk, DiskError } from '../platform/index.ts'

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
    const file = disk.open(path, { readOnly: true })
    try {
      const bytes = Buffer.alloc(file.size())
      file.read(bytes, 0, bytes.length, 0)
      return bytes.toString('utf8')
    } finally {
      file.close()
    }
  } catch (error) {
    if (error instanceof DiskError) throw new ConfigError(`cannot read ${path}: ${error.code}`)
    throw error
  }
}
