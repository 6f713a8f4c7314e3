import { SimulatedClock, silentLogger } from '../../platform/index.ts'
import {
  batches,
  decodeRecords,
  ErrorCode,
  type ErrorName,
  encodeBatch,
  errorName,
  KafkaError,
} from '../../protocol/index.ts'
import type { ProducerMarker } from '../runtime/coordinator-runtime.ts'
import { MemoryTopic } from '../runtime/memory-topic.ts'
import type { MarkerWriter } from './marker-writer.ts'
import { NO_PARTITIONS, type PartitionName } from './topic-partitions.ts'
import type { ProducerIdentity, Transaction, TransactionResult } from './transaction.ts'
import { TransactionCoordinator } from './transaction-coordinator.ts'
import { decodeTransactionRecord, encodeTransactionRecord } from './transaction-record.ts'

/** Markers as they came, with what they are answered. */
export class MemoryMarkers implements MarkerWriter {
  readonly written: string[] = []
  /** Answers in order; NONE when there are no more. */
  readonly answers: ErrorName[] = []
  /** Markers wait for {@link release}. */
  isHeld = false
  #held: (() => void)[] = []

  async write(marker: ProducerMarker, partitions: readonly PartitionName[]): Promise<readonly ErrorName[]> {
    if (this.isHeld) await new Promise<void>(resolve => this.#held.push(resolve))
    const { producerId, producerEpoch, result, coordinatorEpoch } = marker
    return partitions.map(({ topic, partition }) => {
      const answer = this.answers.shift() ?? 'NONE'
      const outcome = answer === 'NONE' ? '' : ` ${answer}`
      this.written.push(
        `${result} ${producerId}/${producerEpoch} ${topic}-${partition} by ${coordinatorEpoch}${outcome}`,
      )
      return answer
    })
  }

  release(): void {
    this.isHeld = false
    for (const resolve of this.#held.splice(0)) resolve()
  }
}

/** For tests: a transaction coordinator on simulated time over a topic in memory, with producers as short calls. */
export class TransactionFixture {
  readonly clock: SimulatedClock
  readonly topic: MemoryTopic
  readonly markers = new MemoryMarkers()
  readonly coordinator: TransactionCoordinator
  readonly missingTopics = new Set<string>()
  nextProducerId = 1000
  /** Whether nobody gives producer ids. */
  isWithoutProducerIds = false
  /** What the cluster has finalized. */
  transactionVersion = 0

  constructor(before?: TransactionFixture) {
    this.clock = before?.clock ?? new SimulatedClock(1_000_000)
    this.topic = before?.topic ?? new MemoryTopic()
    this.nextProducerId = before?.nextProducerId ?? 1000
    this.transactionVersion = before?.transactionVersion ?? 0
    this.coordinator = new TransactionCoordinator({
      clock: this.clock,
      logger: silentLogger,
      config: {
        maxTimeoutMs: 900_000,
        idExpirationMs: 7 * 24 * 3600 * 1000,
        timeoutCheckIntervalMs: 10_000,
        expirationCheckIntervalMs: 3_600_000,
      },
      partitions: 1,
      writer: this.topic,
      loader: this.topic,
      markers: this.markers,
      nextProducerId: async () => {
        if (this.isWithoutProducerIds) throw new KafkaError('NOT_CONTROLLER')
        return this.nextProducerId++
      },
      partitionExists: topic => !this.missingTopics.has(topic),
      groupPartition: () => 7,
      transactionVersion: () => this.transactionVersion,
    })
  }

  /** A coordinator that leads its one partition. */
  static async started(before?: TransactionFixture, leaderEpoch = 3): Promise<TransactionFixture> {
    const fixture = new TransactionFixture(before)
    await fixture.coordinator.onElected(0, leaderEpoch)
    return fixture
  }

  /** Puts a state of the transactional id `id` into the log, as if a coordinator of such a cluster had written it. */
  async written(transaction: Partial<Transaction>): Promise<void> {
    const record: Transaction = {
      state: 'Empty',
      producerId: 1000,
      producerEpoch: 0,
      previousProducerId: -1,
      nextProducerId: -1,
      lastProducerEpoch: -1,
      clientVersion: this.transactionVersion,
      timeoutMs: 60_000,
      partitions: NO_PARTITIONS,
      startTimestamp: -1,
      lastUpdateTimestamp: this.clock.now(),
      ...transaction,
    }
    const encoded = encodeTransactionRecord({ transactionalId: 'id', transaction: record }, this.transactionVersion)
    await this.topic.append(0, encodeBatch({ records: [{ ...encoded, timestamp: 1 }] }))
  }

  /** InitProducerId: `id/epoch`, or the error. */
  async init(
    options: { timeoutMs?: number; as?: ProducerIdentity; apiVersion?: number; transactionalId?: string } = {},
  ): Promise<string> {
    const { timeoutMs = 60_000, as, apiVersion = 5, transactionalId = 'id' } = options
    const request = {
      transactionalId,
      transactionTimeoutMs: timeoutMs,
      producerId: as?.producerId ?? -1,
      producerEpoch: as?.producerEpoch ?? -1,
      enable2Pc: false,
      keepPreparedTxn: false,
    }
    const { errorCode, producerId, producerEpoch } = await this.coordinator.initProducerId(request, { apiVersion })
    return errorCode === 0 ? `${producerId}/${producerEpoch}` : errorName(errorCode ?? -1)
  }

  /** AddPartitionsToTxn: the errors of `a-0` and its like. */
  async add(producer: ProducerIdentity, names: readonly string[], apiVersion = 3): Promise<ErrorName[]> {
    const response = await this.coordinator.addPartitionsToTxn(
      {
        transactions: [],
        v3AndBelowTransactionalId: 'id',
        v3AndBelowProducerId: producer.producerId,
        v3AndBelowProducerEpoch: producer.producerEpoch,
        v3AndBelowTopics: names.map(name => ({ name: name.slice(0, -2), partitions: [Number(name.at(-1))] })),
      },
      { apiVersion },
    )
    return (response.resultsByTopicV3AndBelow ?? []).flatMap(({ resultsByPartition = [] }) =>
      resultsByPartition.map(({ partitionErrorCode = -1 }) => errorName(partitionErrorCode)),
    )
  }

  /** EndTxn. */
  async end(producer: ProducerIdentity, result: TransactionResult, apiVersion = 4): Promise<ErrorName> {
    const request = { transactionalId: 'id', ...producer, committed: result === 'commit' }
    const { errorCode } = await this.coordinator.endTxn(request, { apiVersion })
    return errorName(errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
  }

  /** EndTxn v5: `id/epoch` of the next transaction, or the error. */
  async endAndBump(producer: ProducerIdentity, result: TransactionResult): Promise<string> {
    const request = { transactionalId: 'id', ...producer, committed: result === 'commit' }
    const { errorCode, producerId, producerEpoch } = await this.coordinator.endTxn(request, { apiVersion: 5 })
    return errorCode === 0 ? `${producerId}/${producerEpoch}` : errorName(errorCode ?? -1)
  }

  /** What Produce v12 and TxnOffsetCommit v5 do first: `a-0` and its like become part of the transaction. */
  addImplicitly(producer: ProducerIdentity, names: readonly string[]): Promise<ErrorName> {
    const partitions = names.map(name => ({ topic: name.slice(0, -2), partition: Number(name.at(-1)) }))
    return this.coordinator.addImplicitly('id', producer, partitions)
  }

  /** The state that DescribeTransactions tells, with partitions. */
  state(transactionalId = 'id'): string {
    const [described] = this.coordinator.describeTransactions({ transactionalIds: [transactionalId] })
      .transactionStates ?? [undefined]
    if (described === undefined || (described.errorCode ?? 0) !== 0) return errorName(described?.errorCode ?? -1)
    const topics = (described.topics ?? []).flatMap(({ topic, partitions = [] }) =>
      partitions.map(partition => `${topic}-${partition}`),
    )
    const name = `${described.transactionState} ${described.producerId}/${described.producerEpoch}`
    return [name, ...topics].join(' ')
  }

  /** What is in the log, oldest first. */
  records(): (Transaction | null)[] {
    return this.topic.log(0).flatMap(batch =>
      [...batches(batch)].flatMap(header =>
        [...decodeRecords(batch, header, { maxBytes: 1 << 20 })].map(({ key, value }) => {
          const record = key && decodeTransactionRecord(key, value)
          return record ? record.transaction : null
        }),
      ),
    )
  }

  /** {@link records} as `State id/epoch partitions`. */
  history(): string[] {
    return this.records().map(transaction => {
      if (transaction === null) return 'tombstone'
      const { state, producerId, producerEpoch, partitions } = transaction
      const names = [...partitions].flatMap(([topic, indexes]) => [...indexes].map(index => `${topic}-${index}`))
      return [`${state} ${producerId}/${producerEpoch}`, ...names].join(' ')
    })
  }
}

/** `1000/0` as a producer. */
export function producerOf(name: string): ProducerIdentity {
  const [producerId = -1, producerEpoch = -1] = name.split('/').map(Number)
  return { producerId, producerEpoch }
}
