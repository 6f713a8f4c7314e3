import type { Random } from '../../../src/platform/index.ts'
import { type Durability, drawSettings as drawBroker, type Settings } from '../one-broker/settings.ts'

/** What a seed makes of a run. */
export interface ClientSettings extends Settings {
  /** Whether every send has all the time it needs, so that each has to be acknowledged. */
  readonly isPatient: boolean
  /** Partitions that topics get while they are written and read. */
  readonly morePartitions: number
  /** Whether members of the group of readers are static: their processes come and go, and their places stay. */
  readonly isStatic: boolean
  /** When an operator lets the second protocol of transactions be spoken (KIP-890): before the run, or so long after its beginning. */
  readonly levelRaised: 'never' | 'before' | { readonly afterMs: number }
}

/** Topics of the run: records of all kinds, records of transactions, and what is made of them. */
export const TOPIC = { plain: 'plain', transactional: 'txn', output: 'out' } as const
/** That each of them has at first. */
export const PARTITIONS = 2

/** Transactions that nobody ends are aborted after it. */
export const TRANSACTION_TIMEOUT_MS = 1_000
/** Members that are not heard of are put out after it, or after three times as long. */
export const SESSION_TIMEOUT_MS = 500

/** A batch of one record is smaller, however it is compressed; one of several need not be. */
const leastBatchBytes = (topic: string): number => (topic === TOPIC.output ? 170 : 120)

/** Front brokers, by their ids; each has a listener of the one real broker. */
export const FRONTS = [1, 2, 3] as const
export const listenerOf = (front: number): string => `FRONT${front}`
export const portOf = (front: number): number => 9100 + front

export const BOOTSTRAP = FRONTS.map(front => `127.0.0.1:${portOf(front)}`).join(',')

export function drawSettings(random: Random): ClientSettings {
  const oneOf = <T>(items: readonly T[]): T => items[random.below(items.length)]!
  const { properties, codecs, protocol, retention, syncMs } = drawBroker(random)
  const durability = oneOf<Durability>(['kill', 'kill', 'kill', 'lossy'])
  const fronts = FRONTS.map(front => `${listenerOf(front)}://127.0.0.1:${portOf(front)}`)
  return {
    durability,
    codecs,
    protocol,
    retention,
    syncMs,
    isPatient: random.below(3) > 0,
    morePartitions: oneOf([0, 0, 0, 0, 1, 2]),
    isStatic: oneOf([false, false, false, true]),
    levelRaised: oneOf(['never', 'never', 'before', { afterMs: random.below(1_000) }]),
    busyMs: oneOf([500, 900, 1_600]),
    delayMs: oneOf([0, 5, 30]),
    faultEveryMs: oneOf([100, 200, 400]),
    properties: {
      ...properties,
      'log.dirs': '/data',
      'log.flush.interval.messages': `${Number.MAX_SAFE_INTEGER}`,
      'offsets.topic.num.partitions': '2',
      'transaction.state.log.num.partitions': '2',
      // Without it a record that arrives after its transaction opens one that nobody ends (KIP-890).
      'transaction.partition.verification.enable': 'true',
      'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200',
      listeners: ['PLAINTEXT://127.0.0.1:9092', ...fronts].join(','),
      'listener.security.protocol.map': ['PLAINTEXT', ...FRONTS.map(listenerOf)]
        .map(one => `${one}:PLAINTEXT`)
        .join(','),
      'inter.broker.listener.name': 'PLAINTEXT',
    },
    topics: Object.values(TOPIC).map(name => ({
      name,
      partitions: PARTITIONS,
      configs: {
        'segment.bytes': `${oneOf([1_000, 4_000, 1 << 20])}`,
        'max.message.bytes': `${oneOf([leastBatchBytes(name), 1 << 20, 1 << 20])}`,
      },
    })),
  }
}
