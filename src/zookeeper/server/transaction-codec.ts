import { JuteReader, type JuteWriter } from '../jute.ts'
import { type Acl, OPEN_ACL } from '../zookeeper.ts'
import { ZooKeeperError } from '../zookeeper-error.ts'
import type { Change, Transaction } from './transaction.ts'

/**
 * Transactions as ZooKeeper 3.8 logs them: `TxnHeader` (client id, cxid, zxid, time, type) and one record; several
 * changes are a `MultiTxn`. A real ZooKeeper reads our logs, and we read its.
 */
const TYPE = {
  error: -1,
  create: 1,
  delete: 2,
  setData: 5,
  setAcl: 7,
  check: 13,
  multi: 14,
  create2: 15,
  createSession: -10,
  closeSession: -11,
} as const

/** Appends `transaction` to `writer`, with `cxid`, which a ZooKeeper server takes from the client's request. */
export function encodeTransaction(writer: JuteWriter, transaction: Transaction, cxid = 0): void {
  const { changes } = transaction
  const [only] = changes
  writer.bigLong(transaction.sessionId)
  writer.int(cxid)
  writer.long(transaction.zxid)
  writer.long(transaction.timeMs)
  if (changes.length === 1 && only) {
    writer.int(TYPE[only.type])
    encodeChange(writer, only)
    return
  }
  writer.int(TYPE.multi)
  writer.int(changes.length)
  for (const change of changes) {
    writer.int(TYPE[change.type])
    const lengthAt = writer.length
    writer.int(0)
    encodeChange(writer, change)
    writer.intAt(lengthAt, writer.length - lengthAt - 4)
  }
}

function encodeChange(writer: JuteWriter, change: Change): void {
  switch (change.type) {
    case 'create':
      writer.string(change.path)
      writer.buffer(change.data)
      encodeAcl(writer, change.acl)
      writer.boolean(change.ephemeral)
      writer.int(change.parentCreations)
      break
    case 'delete':
      writer.string(change.path)
      break
    case 'setData':
      writer.string(change.path)
      writer.buffer(change.data)
      writer.int(change.version)
      break
    case 'setAcl':
      writer.string(change.path)
      encodeAcl(writer, change.acl)
      writer.int(change.aversion)
      break
    case 'check':
      writer.string(change.path)
      writer.int(change.version)
      break
    case 'createSession':
      writer.int(change.timeoutMs)
      break
    case 'closeSession':
      writer.int(change.paths?.length ?? 0)
      for (const path of change.paths ?? []) writer.string(path)
      break
    case 'error':
      writer.int(-1)
      break
  }
}

/** The `cxid` of an encoded transaction. */
export function cxidOf(encoded: Uint8Array): number {
  return new JuteReader(encoded, 8).int()
}

/** Reads one transaction; what follows it in the reader (a digest of ZooKeeper's) is left. */
export function decodeTransaction(reader: JuteReader): Transaction {
  const sessionId = reader.bigLong()
  reader.int()
  const zxid = reader.long()
  const timeMs = reader.long()
  const type = reader.int()
  if (type !== TYPE.multi) return { sessionId, zxid, timeMs, changes: [decodeChange(reader, type)] }
  const changes: Change[] = []
  const count = reader.count(8)
  for (let index = 0; index < count; index += 1) {
    const changeType = reader.int()
    const length = reader.int()
    const end = reader.position + length
    changes.push(decodeChange(reader, changeType))
    if (reader.position !== end) throw new ZooKeeperError('MARSHALLING_ERROR')
  }
  return { sessionId, zxid, timeMs, changes }
}

function decodeChange(reader: JuteReader, type: number): Change {
  switch (type) {
    case TYPE.create:
    case TYPE.create2:
      return {
        type: 'create',
        path: reader.string(),
        data: reader.buffer(),
        acl: decodeAcl(reader),
        ephemeral: reader.boolean(),
        parentCreations: reader.int(),
      }
    case TYPE.delete:
      return { type: 'delete', path: reader.string() }
    case TYPE.setData:
      return { type: 'setData', path: reader.string(), data: reader.buffer(), version: reader.int() }
    case TYPE.setAcl:
      return { type: 'setAcl', path: reader.string(), acl: decodeAcl(reader), aversion: reader.int() }
    case TYPE.check:
      return { type: 'check', path: reader.string(), version: reader.int() }
    case TYPE.createSession:
      return { type: 'createSession', timeoutMs: reader.int() }
    case TYPE.closeSession:
      return { type: 'closeSession', paths: decodePaths(reader) }
    case TYPE.error:
      reader.int()
      return { type: 'error' }
    default:
      throw new ZooKeeperError('UNIMPLEMENTED')
  }
}

/** A `CloseSessionTxn`; before ZooKeeper 3.6 it had no body. */
function decodePaths(reader: JuteReader): readonly string[] | undefined {
  if (reader.remaining === 0) return undefined
  return Array.from({ length: reader.count(4) }, () => reader.string())
}

/** Appends an access list. */
export function encodeAcl(writer: JuteWriter, acl: readonly Acl[]): void {
  writer.int(acl.length)
  for (const { permissions, scheme, id } of acl) {
    writer.int(permissions)
    writer.string(scheme)
    writer.string(id)
  }
}

/** Reads an access list; the open one is always the same object, so that it costs nothing a node. */
export function decodeAcl(reader: JuteReader): readonly Acl[] {
  const acl = Array.from({ length: reader.count(12) }, () => ({
    permissions: reader.int(),
    scheme: reader.string(),
    id: reader.string(),
  }))
  return isOpen(acl) ? OPEN_ACL : acl
}

function isOpen(acl: readonly Acl[]): boolean {
  const [entry] = acl
  return acl.length === 1 && entry?.permissions === 31 && entry.scheme === 'world' && entry.id === 'anyone'
}
