import { type Clock, type Disk, DiskError, type DiskFile } from '../../platform/index.ts'
import { adler32, JuteReader, JuteWriter } from '../jute.ts'
import { type Acl, OPEN_ACL } from '../zookeeper.ts'
import { ZooKeeperError } from '../zookeeper-error.ts'
import { dataFilePath, readWhole } from './data-files.ts'
import { DataTree, type Znode } from './data-tree.ts'
import { decodeAcl, encodeAcl } from './transaction-codec.ts'

/** `ZKSN`, format version 2, database -1. */
const HEADER = Uint8Array.of(0x5a, 0x4b, 0x53, 0x4e, 0, 0, 0, 2, 255, 255, 255, 255, 255, 255, 255, 255)
/** Number that stands for {@link OPEN_ACL} in a node. */
const OPEN_ACL_NUMBER = -1n
/** Bytes that are serialised before the event loop gets its turn: a millisecond or two. */
const SLICE_BYTES = 256 * 1024

/** Everything a snapshot holds, taken at one moment. */
export interface Capture {
  readonly zxid: number
  readonly nodes: readonly (readonly [string, Znode])[]
  readonly sessions: ReadonlyMap<bigint, number>
}

/** Copies references to the whole tree. */
export function capture(tree: DataTree): Capture {
  return { zxid: tree.lastZxid, nodes: tree.capture(), sessions: new Map(tree.sessions()) }
}

/**
 * Writes `snapshot.<zxid>` in ZooKeeper 3.8's own format: a temporary file, synced, renamed, the directory synced. It
 * is there as a whole when this resolves, and not at all or as a whole when the process dies before.
 *
 * ```
 * header | sessions (count, id and timeout each) | access lists (count, number and list each)
 *        | nodes (path, data, number of the access list, stat) | "/" | checksum int64 | "/"
 * ```
 */
export async function writeSnapshot(
  state: Capture,
  { disk, clock, directory }: { readonly disk: Disk; readonly clock: Clock; readonly directory: string },
): Promise<void> {
  const path = dataFilePath(directory, 'snapshot', state.zxid)
  const temporary = `${path}.tmp`
  const file = disk.open(temporary, { create: true })
  try {
    file.truncate(0)
    await writeNodes(state, new SnapshotFile(file, clock))
    await file.sync()
  } finally {
    file.close()
  }
  disk.rename(temporary, path)
  await disk.syncDirectory(directory)
}

async function writeNodes({ nodes, sessions }: Capture, file: SnapshotFile): Promise<void> {
  const { writer } = file
  writer.raw(HEADER)
  writer.int(sessions.size)
  for (const [sessionId, timeoutMs] of sessions) {
    writer.bigLong(sessionId)
    writer.int(timeoutMs)
  }
  const acls = numberAcls(nodes)
  writer.int(acls.size)
  for (const [acl, number] of acls) {
    writer.bigLong(number)
    encodeAcl(writer, acl)
  }
  // The root has an empty path here, and must come first; a parent stands before its children since it is older.
  for (const [path, node] of nodes) {
    writer.string(path === '/' ? '' : path)
    encodeNode(writer, node, acls.get(node.acl) ?? OPEN_ACL_NUMBER)
    if (writer.length >= SLICE_BYTES) await file.flush()
  }
  writer.string('/')
  file.seal()
}

/** Numbers for all access lists but the open one. */
function numberAcls(nodes: Capture['nodes']): ReadonlyMap<readonly Acl[], bigint> {
  const numbers = new Map<readonly Acl[], bigint>()
  for (const [, { acl }] of nodes) {
    if (acl !== OPEN_ACL && !numbers.has(acl)) numbers.set(acl, BigInt(numbers.size + 1))
  }
  return numbers
}

function encodeNode(writer: JuteWriter, node: Znode, acl: bigint): void {
  writer.buffer(node.data)
  writer.bigLong(acl)
  writer.long(node.czxid)
  writer.long(node.mzxid)
  writer.long(node.ctime)
  writer.long(node.mtime)
  writer.int(node.version)
  writer.int(node.creations)
  writer.int(node.aversion)
  writer.bigLong(node.ephemeralOwner)
  writer.long(node.pzxid)
}

/** A file that is written front to back with a running checksum. */
class SnapshotFile {
  readonly writer = new JuteWriter(SLICE_BYTES + 4096)
  readonly #file: DiskFile
  readonly #clock: Clock
  #position = 0
  #checksum = 1

  constructor(file: DiskFile, clock: Clock) {
    this.#file = file
    this.#clock = clock
  }

  /** Writes what has gathered and lets others run. */
  async flush(): Promise<void> {
    this.#checksum = adler32(this.writer.view(), this.#checksum)
    this.#write()
    await new Promise<void>(resolve => this.#clock.soon(resolve))
  }

  /** Writes the rest and the checksum. */
  seal(): void {
    this.#checksum = adler32(this.writer.view(), this.#checksum)
    this.#write()
    this.writer.bigLong(BigInt(this.#checksum))
    this.writer.string('/')
    this.#write()
  }

  #write(): void {
    const bytes = this.writer.view()
    const written = this.#file.write([bytes], this.#position)
    if (written < bytes.length) throw new DiskError('ENOSPC', 'write', this.#file.path)
    this.#position += written
    this.writer.reset()
  }
}

/** Loads `snapshot.<zxid>`, or returns undefined when it is not whole. */
export function readSnapshot(
  disk: Disk,
  { path, zxid }: { readonly path: string; readonly zxid: number },
): DataTree | undefined {
  const file = disk.open(path, { readOnly: true })
  let bytes: Uint8Array
  try {
    bytes = readWhole(file)
  } finally {
    file.close()
  }
  try {
    const tree = decodeSnapshot(bytes)
    tree?.loadedUpTo(zxid)
    return tree
  } catch (error) {
    if (error instanceof ZooKeeperError && error.code === 'MARSHALLING_ERROR') return undefined
    throw error
  }
}

function decodeSnapshot(bytes: Uint8Array): DataTree | undefined {
  if (!HEADER.every((byte, index) => bytes[index] === byte)) return undefined
  const reader = new JuteReader(bytes, HEADER.length)
  const tree = new DataTree()
  for (let left = reader.count(12); left > 0; left -= 1) {
    const sessionId = reader.bigLong()
    tree.loadSession(sessionId, reader.int())
  }
  const acls = new Map<bigint, readonly Acl[]>([[OPEN_ACL_NUMBER, OPEN_ACL]])
  for (let left = reader.count(12); left > 0; left -= 1) {
    const number = reader.bigLong()
    acls.set(number, decodeAcl(reader))
  }
  for (let path = reader.string(); path !== '/'; path = reader.string()) {
    tree.load(path === '' ? '/' : path, decodeNode(reader, acls))
  }
  const checksum = BigInt(adler32(bytes.subarray(0, reader.position)))
  return reader.bigLong() === checksum ? tree : undefined
}

function decodeNode(reader: JuteReader, acls: ReadonlyMap<bigint, readonly Acl[]>): Znode {
  const data = reader.buffer()
  const acl = acls.get(reader.bigLong()) ?? OPEN_ACL
  return {
    data,
    acl,
    czxid: reader.long(),
    mzxid: reader.long(),
    ctime: reader.long(),
    mtime: reader.long(),
    version: reader.int(),
    creations: reader.int(),
    aversion: reader.int(),
    ephemeralOwner: reader.bigLong(),
    pzxid: reader.long(),
  }
}
