import { ConfigError } from '../config/index.ts'
import { type Clock, type Disk, DiskError, dateText } from '../platform/index.ts'
import { type MetaProperties, readMetaProperties, writeMetaProperties } from '../storage/index.ts'

/**
 * Checks that every log directory is this broker's, and writes `meta.properties` where it is missing. A directory that
 * cannot be read or written is left to the log manager, which goes on without it.
 * @throws ConfigError when a directory belongs to another broker or another cluster.
 */
export async function claimLogDirectories(
  directories: readonly string[],
  owner: { readonly disk: Disk; readonly clock: Clock; readonly brokerId: number; readonly clusterId: string },
): Promise<void> {
  const { disk, clock, brokerId, clusterId } = owner
  for (const directory of directories) {
    const found = readableMetaProperties(disk, directory)
    if (found?.clusterId !== undefined && found.clusterId !== clusterId) {
      throw new ConfigError(
        `${directory}/meta.properties says cluster.id=${found.clusterId}, but this cluster is ${clusterId}; the records ` +
          `there are another cluster's: choose another log.dirs, or bring ${directories[0]}-zookeeper back, or, to give ` +
          'the records up, remove the directory',
      )
    }
    if (found?.brokerId !== undefined && found.brokerId !== brokerId) {
      throw new ConfigError(
        `${directory}/meta.properties says broker.id=${found.brokerId}, but the configuration says ${brokerId}; set ` +
          `broker.id=${found.brokerId} or choose another log.dirs`,
      )
    }
    if (found) continue
    try {
      disk.makeDirectory(directory)
      await syncAncestors(disk, directory)
      const writtenAt = dateText(clock.now())
      await writeMetaProperties(disk, directory, { brokerId, clusterId, writtenAt })
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }
}

/** What `meta.properties` says, where there is one that can be read. @throws MetaPropertiesError */
export function readableMetaProperties(disk: Disk, directory: string): MetaProperties | undefined {
  try {
    return readMetaProperties(disk, directory)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return undefined
  }
}

/** A directory that is new survives a power cut only when those it lies in were synced; one that cannot be is old. */
async function syncAncestors(disk: Disk, directory: string): Promise<void> {
  for (let end = directory.lastIndexOf('/'); end >= 0; end = directory.lastIndexOf('/', end - 1)) {
    await disk.syncDirectory(end === 0 ? '/' : directory.slice(0, end)).catch(error => {
      if (!(error instanceof DiskError)) throw error
    })
    if (end === 0) return
  }
}
