import assert from 'node:assert/strict'
import { type ImageBuilder, MetadataCache, type PartitionImage } from '../metadata/index.ts'
import {
  inlineWorkers,
  MemoryDisk,
  type Random,
  SimulatedClock,
  seededRandom,
  silentLogger,
  type Workers,
} from '../platform/index.ts'
import { type BatchInput, encodeBatch, encodeEndTxnMarker, ZERO_UUID } from '../protocol/index.ts'
import { defaultLogConfig, type LogConfig, LogManager } from '../storage/index.ts'
import type { AppendResult } from './append.ts'
import type { FetchRequester } from './fetch-reader.ts'
import type { FetchParams, FetchPartition, FetchPartitionResult } from './fetch-result.ts'
import { ReplicaManager } from './replica-manager.ts'

/**
 * A broker's replicas over logs on a disk in memory, on a clock that stands still, for the tests of this layer. It is
 * broker 0; topics are changed through the metadata, as in life.
 */
export interface OneBrokerOptions {
  readonly topicConfig?: Partial<LogConfig>
  readonly fetchMaxBytes?: number
  readonly maxWatches?: number
  /** By default those that work in the caller's thread. */
  readonly workers?: Workers
  readonly moveBytesPerSecond?: number
  /** `log.dirs` */
  readonly directories?: readonly string[]
}

export class OneBroker implements FetchRequester {
  /** Of the one who fetches with {@link fetch}. */
  replyRoomBytes = Number.POSITIVE_INFINITY
  #roomResumes: (() => void)[] = []
  readonly clock: SimulatedClock
  readonly disk: MemoryDisk
  readonly logs: LogManager
  readonly metadata: MetadataCache
  readonly replicas: ReplicaManager
  readonly #options: OneBrokerOptions
  #topicsMade = 0

  constructor(parts: {
    clock: SimulatedClock
    disk: MemoryDisk
    logs: LogManager
    metadata: MetadataCache
    options: OneBrokerOptions
  }) {
    this.clock = parts.clock
    this.disk = parts.disk
    this.logs = parts.logs
    this.metadata = parts.metadata
    this.#options = parts.options
    this.replicas = new ReplicaManager({
      brokerId: 0,
      clock: parts.clock,
      logger: silentLogger,
      logManager: parts.logs,
      workers: parts.options.workers ?? inlineWorkers,
      fetchMaxBytes: () => parts.options.fetchMaxBytes ?? 55 * 2 ** 20,
      ...limitsOf(parts.options),
    })
    this.metadata.onPrepare(change => this.replicas.prepare(change))
    this.metadata.subscribe((image, delta) => this.replicas.applyDelta(image, delta))
  }

  topicId(topic: string): string {
    return this.metadata.image().topic(topic)?.topicId ?? ZERO_UUID
  }

