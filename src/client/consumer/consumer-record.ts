import type { LogRecord, RecordHeader } from '../../protocol/index.ts'
import { bytes, checkSerde, type Serde } from '../serializers.ts'
import type { TopicPartition } from '../topic-partition.ts'

/** How keys and values are read. */
export interface RecordSerdes<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** How a program wants them read; as bytes where it does not say. @throws ConfigError for a deserializer that is none */
export function recordSerdes<K, V>({ key, value }: Partial<RecordSerdes<K, V>>): RecordSerdes<K, V> {
  if (key !== undefined) checkSerde('key', key, 'deserialize')
  if (value !== undefined) checkSerde('value', value, 'deserialize')
  return { key: key ?? bytes, value: value ?? bytes } as RecordSerdes<K, V>
}

const NO_HEADERS: readonly RecordHeader[] = []
/** What `console.log` asks for how an object looks, in Node, Bun and Deno. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/**
 * A record as a consumer gives it. Key and value are turned into their types when they are first looked at: what cannot be read
 * throws there, and what is not looked at costs nothing.
 */
export class ConsumerRecord<K = Uint8Array, V = Uint8Array> implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since 1970; -1 where the record has none. */
  readonly timestamp: number
  /** Epoch of the leader that wrote it; -1 where that is not known. */
  readonly leaderEpoch: number
  readonly headers: readonly RecordHeader[]
  /** The key's bytes, a view of what was read. */
  readonly keyBytes: Uint8Array | null
  /** The value's bytes, a view of what was read. */
  readonly valueBytes: Uint8Array | null
  readonly #serdes: RecordSerdes<K, V>
  #key: K | null | undefined
  #value: V | null | undefined

  /** @internal Consumers make them. */
  constructor(
    place: TopicPartition,
    record: LogRecord & { readonly headerCount: number },
    leaderEpoch: number,
    serdes: RecordSerdes<K, V>,
  ) {
    this.topic = place.topic
    this.partition = place.partition
    this.offset = record.offset
    this.timestamp = record.timestamp
    this.leaderEpoch = leaderEpoch
    this.headers = record.headerCount === 0 ? NO_HEADERS : record.headers
    this.keyBytes = record.key
    this.valueBytes = record.value
    this.#serdes = serdes
  }

  /** @throws what the deserializer throws */
  get key(): K | null {
    if (this.#key === undefined) {
      this.#key = this.keyBytes === null ? null : this.#serdes.key.deserialize(this.keyBytes, this.topic)
    }
    return this.#key
  }

  /** @throws what the deserializer throws */
  get value(): V | null {
    if (this.#value === undefined) {
      this.#value = this.valueBytes === null ? null : this.#serdes.value.deserialize(this.valueBytes, this.topic)
    }
    return this.#value
  }

  /** All that it says, with key and value as they are read: what `JSON.stringify` writes. @throws what the deserializer throws */
  toJSON() {
    const { topic, partition, offset, timestamp, leaderEpoch, headers, key, value } = this
    return { topic, partition, offset, timestamp, leaderEpoch, headers, key, value }
  }

  /** The same for `console.log`; the bytes where they cannot be read. */
  [INSPECT](): object {
    try {
      return this.toJSON()
    } catch {
      return { ...this }
    }
  }
}
