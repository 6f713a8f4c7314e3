import { ConfigError } from '../../config/index.ts'
import type { Random } from '../../platform/index.ts'
import { partitionForKey } from './murmur2.ts'

/** A topic as a partitioner sees it. */
export interface PartitionChoice {
  readonly topic: string
  /** The serialized key, text as UTF-8; null for none. */
  readonly keyBytes: Uint8Array | null
  /** The serialized value. */
  readonly valueBytes: Uint8Array | null
  /** What `send` was given. */
  readonly key: unknown
  readonly value: unknown
  readonly partitionCount: number
  /** Partitions that have a leader now; empty when none has. */
  readonly available: readonly number[]
}

/** Chooses the partition of a record that names none: a number from 0 to `partitionCount` - 1. */
export interface Partitioner {
  partition(choice: PartitionChoice): number
}

/** A partitioner of the program's own. @throws ConfigError for what is none */
export function asPartitioner(given: Partitioner | ((choice: PartitionChoice) => number)): Partitioner {
  if (typeof given === 'function') return { partition: given }
  if (typeof given?.partition === 'function') return given
  throw new ConfigError('partitioner: give a function, or an object with partition(); partitioner.class takes names')
}

/** Names that `partitioner.class` may have. */
export const PARTITIONER_NAMES = ['default', 'round-robin', 'random', 'hash'] as const
export type PartitionerName = (typeof PARTITIONER_NAMES)[number]

/** Java's names of what we have too. */
const JAVA_NAMES: Readonly<Record<string, PartitionerName>> = {
  'org.apache.kafka.clients.producer.RoundRobinPartitioner': 'round-robin',
  RoundRobinPartitioner: 'round-robin',
  'org.apache.kafka.clients.producer.internals.DefaultPartitioner': 'default',
  DefaultPartitioner: 'default',
}

/** Our name for what somebody wrote; undefined for what we do not have. */
export function partitionerName(written: string): PartitionerName | undefined {
  const name = JAVA_NAMES[written] ?? written
  return PARTITIONER_NAMES.find(known => known === name)
}

/** The partitioner of a name; undefined for the default, which lives in {@link StickyPartition} and the hash of keys. */
export function partitionerOf(name: PartitionerName, random: Random): Partitioner | undefined {
  switch (name) {
    case 'default':
      return undefined
    case 'round-robin':
      return new RoundRobinPartitioner(random)
    case 'random':
      return { partition: choice => anyOf(choice, random.below(2 ** 31)) }
    case 'hash':
      return new HashPartitioner()
  }
}

/** Takes partitions in turn, whether a record has a key or not (Java's RoundRobinPartitioner). */
class RoundRobinPartitioner implements Partitioner {
  readonly #next = new Map<string, number>()
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  partition(choice: PartitionChoice): number {
    const turn = this.#next.get(choice.topic) ?? this.#random.below(choice.partitionCount)
    this.#next.set(choice.topic, turn + 1)
    return anyOf(choice, turn)
  }
}

/** By the hash of the key, and of the value where there is no key: equal records come together. */
class HashPartitioner implements Partitioner {
  partition({ keyBytes, valueBytes, partitionCount }: PartitionChoice): number {
    return partitionForKey(keyBytes ?? valueBytes ?? '', partitionCount)
  }
}

/** One that has a leader if any has, by a number that may be any. */
function anyOf({ available, partitionCount }: PartitionChoice, number: number): number {
  return available.length > 0 ? available[number % available.length]! : number % partitionCount
}