  createTopic(name: string, partitionCount: number): void {
    const topicId = Buffer.from(String(++this.#topicsMade).padStart(16, '0')).toString('base64url')
    const partitions = Array.from({ length: partitionCount }, () => FIRST_STATE)
    this.#publish(builder => builder.putTopic({ name, topicId, partitions }))
  }

  deleteTopic(name: string): void {
    this.#publish(builder => builder.removeTopic(name))
  }

  /** As {@link deleteTopic}, the way of a controller: what takes long is done ahead, in turns. */
  async deleteTopicInTurns(name: string): Promise<void> {
    const going = [this.metadata.image().topic(name)!]
    await this.metadata.publishPrepared({ going }, builder => builder.removeTopic(name))
  }

  /** Changes the state of a partition, as a controller does. */
  lead(topic: string, partition: number, change: Partial<PartitionImage>): void {
    const before = this.metadata.image().partition(topic, partition)
    assert(before)
    const after = { ...before, partitionEpoch: before.partitionEpoch + 1, ...change }
    this.#publish(builder => builder.putPartitions(topic, new Map([[partition, after]])))
  }

  #publish(change: (builder: ImageBuilder) => ImageBuilder): void {
    this.metadata.publish(change)
  }

  /** Produces to one partition as a client does. */
  produce(topic: string, partition: number, records: Uint8Array, acks = 1): AppendResult | Promise<AppendResult> {
    const entries = [{ topic, partition, records }]
    const results = this.replicas.appendRecords({ acks, timeoutMs: 1000, origin: 'client', apiVersion: 9, entries })
    return results instanceof Promise ? results.then(late => late[0]!) : results[0]!
  }

  /** As {@link produce}, where it must succeed in the same turn. */
  append(topic: string, partition: number, records: Uint8Array): void {
    const result = this.produce(topic, partition, records)
    assert(!(result instanceof Promise) && result.errorCode === 0)
  }

  /** Ends a transaction in one partition as its coordinator does. */
  endTransaction(
    topic: string,
    partition: number,
    marker: { readonly producerId: number; readonly producerEpoch: number; readonly result: 'abort' | 'commit' },
  ): void {
    const timestamp = this.clock.now()
    const records = encodeEndTxnMarker({ coordinatorEpoch: 0, timestamp, ...marker })
    const entries = [{ topic, partition, records }]
    const results = this.replicas.appendRecords({ acks: 1, timeoutMs: 1000, origin: 'coordinator', entries })
    assert(!(results instanceof Promise) && results[0]?.errorCode === 0)
  }

  hold(bytes: number): void {
    this.replyRoomBytes = Math.max(0, this.replyRoomBytes - bytes)
  }

  whenReplyRoom(resume: () => void): void {
    this.#roomResumes.push(resume)
  }

  /** So many bytes of answers have been sent. */
  async release(bytes: number): Promise<void> {
    this.replyRoomBytes += bytes
    for (const resume of this.#roomResumes.splice(0)) resume()
    await this.clock.settle()
  }

  fetch(
    requests: readonly FetchPartition[],
    how: FetchParams,
  ): readonly FetchPartitionResult[] | Promise<readonly FetchPartitionResult[]> {
    return this.replicas.fetch(requests, how, this)
  }

  /** A file in the first log directory, as text. */
  file(name: string): string {
    const path = `${directoriesOf(this.#options)[0]}/${name}`
    const bytes = new Uint8Array(this.disk.stat(path)?.size ?? 0)
    const file = this.disk.open(path)
    file.read(bytes, 0, bytes.length, 0)
    file.close()
    return Buffer.from(bytes).toString()
  }

  async close(): Promise<void> {
    await this.replicas.close()
    await this.logs.close()
  }

  /** The same broker started again, after {@link close}; without topics the store of the metadata was lost. */
  async restart({ withoutTopics = false }: { readonly withoutTopics?: boolean } = {}): Promise<OneBroker> {
    const { clock, disk } = this
    const metadata = withoutTopics ? new MetadataCache() : this.metadata
    return new OneBroker({ clock, disk, metadata, logs: await openLogs(this, this.#options), options: this.#options })
  }

  /** The broker that is started after the power went: `keep` as in {@link MemoryDisk.crash}, 1 for kill -9. */
  async crash(random: Random, keep?: number): Promise<OneBroker> {
    const on = {
      clock: new SimulatedClock(),
      disk: this.disk.crash(keep === undefined ? { random } : { random, keep }),
    }
    const logs = await openLogs(on, this.#options)
    return new OneBroker({ ...on, metadata: this.metadata, logs, options: this.#options })
  }
}

const FIRST_STATE: PartitionImage = {
  leader: 0,
  leaderEpoch: 0,
  isr: [0],
  replicas: [0],
  addingReplicas: [],
  removingReplicas: [],
  controllerEpoch: 1,
  isRecovering: false,
  partitionEpoch: 0,
}

function limitsOf({ maxWatches, moveBytesPerSecond }: OneBrokerOptions) {
  return {
    ...(maxWatches === undefined ? {} : { maxWatches }),
    ...(moveBytesPerSecond === undefined ? {} : { moveBytesPerSecond }),
  }
}

const directoriesOf = (options: OneBrokerOptions): readonly string[] => options.directories ?? ['/logs']

function openLogs(on: { clock: SimulatedClock; disk: MemoryDisk }, options: OneBrokerOptions): Promise<LogManager> {
  return LogManager.open({
    ...on,
    random: seededRandom(1),
    logger: silentLogger,
    directories: directoriesOf(options),
    configOf: () => ({ ...defaultLogConfig, ...options.topicConfig }),
  })
}

/** Starts broker 0 with topics of so many partitions. */
export async function openOneBroker(
  topics: Readonly<Record<string, number>>,
  options: OneBrokerOptions = {},
): Promise<OneBroker> {
  const on = { clock: new SimulatedClock(), disk: new MemoryDisk() }
  const broker = new OneBroker({ ...on, metadata: new MetadataCache(), logs: await openLogs(on, options), options })
  for (const [name, partitions] of Object.entries(topics)) broker.createTopic(name, partitions)
  return broker
}

/** A batch of `count` records with values of `valueBytes` bytes. */
export function batchOf(count: number, valueBytes = 10, more: Partial<BatchInput> = {}, timestamp = 1000): Uint8Array {
  const records = Array.from({ length: count }, () => ({ value: new Uint8Array(valueBytes), timestamp }))
  return encodeBatch({ records, ...more })
}

/** What a consumer asks of one partition. */
export function wanted(
  topic: string | undefined,
  partition: number,
  more: Partial<Omit<FetchPartition, 'topic' | 'partition'>> = {},
): FetchPartition {
  return {
    topic,
    topicId: ZERO_UUID,
    partition,
    fetchOffset: 0,
    maxBytes: 2 ** 20,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    ...more,
  }
}

/** A consumer's fetch that waits half a second for a byte. */
export function params(more: Partial<FetchParams> = {}): FetchParams {
  return {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 2 ** 20,
    isolation: 'high_watermark',
    replicaId: -1,
    fromAnyReplica: false,
    ...more,
  }
}
