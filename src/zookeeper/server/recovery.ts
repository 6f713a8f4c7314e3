import type { Clock, Disk, Logger } from '../../platform/index.ts'
import { type DataFile, dataFiles } from './data-files.ts'
import { DataTree } from './data-tree.ts'
import { capture, readSnapshot, writeSnapshot } from './snapshot.ts'
import { readTransactionLog } from './transaction-log.ts'

/** What is needed to go on after a start. */
export interface Recovered {
  readonly tree: DataTree
  /** The log file to append to, if there is one. */
  readonly last: { readonly path: string; readonly size: number } | undefined
  /** Zxid of the snapshot that the tree was loaded from. */
  readonly snapshotZxid: number
}

/** Says why a data directory cannot be used. */
export class DataDirectoryError extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'DataDirectoryError'
  }
}

/**
 * Brings the tree back: newest whole snapshot, then every logged transaction after it. A torn end of the newest log
 * file is cut off (nothing in it was acknowledged) before anything is appended; damage anywhere else is refused, because
 * acknowledged transactions would be lost in silence. Doing it twice, or dying in the middle and doing it again, gives
 * the same tree.
 */
export async function recover(options: {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly directory: string
}): Promise<Recovered> {
  const { disk, directory, logger } = options
  for (const name of disk.list(directory)) {
    if (name.endsWith('.tmp')) disk.remove(`${directory}/${name}`)
  }
  const logs = dataFiles(disk, directory, 'log')
  const loaded = loadNewestSnapshot(options)
  if (!loaded) {
    if (logs.length > 0) throw new DataDirectoryError(`${directory} has a transaction log but no usable snapshot`)
    const tree = DataTree.fresh()
    // ZooKeeper refuses a log without a snapshot to begin from, and so do we.
    await writeSnapshot(capture(tree), options)
    return { tree, last: undefined, snapshotZxid: 0 }
  }
  const { tree } = loaded
  const snapshotZxid = tree.lastZxid
  const first = Math.max(
    0,
    logs.findLastIndex(log => log.zxid <= snapshotZxid + 1),
  )
  const needed = logs.slice(first)
  let last: Recovered['last']
  for (const [index, log] of needed.entries()) {
    last = await replayLog(log, tree, { disk, logger, isNewest: index === needed.length - 1 })
  }
  await disk.syncDirectory(directory)
  return { tree, last, snapshotZxid }
}

function loadNewestSnapshot({
  disk,
  directory,
  logger,
}: {
  readonly disk: Disk
  readonly directory: string
  readonly logger: Logger
}): { readonly tree: DataTree } | undefined {
  for (const snapshot of dataFiles(disk, directory, 'snapshot').toReversed()) {
    const tree = readSnapshot(disk, snapshot)
    if (tree) return { tree }
    logger.warn({ path: snapshot.path }, 'Ignoring a damaged snapshot')
  }
  return undefined
}

async function replayLog(
  log: DataFile,
  tree: DataTree,
  { disk, logger, isNewest }: { readonly disk: Disk; readonly logger: Logger; readonly isNewest: boolean },
): Promise<Recovered['last']> {
  const { transactions, validBytes, damaged, lostSynced } = readTransactionLog(disk, log)
  if (damaged && !isNewest) throw new DataDirectoryError(`${log.path} is damaged at byte ${validBytes}`)
  if (lostSynced) {
    throw new DataDirectoryError(
      `${log.path} is damaged at byte ${validBytes}, before changes that were acknowledged; bring the file back from a copy, or cut it to ${validBytes} bytes to go on without them`,
    )
  }
  for (const transaction of transactions) {
    const { zxid } = transaction
    if (zxid <= tree.lastZxid) continue
    if (!follows(tree.lastZxid, zxid)) {
      throw new DataDirectoryError(`${log.path} goes on with transaction ${zxid} after ${tree.lastZxid}`)
    }
    tree.replay(transaction)
  }
  if (!isNewest) return undefined
  if (validBytes === 0) {
    disk.remove(log.path)
    return undefined
  }
  if (damaged) logger.warn({ path: log.path, position: validBytes }, 'Cutting off the torn end of the transaction log')
  const file = disk.open(log.path)
  // Synced also when whole: what is served from now on must not depend on a page cache.
  if (file.size() > validBytes) file.truncate(validBytes)
  await file.sync()
  file.close()
  return { path: log.path, size: validBytes }
}

/** Whether no transaction is missing between two; a new epoch of a ZooKeeper ensemble counts anew. */
function follows(last: number, next: number): boolean {
  return next === last + 1 || Math.floor(next / 2 ** 32) > Math.floor(last / 2 ** 32)
}
