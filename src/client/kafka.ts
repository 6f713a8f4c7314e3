import { addressOptions, requiredEnvironmentOptions } from './address.ts'
import { Admin, type AdminOptions } from './admin/admin.ts'
import { checkedSettings, type KafkaOptions, overridden } from './client-options.ts'
import { Consumer } from './consumer/consumer.ts'
import type { ConsumerOptions } from './consumer/consumer-options.ts'
import { Producer, type ProducerOptions } from './producer/producer.ts'
import type { Raw } from './producer/record-input.ts'

/** A cluster by its address. Nothing is connected before something is asked for. */
export class Kafka {
  readonly #options: KafkaOptions

  /** @throws ConfigError for what is no object of settings */
  constructor(options: KafkaOptions) {
    this.#options = checkedSettings(options)
  }

  /**
   * A client that manages topics, settings and groups.
   * @throws ConfigError that names the key
   */
  admin(options: AdminOptions = {}): Admin {
    return new Admin(overridden(this.#options, options))
  }

  /**
   * A consumer of keys and values of the types that its deserializers give; bytes when none are named.
   * @throws ConfigError that names the key
   */
  consumer<K = Uint8Array, V = Uint8Array>(options: ConsumerOptions<K, V> = {}): Consumer<K, V> {
    return new Consumer(overridden(this.#options, options))
  }

  /**
   * A producer of keys and values of the types that its serializers take; text and bytes when none are named.
   * @throws ConfigError that names the key
   */
  producer<K = Raw, V = Raw>(options: ProducerOptions<K, V> = {}): Producer<K, V> {
    return new Producer(overridden(this.#options, options))
  }
}

/**
 * Names a cluster: by addresses (`'localhost:9092,localhost:9093'`), by a URL (`'kafka+ssl://user:password@host:9093'`), or by settings;
 * by what `MONEDULA_URL` or `KAFKA_URL` of the environment says when left out.
 *
 * ```ts
 * const kafka = connect('localhost:9092')
 * ```
 * @throws ConfigError for an address that is none, and for what is neither address nor settings
 */
export function connect(to?: string | readonly string[] | KafkaOptions): Kafka {
  if (to === undefined) return new Kafka(requiredEnvironmentOptions())
  if (typeof to === 'string') return new Kafka(addressOptions(to))
  return new Kafka(isList(to) ? { bootstrapServers: to } : to)
}

const isList = (to: readonly string[] | KafkaOptions): to is readonly string[] => Array.isArray(to)
