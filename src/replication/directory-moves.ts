import type { Clock, Logger } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import { type Log, type LogManager, partitionName } from '../storage/index.ts'
import type { Partition } from './partition.ts'

/** Copied in one turn of the event loop. */
const CHUNK_BYTES = 1024 * 1024
/** What may be left to copy when the copy is closed and takes over. */
const LAST_BYTES = 1024 * 1024

export interface DirectoryMovesOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly logManager: LogManager
  /** `replica.alter.log.dirs.io.max.bytes.per.second`, for each move. */
  readonly bytesPerSecond?: number
}

/** A move under way. */
interface Move {
  readonly partition: Partition
  readonly future: Log
  isCancelled: boolean
  /** Ends the pause between two pieces. */
  wake: () => void
  done: Promise<void>
}

/**
 * Moves partitions between the log directories of this broker (KIP-113): copies the log, a piece a turn, and when the
 * copy has caught up it takes the log's place. The partition serves on meanwhile. A move survives a restart.
 */
export class DirectoryMoves {
  readonly #options: DirectoryMovesOptions
  readonly #moves = new Map<Partition, Move>()

  constructor(options: DirectoryMovesOptions) {
    this.#options = options
  }

  /** Moves under way. */
  get size(): number {
    return this.#moves.size
  }

  /** Copies `partition.log` to the future log that the log manager has for it. */
  start(partition: Partition, future: Log): void {
    partition.futureLog = future
    const move: Move = { partition, future, isCancelled: false, wake: () => {}, done: Promise.resolve() }
    this.#moves.set(partition, move)
    move.done = this.#run(move)
      .catch(error => {
        const name = partitionName(partition.topicPartition)
        if (move.isCancelled) return
        partition.futureLog = undefined
        this.#options.logger.error({ err: error }, `Could not move partition ${name}`)
      })
      .finally(() => {
        if (this.#moves.get(partition) === move) this.#moves.delete(partition)
      })
  }

  /** Stops a move, if there is one; the copy stays with the log manager. */
  stop(partition: Partition): void {
    const move = this.#moves.get(partition)
    if (move) {
      move.isCancelled = true
      move.wake()
    }
    this.#moves.delete(partition)
    partition.futureLog = undefined
  }

  /** Stops all moves; resolves when nothing of them runs any more. */
  async close(): Promise<void> {
    const running = Array.from(this.#moves.values(), ({ done }) => done)
    for (const partition of [...this.#moves.keys()]) this.stop(partition)
    await Promise.all(running)
  }

  async #run(move: Move): Promise<void> {
    const { partition, future } = move
    await this.#options.logManager.settleFutureLog(partition.topicPartition)
    for (;;) {
      const log = partition.log
      if (move.isCancelled || !log) return
      await alignStart(log, future)
      if (move.isCancelled) return
      const copied = copy(log, future, CHUNK_BYTES)
      if (future.logEndOffset < log.logEndOffset) {
        await this.#pause(move, copied)
        continue
      }
      await future.flush()
      if (move.isCancelled || lag(log, future) > LAST_BYTES) continue
      if (partition.log === log) await this.#takeOver(move)
      return
    }
  }

  #pause(move: Move, copied: number): Promise<void> {
    const { clock, bytesPerSecond = Number.POSITIVE_INFINITY } = this.#options
    const delayMs = (copied / bytesPerSecond) * 1000
    return new Promise(resolve => {
      move.wake = resolve
      if (delayMs >= 1) clock.schedule(delayMs, resolve)
      else clock.soon(resolve)
    })
  }

  /** Appends wait from here on, so that the copy is whole and on disk before the log goes. */
  async #takeOver(move: Move): Promise<void> {
    const { partition, future } = move
    const { logManager, logger } = this.#options
    const log = partition.detachLog()
    try {
      copy(log, future, Number.POSITIVE_INFINITY)
      await future.close()
      if (move.isCancelled) {
        this.#giveBack(partition, log)
        return
      }
      // A log that a failed directory still has would be there beside its copy when the directory is well again.
      if (log.isOffline) throw new KafkaError('KAFKA_STORAGE_ERROR', `the directory of ${log.path} has failed`)
      const promoted = await logManager.promoteFutureLog(partition.topicPartition)
      if (partition.isClosed) {
        logManager.deleteLog(partition.topicPartition)
        return
      }
      promoted.highWatermark = log.highWatermark
      // A failure takes the directory offline, which is reported.
      promoted.advanceLogStartOffset(Math.min(log.logStartOffset, promoted.highWatermark)).catch(() => {})
      partition.attachLog(promoted)
      const name = partitionName(partition.topicPartition)
      logger.info({ directory: promoted.directory }, `Moved partition ${name}`)
    } catch (error) {
      this.#giveBack(partition, log)
      throw error
    }
  }

  /** The copy does not take over: the partition goes on with its log, if that is still to be had. */
  #giveBack(partition: Partition, log: Log): void {
    if (partition.isClosed) return
    if (!log.isOffline && this.#options.logManager.getLog(partition.topicPartition) === log) partition.attachLog(log)
    else partition.goOffline()
  }
}

/** A copy begins with the first batch that the log still has, or below; one that begins above it is begun anew. */
async function alignStart(log: Log, future: Log): Promise<void> {
  if (future.logStartOffset <= log.logStartOffset && future.logEndOffset >= log.logStartOffset) return
  const { baseOffset } = log.read(log.logStartOffset, {
    maxBytes: 1,
    maxOffset: log.logEndOffset,
    minOneMessage: true,
  })
  if (future.logEndOffset < baseOffset || future.logStartOffset > baseOffset) {
    await future.truncateFullyAndStartAt(baseOffset)
  }
}

/** Copies up to `maxBytes`, at least one batch if there is one; returns how much. */
function copy(log: Log, future: Log, maxBytes: number): number {
  let copied = 0
  for (const chunk of read(log, future.logEndOffset, maxBytes)) {
    future.appendAsFollower(chunk)
    copied += chunk.length
  }
  return copied
}

/** Bytes that the copy lacks, or a little more than {@link LAST_BYTES} where it lacks that or more. */
function lag(log: Log, future: Log): number {
  return read(log, future.logEndOffset, LAST_BYTES + 1).reduce((sum, chunk) => sum + chunk.length, 0)
}

/** Batches from `startOffset` to the log's end, as many as fit in `maxBytes`, but one at least. */
function read(log: Log, startOffset: number, maxBytes: number): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let [offset, left] = [Math.max(startOffset, log.logStartOffset), maxBytes]
  while (offset < log.logEndOffset && left > 0) {
    const slice = log.read(offset, { maxBytes: left, maxOffset: log.logEndOffset, minOneMessage: chunks.length === 0 })
    if (slice.bytes === 0) break
    chunks.push(...slice.chunks)
    offset = slice.nextOffset
    left -= slice.bytes
  }
  return chunks
}
