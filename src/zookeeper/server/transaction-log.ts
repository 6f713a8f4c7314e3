import assert from 'node:assert/strict'
import { type Disk, DiskError, type DiskFile } from '../../platform/index.ts'
import { adler32, JuteReader, JuteWriter } from '../jute.ts'
import { ZooKeeperError } from '../zookeeper-error.ts'
import { type DataFile, dataFilePath, readWhole } from './data-files.ts'
import type { Transaction } from './transaction.ts'
import { cxidOf, decodeTransaction, encodeTransaction } from './transaction-codec.ts'

/** `ZKLG`, format version 2, database 0. */
const HEADER = Uint8Array.of(0x5a, 0x4b, 0x4c, 0x47, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0)
/** Checksum (8) and length (4) in front of a transaction; `B` behind it. */
const FRAME_HEADER_BYTES = 12
const END_OF_RECORD = 0x42
/** Nothing longer is believed: the largest request with room for its framing. */
const MAX_TRANSACTION_BYTES = 16 * 2 ** 20

/**
 * The write-ahead log, in ZooKeeper 3.8's own format:
 *
 * ```
 * header | record*
 * record = checksum int64 (Adler-32 of the transaction) | length int32 | transaction | 'B'
 * ```
 *
 * The `cxid` of a transaction, which means nothing to a server, says how many before it were not synced yet when it was
 * written. From it a recovery tells a torn end, which costs nothing that was acknowledged, from damage that would.
 *
 * {@link append} puts a transaction into the page cache or throws and leaves the file as it was. {@link sync} makes all
 * that was appended before it survive a power cut; calls must not overlap. A new file begins with the first
 * transaction after {@link roll}, and only once all of the old one is synced: so a damaged end can only be in the
 * newest file.
 */
export class TransactionLog {
  readonly #disk: Disk
  readonly #directory: string
  readonly #writer = new JuteWriter(4096)
  #file: DiskFile | undefined
  #size = 0
  #isNew = false
  #unsynced = false
  #broken = false
  /** Zxids of the last transaction that was appended, and of the last that is known to be durable. */
  #appendedZxid: number | undefined
  #syncedZxid = 0

  constructor(disk: Disk, directory: string, last?: { readonly path: string; readonly size: number }) {
    this.#disk = disk
    this.#directory = directory
    if (last) {
      this.#file = disk.open(last.path)
      this.#size = last.size
    }
  }

  /** Bytes in the current file. */
  get size(): number {
    return this.#size
  }

