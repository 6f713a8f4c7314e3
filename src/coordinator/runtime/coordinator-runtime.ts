import type { Clock, Logger } from '../../platform/index.ts'
import {
  type BatchHeader,
  batchCrcValid,
  batches,
  type CompressionType,
  decodeEndTxnMarker,
  decodeRecords,
  type ErrorName,
  encodeBatch,
  encodeEndTxnMarker,
  KafkaError,
  type TransactionMarker,
} from '../../protocol/index.ts'
import type { PartitionLoader, PartitionWriter } from './partition-storage.ts'

/**
 * Runs state machines that live in the partitions of a topic: groups in `__consumer_offsets`, transactions in
 * `__transaction_state`. A write decides on the state, appends the records of the decision, and replays them on the
 * state once they are committed; loading a partition is the same replay. What is not in the log is not in the state.
 */

/** Key and value of a record in the log. */
export interface EncodedRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** Where a replayed record stands. */
export interface RecordPosition {
  /** Offset of the first record of its batch. */
  readonly batchOffset: number
  /** The transaction it is part of, and counts with; undefined outside of one. */
  readonly transactionOf: number | undefined
  readonly loading: boolean
}

/** The state machine of one kind of coordinator; `State` is that of one partition. */
export interface StateMachine<State, CoordinatorRecord> {
  /** State of a partition with an empty log. */
  create(partition: number): State
  /** Applies one record; decides nothing. */
  replay(state: State, record: CoordinatorRecord, position: RecordPosition): void
  /** A transaction has ended: what was replayed as part of it counts, or is forgotten. */
  endTransaction(state: State, producerId: number, result: 'commit' | 'abort'): void
  /** All is replayed; requests come from now on. */
  loaded(state: State): void
  /** The partition is led elsewhere or the coordinator closes: answer what waits, stop timers. */
  unloaded(state: State): void
  encode(record: CoordinatorRecord): EncodedRecord
  /** Undefined for a kind that is not known, which is passed over. */
  decode(key: Uint8Array, value: Uint8Array | null): CoordinatorRecord | undefined
}

/** What a {@link CoordinatorRuntime} is made of. */
export interface CoordinatorRuntimeOptions<State, CoordinatorRecord> {
  readonly topic: string
  /** Codec of the batches it writes; `none` by default. */
  readonly compression?: CompressionType
  readonly machine: StateMachine<State, CoordinatorRecord>
  readonly clock: Clock
  readonly logger: Logger
  readonly writer: PartitionWriter
  readonly loader: PartitionLoader
}

/** A decision on the state of a partition: what to write, and what to answer when it is written. */
export interface WriteDecision<CoordinatorRecord, Response> {
  readonly records: readonly CoordinatorRecord[]
  readonly response: Response
}

/** A producer in a transaction, whose records count when that is committed. */
export interface TransactionalProducer {
  readonly producerId: number
  readonly producerEpoch: number
}

/** What ends a producer's transaction in a partition. */
export interface ProducerMarker extends TransactionalProducer, TransactionMarker {}

interface OwnedPartition<State> {
  readonly state: State
  phase: 'loading' | 'active' | 'failed'
  /** Markers that were written while the partition was loaded, which may have read past where they stand. */
  readonly markersSinceLoad: ProducerMarker[]
}

/** A coordinator writes no sequences of the producer; like Kafka's, its batches say 0. */
const TRANSACTIONAL = { isTransactional: true, baseSequence: 0 }
/** The load gives way to other work after this long. */
const LOAD_SLICE_MS = 10
/** A compressed batch of a coordinator's topic is not decompressed beyond this. */
const MAX_DECOMPRESSED_BYTES = 512 * 1024 * 1024

export class CoordinatorRuntime<State, CoordinatorRecord> {
  readonly #options: CoordinatorRuntimeOptions<State, CoordinatorRecord>
  readonly #partitions = new Map<number, OwnedPartition<State>>()
  readonly #epochs = new Map<number, number>()
  /** Partitions loaded since the last summary in the log, and when the first of them began. */
  #loads = { count: 0, startedMs: 0 }
  #closed = false

  constructor(options: CoordinatorRuntimeOptions<State, CoordinatorRecord>) {
    this.#options = options
  }

