import { type Config, ConfigError } from '../../config/index.ts'
import type { CompressionType } from '../../protocol/index.ts'
import { type PartitionerName, partitionerName } from './partitioner.ts'
import type { producerKeys } from './producer-config.ts'

/** What `acks` may be on the wire: all in sync, the leader, nobody. */
export type Acks = -1 | 0 | 1

/** A producer's settings, read and found to go together. */
export interface ProducerSettings {
  readonly acks: Acks
  /** A batch with so many bytes waits for no more records. */
  readonly batchBytes: number
  /** What a batch that cannot be sent yet may grow to. */
  readonly mostBatchBytes: number
  readonly lingerMs: number
  readonly memoryBytes: number
  readonly maxBlockMs: number
  readonly maxRequestBytes: number
  readonly requestTimeoutMs: number
  readonly deliveryTimeoutMs: number
  readonly retries: number
  readonly maxInFlight: number
  readonly isIdempotent: boolean
  readonly transactionalId: string | null
  readonly transactionTimeoutMs: number
  readonly compression: CompressionType
  readonly compressionLevel: number | undefined
  readonly partitioner: PartitionerName
  readonly isAdaptive: boolean
  readonly ignoresKeys: boolean
}

/** What brokers take of a batch by default (`message.max.bytes`), but for a few bytes. */
const USUAL_MOST_BATCH_BYTES = 1_048_576

/** Brokers remember this many batches of a producer and partition, so that many may be sent again in order. */
const MOST_IN_FLIGHT_IN_ORDER = 5

/**
 * Reads a producer's settings.
 * @throws ConfigError that names the keys which contradict each other, as Java's ProducerConfig does
 */
export function producerSettings(config: Config<typeof producerKeys>): ProducerSettings {
  const acks = config.get('acks')
  const isAll = acks === 'all' || acks === '-1'
  const transactionalId = config.get('transactional.id')
  const compression = config.get('compression.type') as CompressionType
  const lingerMs = config.get('linger.ms')
  const requestTimeoutMs = config.get('request.timeout.ms')
  checkDelivery(config, lingerMs + requestTimeoutMs)
  return {
    acks: isAll ? -1 : (Number(acks) as Acks),
    batchBytes: config.get('batch.size'),
    mostBatchBytes: mostBatchBytes(config),
    lingerMs,
    memoryBytes: config.get('buffer.memory'),
    maxBlockMs: config.get('max.block.ms'),
    maxRequestBytes: config.get('max.request.size'),
    requestTimeoutMs,
    deliveryTimeoutMs: Math.max(config.get('delivery.timeout.ms'), lingerMs + requestTimeoutMs),
    retries: config.get('retries'),
    maxInFlight: config.get('max.in.flight.requests.per.connection'),
    isIdempotent: isIdempotent(config, isAll, transactionalId),
    transactionalId,
    transactionTimeoutMs: config.get('transaction.timeout.ms'),
    compression,
    compressionLevel: levelOf(config, compression),
    partitioner: partitionerName(config.get('partitioner.class')) ?? 'default',
    isAdaptive: config.get('partitioner.adaptive.partitioning.enable'),
    ignoresKeys: config.get('partitioner.ignore.keys'),
  }
}

/** A time for delivery that was given must leave room for one request; the default is stretched instead. */
function checkDelivery(config: Config<typeof producerKeys>, leastMs: number): void {
  const given = config.get('delivery.timeout.ms')
  if (config.isDefault('delivery.timeout.ms') || given >= leastMs) return
  const reason = `must be at least linger.ms + request.timeout.ms, which is ${leastMs}`
  throw new ConfigError(reason, { key: 'delivery.timeout.ms', value: String(given) })
}

/**
 * A `batch.size` that was given is the most, as in Java; by default, batches that have to wait for others grow past it (ADR 10), unless
 * nobody would say that one was too large (acks=0).
 */
function mostBatchBytes(config: Config<typeof producerKeys>): number {
  const given = config.get('batch.size')
  if (!config.isDefault('batch.size') || config.get('acks') === '0') return given
  return Math.max(given, Math.min(config.get('max.request.size'), USUAL_MOST_BATCH_BYTES))
}

/** Whether the producer is idempotent: if asked for, all must go with it; by default, if all goes with it. */
function isIdempotent(config: Config<typeof producerKeys>, isAll: boolean, transactionalId: string | null): boolean {
  const wanted = config.get('enable.idempotence')
  if (!wanted) {
    if (transactionalId === null) return false
    throw new ConfigError('a transactional.id needs idempotence', { key: 'enable.idempotence', value: 'false' })
  }
  const inFlight = 'max.in.flight.requests.per.connection'
  const obstacle = !isAll
    ? { key: 'acks', reason: 'idempotence and transactions need acks=all' }
    : config.get('retries') === 0
      ? { key: 'retries', reason: 'idempotence and transactions need retries above 0' }
      : config.get(inFlight) > MOST_IN_FLIGHT_IN_ORDER
        ? { key: inFlight, reason: `idempotence and transactions need at most ${MOST_IN_FLIGHT_IN_ORDER}` }
        : undefined
  if (obstacle === undefined) return true
  if (config.isDefault('enable.idempotence') && transactionalId === null) return false
  throw new ConfigError(obstacle.reason, { key: obstacle.key, value: config.properties.get(obstacle.key) ?? '' })
}

function levelOf(config: Config<typeof producerKeys>, compression: CompressionType): number | undefined {
  if (compression === 'gzip') {
    const level = config.get('compression.gzip.level')
    return level === -1 ? undefined : level
  }
  return compression === 'zstd' ? config.get('compression.zstd.level') : undefined
}
