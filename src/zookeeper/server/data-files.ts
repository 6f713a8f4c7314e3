import type { Disk, DiskFile } from '../../platform/index.ts'

/**
 * Names of the files of a data directory: `log.<zxid>` begins with that transaction, `snapshot.<zxid>` holds the tree
 * after it; zxids in hexadecimal, as ZooKeeper writes them.
 */
export type DataFileKind = 'log' | 'snapshot'

/** A file of the data directory. */
export interface DataFile {
  readonly path: string
  readonly zxid: number
}

/** Path of the file of `kind` for `zxid`. */
export function dataFilePath(directory: string, kind: DataFileKind, zxid: number): string {
  return `${directory}/${kind}.${zxid.toString(16)}`
}

/** Files of `kind`, oldest first. */
export function dataFiles(disk: Disk, directory: string, kind: DataFileKind): readonly DataFile[] {
  const pattern = new RegExp(`^${kind}\\.([0-9a-f]{1,16})$`)
  return disk
    .list(directory)
    .flatMap(name => {
      const [, zxid] = pattern.exec(name) ?? []
      return zxid === undefined ? [] : [{ path: `${directory}/${name}`, zxid: Number.parseInt(zxid, 16) }]
    })
    .sort((a, b) => a.zxid - b.zxid)
}

/** All bytes of a file. */
export function readWhole(file: DiskFile): Uint8Array {
  const bytes = Buffer.allocUnsafe(file.size())
  let length = 0
  while (length < bytes.length) {
    const count = file.read(bytes, length, bytes.length - length, length)
    if (count === 0) break
    length += count
  }
  return bytes.subarray(0, length)
}