  /** Writes a transaction behind the last. Throws SYSTEM_ERROR when the disk refuses: then it is as if never called. */
  append(transaction: Transaction): void {
    if (this.#broken) throw new ZooKeeperError('SYSTEM_ERROR')
    const writer = this.#writer
    writer.reset()
    writer.bigLong(0n)
    writer.int(0)
    // What a recovery left was synced before the first append.
    this.#syncedZxid = this.#appendedZxid === undefined ? transaction.zxid - 1 : this.#syncedZxid
    encodeTransaction(writer, transaction, unsyncedMark(transaction.zxid, this.#syncedZxid))
    const body = writer.view(FRAME_HEADER_BYTES)
    assert(body.length <= MAX_TRANSACTION_BYTES, 'a transaction must fit a log record')
    writer.bigLongAt(0, BigInt(adler32(body)))
    writer.intAt(8, body.length)
    writer.byte(END_OF_RECORD)
    try {
      this.#file ??= this.#create(transaction.zxid)
      this.#write(this.#file, this.#size === 0 ? [HEADER, writer.view()] : [writer.view()])
    } catch (cause) {
      throw new ZooKeeperError('SYSTEM_ERROR', { cause })
    }
    this.#unsynced = true
    this.#appendedZxid = transaction.zxid
  }

  /** Resolves when everything appended before the call is durable. After a failure the log takes nothing any more. */
  async sync(): Promise<void> {
    if (!this.#file || !this.#unsynced) return
    this.#unsynced = false
    const upTo = this.#appendedZxid!
    try {
      await this.#file.sync()
      if (this.#isNew) await this.#disk.syncDirectory(this.#directory)
      this.#isNew = false
      this.#syncedZxid = upTo
    } catch (cause) {
      this.#broken = true
      throw new ZooKeeperError('SYSTEM_ERROR', { cause })
    }
  }

  /** Lets the next transaction begin a new file. Everything must be synced. */
  roll(): void {
    assert(!this.#unsynced, 'a log rolls only when it is synced')
    this.#file?.close()
    this.#file = undefined
    this.#size = 0
  }

  close(): void {
    this.#file?.close()
    this.#file = undefined
    this.#broken = true
  }

  #create(zxid: number): DiskFile {
    const file = this.#disk.open(dataFilePath(this.#directory, 'log', zxid), { create: true })
    file.truncate(0)
    this.#isNew = true
    this.#size = 0
    return file
  }

  #write(file: DiskFile, chunks: readonly Uint8Array[]): void {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    let written = 0
    try {
      written = file.write(chunks, this.#size)
    } finally {
      if (written < length) this.#takeBack(file)
    }
    if (written < length) throw new DiskError('ENOSPC', 'write', file.path)
    this.#size += length
  }

  /** Cuts off what a failed write left behind. */
  #takeBack(file: DiskFile): void {
    try {
      file.truncate(this.#size)
    } catch {
      this.#broken = true
    }
  }
}

/** -1 - the number of transactions between the last synced one and this; no client of a ZooKeeper counts so. */
function unsyncedMark(zxid: number, syncedZxid: number): number {
  return -Math.min(zxid - syncedZxid, 2 ** 31)
}

/** What {@link readTransactionLog} found. */
export interface LogContents {
  readonly transactions: readonly Transaction[]
  /** Where the last whole record ends; 0 when not even the header is whole. */
  readonly validBytes: number
  /** Whether something that is no record follows: a torn or foreign end. */
  readonly damaged: boolean
  /** Whether what is damaged had been synced, and so acknowledged: behind it are transactions that say so. */
  readonly lostSynced: boolean
}

/** Reads a log file up to its first record that is not whole. Zeros after the last record are no damage. */
export function readTransactionLog(disk: Disk, { path, zxid: firstZxid }: DataFile): LogContents {
  const file = disk.open(path, { readOnly: true })
  let bytes: Uint8Array
  try {
    bytes = readWhole(file)
  } finally {
    file.close()
  }
  if (!HEADER.every((byte, index) => bytes[index] === byte)) {
    return {
      transactions: [],
      validBytes: 0,
      damaged: bytes.length > 0,
      lostSynced: syncedZxidBehind(bytes, 0) >= firstZxid,
    }
  }
  const transactions: Transaction[] = []
  let position = HEADER.length
  for (;;) {
    const record = readRecord(bytes, position, transactions.at(-1)?.zxid ?? 0)
    if (!record) break
    transactions.push(record.transaction)
    position = record.end
  }
  const damaged = bytes.subarray(position).some(byte => byte !== 0)
  const lastZxid = transactions.at(-1)?.zxid ?? firstZxid - 1
  const lostSynced = damaged && syncedZxidBehind(bytes, position) > lastZxid
  return { transactions, validBytes: position, damaged, lostSynced }
}

/** The highest zxid that records behind `start`, wherever they begin, know to have been synced; 0 without any. */
function syncedZxidBehind(bytes: Uint8Array, start: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let synced = 0
  for (let position = start; position + FRAME_HEADER_BYTES < bytes.length; position += 1) {
    const end = position + FRAME_HEADER_BYTES + view.getInt32(position + 8)
    if (end <= position + FRAME_HEADER_BYTES || bytes[end] !== END_OF_RECORD) continue
    const record = readRecord(bytes, position, 0)
    if (record === undefined) continue
    const mark = cxidOf(bytes.subarray(position + FRAME_HEADER_BYTES, end))
    if (mark < 0) synced = Math.max(synced, record.transaction.zxid + mark)
    position = record.end - 1
  }
  return synced
}

function readRecord(
  bytes: Uint8Array,
  position: number,
  lastZxid: number,
): { readonly transaction: Transaction; readonly end: number } | undefined {
  try {
    const reader = new JuteReader(bytes, position)
    const checksum = reader.bigLong()
    const body = reader.bufferView()
    if (body.length === 0 || body.length > MAX_TRANSACTION_BYTES || reader.byte() !== END_OF_RECORD) return undefined
    if (checksum !== BigInt(adler32(body))) return undefined
    const transaction = decodeTransaction(new JuteReader(body))
    return transaction.zxid > lastZxid ? { transaction, end: reader.position } : undefined
  } catch (error) {
    if (error instanceof ZooKeeperError && error.code === 'MARSHALLING_ERROR') return undefined
    throw error
  }
}
