import type { Disk } from '../platform/index.ts'
import { AtomicFile } from './checkpoint-file.ts'

export const META_PROPERTIES_FILE = 'meta.properties'

/** Whose log directory it is. */
export interface MetaProperties {
  readonly brokerId: number | undefined
  readonly clusterId: string | undefined
}

/** A `meta.properties` that cannot be understood. */
export class MetaPropertiesError extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`)
    this.name = 'MetaPropertiesError'
  }
}

/**
 * The `meta.properties` of a log directory, in the format of a broker in ZooKeeper mode (`version=0`); undefined when
 * the directory has none yet.
 *
 * @throws MetaPropertiesError
 */
export function readMetaProperties(disk: Disk, directory: string): MetaProperties | undefined {
  const path = `${directory}/${META_PROPERTIES_FILE}`
  const text = new AtomicFile(disk, path).read()
  if (text === undefined) return undefined
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^\s*([^#!\s=:]+)\s*[=:]\s*(.*?)\s*$/.exec(line)
    if (match !== null) values.set(match[1]!, match[2]!)
  }
  const version = values.get('version')
  if (version === '1')
    throw new MetaPropertiesError(path, 'written by a KRaft broker (version=1): its format is another')
  if (version !== '0') throw new MetaPropertiesError(path, `version '${version ?? ''}' instead of 0`)
  const brokerId = values.get('broker.id')
  if (brokerId !== undefined && !/^\d+$/.test(brokerId)) {
    throw new MetaPropertiesError(path, `broker.id '${brokerId}' is no number`)
  }
  return { brokerId: brokerId === undefined ? undefined : Number(brokerId), clusterId: values.get('cluster.id') }
}

/** Resolves when the file is written and survives a power cut. `writtenAt` goes into its comment, as Java's does. */
export function writeMetaProperties(
  disk: Disk,
  directory: string,
  properties: { readonly brokerId: number; readonly clusterId: string; readonly writtenAt: string },
): Promise<void> {
  const { brokerId, clusterId, writtenAt } = properties
  const text = `#\n#${writtenAt}\nbroker.id=${brokerId}\nversion=0\ncluster.id=${clusterId}\n`
  return new AtomicFile(disk, `${directory}/${META_PROPERTIES_FILE}`).write(() => text)
}
