import type { Disk, DiskFile } from '../platform/index.ts'

/** Resolves when what is in the file survives a power cut. */
export async function syncFile(disk: Disk, path: string): Promise<void> {
  await syncAndClose(disk.open(path))
}

/**
 * Resolves when what is in an open file survives a power cut. The file is closed before this returns, so that it may be
 * renamed or removed while the device works: the disk keeps what the sync needs.
 */
export async function syncAndClose(file: DiskFile): Promise<void> {
  const synced = file.sync()
  file.close()
  await synced
}
