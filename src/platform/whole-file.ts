import type { Disk } from './disk.ts'

/** The bytes of a small file. @throws DiskError */
export function readWholeFile(disk: Disk, path: string): Buffer {
  const file = disk.open(path, { readOnly: true })
  try {
    const bytes = Buffer.alloc(file.size())
    return bytes.subarray(0, file.read(bytes, 0, bytes.length, 0))
  } finally {
    file.close()
  }
}