  /** Why the partition cannot be asked now; undefined when it can. */
  errorOf(partition: number): ErrorName | undefined {
    if (this.#closed) return 'COORDINATOR_NOT_AVAILABLE'
    const owned = this.#partitions.get(partition)
    if (owned === undefined) return 'NOT_COORDINATOR'
    if (owned.phase === 'loading') return 'COORDINATOR_LOAD_IN_PROGRESS'
    return owned.phase === 'failed' ? 'COORDINATOR_NOT_AVAILABLE' : undefined
  }

  /**
   * The committed state of an active partition.
   *
   * @throws KafkaError as {@link errorOf} says.
   */
  read(partition: number): State {
    const error = this.errorOf(partition)
    const owned = this.#partitions.get(partition)
    if (error !== undefined || owned === undefined) throw new KafkaError(error ?? 'NOT_COORDINATOR')
    return owned.state
  }

  /** States of all active partitions. */
  *active(): Generator<State, void, undefined> {
    for (const owned of this.#partitions.values()) if (owned.phase === 'active') yield owned.state
  }

  /** Whether any partition is being loaded. */
  get isLoading(): boolean {
    for (const owned of this.#partitions.values()) if (owned.phase === 'loading') return true
    return false
  }

  /** Whether {@link close} was called. */
  get isClosed(): boolean {
    return this.#closed
  }

  /**
   * Decides on the partition's state, appends the records, replays them when they are committed, then resolves with the
   * response. Without records the response comes at once.
   *
   * @throws (rejects with) KafkaError as {@link errorOf} says, what the log refused the append with, and
   * NOT_COORDINATOR when the partition was given up before the append was committed.
   */
  async write<Response>(
    partition: number,
    decide: (state: State) => WriteDecision<CoordinatorRecord, Response>,
  ): Promise<Response> {
    const { records, response } = decide(this.read(partition))
    if (records.length > 0) await this.append(partition, records)
    return response
  }

  /**
   * The second half of {@link write}, for decisions whose answers go their own ways. Rejects alike. With a `producer` the
   * records are part of its transaction.
   */
  async append(
    partition: number,
    records: readonly CoordinatorRecord[],
    producer?: TransactionalProducer,
  ): Promise<void> {
    const owned = this.#partitions.get(partition)
    if (owned?.phase !== 'active') throw new KafkaError(this.errorOf(partition) ?? 'NOT_COORDINATOR')
    const batchOffset = await this.#options.writer.append(partition, this.#encode(records, producer))
    if (this.#partitions.get(partition) !== owned) throw new KafkaError('NOT_COORDINATOR')
    const position = { batchOffset, transactionOf: producer?.producerId, loading: false }
    for (const record of records) this.#options.machine.replay(owned.state, record, position)
  }

  /**
   * This broker leads the partition from `leaderEpoch` on: loads it. Resolves when it is loaded or has failed, which
   * the log tells. Nothing happens for an epoch that is not newer than the last.
   */
  async onElected(partition: number, leaderEpoch: number): Promise<void> {
    const { machine, logger, topic, clock } = this.#options
    if (this.#closed || (this.#epochs.get(partition) ?? -1) >= leaderEpoch) return
    this.#epochs.set(partition, leaderEpoch)
    const started = clock.monotonicMs()
    const before = this.#partitions.get(partition)
    // A leader that stays leader knows all that is in the log: it was its own writing.
    if (before !== undefined && before.phase !== 'failed') return
    const owned: OwnedPartition<State> = { state: machine.create(partition), phase: 'loading', markersSinceLoad: [] }
    this.#partitions.set(partition, owned)
    if (this.#loads.count === 0) this.#loads.startedMs = started
    this.#loads.count += 1
    try {
      await this.#load(partition, owned)
      if (this.#partitions.get(partition) !== owned) return
      for (const { producerId, result } of owned.markersSinceLoad)
        machine.endTransaction(owned.state, producerId, result)
      owned.phase = 'active'
      machine.loaded(owned.state)
      const tookMs = Math.round(clock.monotonicMs() - started)
      logger.debug({}, `Finished loading ${topic}-${partition} in ${tookMs} milliseconds for epoch ${leaderEpoch}`)
    } catch (error) {
      if (this.#partitions.get(partition) === owned) owned.phase = 'failed'
      logger.error({ err: error }, `Error loading ${topic}-${partition} in epoch ${leaderEpoch}`)
    }
    if (!this.isLoading) this.#logLoads()
  }

  /** One line for all that were loaded together, as the fifty partitions of a start are. */
  #logLoads(): void {
    const { logger, topic, clock } = this.#options
    const { count, startedMs } = this.#loads
    this.#loads.count = 0
    if (count === 0) return
    const tookMs = Math.round(clock.monotonicMs() - startedMs)
    logger.info({}, `Finished loading ${count} partitions of ${topic} in ${tookMs} milliseconds`)
  }

  /**
   * Another broker leads the partition, or none: its state is dropped. `leaderEpoch` undefined: it is gone, and if there is
   * one of its name again, epochs begin anew.
   */
  onResigned(partition: number, leaderEpoch?: number): void {
    if (leaderEpoch === undefined) this.#epochs.delete(partition)
    else if ((this.#epochs.get(partition) ?? -1) > leaderEpoch) return
    else this.#epochs.set(partition, leaderEpoch)
    const owned = this.#partitions.get(partition)
    if (owned === undefined) return
    this.#partitions.delete(partition)
    this.#options.machine.unloaded(owned.state)
    this.#options.logger.info({}, `Finished unloading ${this.#options.topic}-${partition}`)
  }

  /**
   * Appends the marker that ends a producer's transaction in the partition; once it is committed, what was replayed as
   * part of the transaction counts or is forgotten: see {@link StateMachine.endTransaction}. It goes the way of all
   * appends, so it is applied after whatever stands before it in the log.
   *
   * @throws (rejects with) KafkaError: what the log refused the append with.
   */
  async appendMarker(partition: number, marker: ProducerMarker): Promise<void> {
    const { writer, machine, clock } = this.#options
    await writer.append(partition, encodeEndTxnMarker({ ...marker, timestamp: clock.now() }))
    const owned = this.#partitions.get(partition)
    if (owned?.phase === 'active') machine.endTransaction(owned.state, marker.producerId, marker.result)
    else owned?.markersSinceLoad.push(marker)
  }

  /** The leader epoch in which this broker leads the partition, or last did; -1 when it never did. */
  epochOf(partition: number): number {
    return this.#epochs.get(partition) ?? -1
  }

  /** Gives all partitions up; every later request is answered COORDINATOR_NOT_AVAILABLE. */
  close(): void {
    this.#closed = true
    for (const partition of [...this.#partitions.keys()]) this.onResigned(partition)
  }

  #encode(records: readonly CoordinatorRecord[], producer: TransactionalProducer | undefined): Uint8Array {
    const timestamp = this.#options.clock.now()
    try {
      return encodeBatch({
        compression: this.#options.compression ?? 'none',
        ...(producer && { ...TRANSACTIONAL, producerId: producer.producerId, producerEpoch: producer.producerEpoch }),
        records: records.map(record => ({ ...this.#options.machine.encode(record), timestamp })),
      })
    } catch (error) {
      // A string that a flexible request could carry and the record cannot.
      if (error instanceof KafkaError) throw error
      throw new KafkaError('UNKNOWN_SERVER_ERROR', 'a record cannot be encoded', { cause: error })
    }
  }

  async #load(partition: number, owned: OwnedPartition<State>): Promise<void> {
    const { clock, loader } = this.#options
    let sliceEndMs = clock.monotonicMs() + LOAD_SLICE_MS
    for await (const chunk of loader.load(partition)) {
      for (const header of batches(chunk)) {
        if (this.#partitions.get(partition) !== owned) return
        this.#replayBatch(partition, owned.state, { chunk, header })
        if (clock.monotonicMs() < sliceEndMs) continue
        await new Promise<void>(resolve => clock.soon(resolve))
        sliceEndMs = clock.monotonicMs() + LOAD_SLICE_MS
      }
    }
  }

  #replayBatch(partition: number, state: State, batch: { chunk: Uint8Array; header: BatchHeader }): void {
    const { machine, logger, topic } = this.#options
    const { chunk, header } = batch
    if (header.magic === 2 && !batchCrcValid(chunk, header)) {
      throw new KafkaError('CORRUPT_MESSAGE', `batch at offset ${header.baseOffset} of ${topic}-${partition}`)
    }
    const records = decodeRecords(chunk, header, { maxBytes: MAX_DECOMPRESSED_BYTES })
    if (header.isControl) {
      for (const record of records) {
        const marker = decodeEndTxnMarker(record)
        if (marker !== undefined) machine.endTransaction(state, header.producerId, marker.result)
      }
      return
    }
    const transactionOf = header.isTransactional ? header.producerId : undefined
    let position: RecordPosition | undefined
    for (const { offset, key, value } of records) {
      position ??= { batchOffset: offset, transactionOf, loading: true }
      const record = key === null ? undefined : machine.decode(key, value)
      if (record !== undefined) machine.replay(state, record, position)
      else logger.warn({ offset }, `Unknown record key while loading ${topic}-${partition}. Ignoring it.`)
    }
  }
}
