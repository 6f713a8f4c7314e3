import { BrokerConfig, DynamicBrokerConfig } from '../config/broker.ts'
import { ConfigError } from '../config/index.ts'
import type { Logger } from '../platform/index.ts'
import type { BrokerServices } from './broker-services.ts'
import { type BoundListener, BrokerStartup, type KafkaServerOptions, type StartedBroker } from './broker-startup.ts'

/** One Kafka broker, from its configuration to its open port (Kafka's KafkaServer). */
export class KafkaServer {
  readonly #started: StartedBroker
  readonly #logger: Logger
  #stopping: Promise<void> | undefined

  private constructor(started: StartedBroker, logger: Logger) {
    this.#started = started
    this.#logger = logger
  }

  get brokerId(): number {
    return this.#started.services.brokerId
  }

  get clusterId(): string {
    return this.#started.services.clusterId
  }

  /** With the ports that were really bound. */
  get listeners(): readonly BoundListener[] {
    return this.#started.listeners
  }

  /** Port of the metrics, or undefined when they are off. */
  get metricsPort(): number | undefined {
    return this.#started.metricsPort
  }

  /** Bytes of requests that are being read or worked on. */
  get queuedBytes(): number {
    return this.#started.parts.sockets?.queuedBytes ?? 0
  }

  /** Open connections of clients. */
  get connectionCount(): number {
    return this.#started.parts.sockets?.connectionCount ?? 0
  }

  get services(): BrokerServices {
    return this.#started.services
  }

  /**
   * Starts a broker and resolves when it answers requests.
   * @throws ConfigError, and errors of the layers, each a line that says what is wrong and the way out. Nothing stays
   * open then.
   */
  static async start(options: KafkaServerOptions): Promise<KafkaServer> {
    const logger = options.logger.child({ logger: 'kafka.server.KafkaServer' })
    const config = new DynamicBrokerConfig(loadConfig(options.properties, logger))
    logger.info({}, 'starting')
    const startup = new BrokerStartup(options, config)
    try {
      const started = await startup.run()
      logger.info({}, `[KafkaServer id=${started.services.brokerId}] started`)
      return new KafkaServer(started, logger)
    } catch (error) {
      await startup.parts.stop()
      throw error
    }
  }

  /** Closes the connections of all clients, who may come again. */
  disconnectAll(): void {
    this.#started.parts.sockets?.disconnectAll()
  }

  /** Stops cleanly: connections end, logs are flushed, checkpoints and the clean-shutdown marker written. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#logger.info({}, `[KafkaServer id=${this.brokerId}] shutting down`)
    await this.#started.parts.stop()
    this.#logger.info({}, `[KafkaServer id=${this.brokerId}] shut down completed`)
  }
}

function loadConfig(properties: ReadonlyMap<string, string>, logger: Logger): BrokerConfig {
  const config = BrokerConfig.load(properties)
  for (const warning of config.warnings) logger.warn({}, warning)
  const unknown = config.unknownKeys()
  if (unknown.length > 0) logger.warn({}, `Unknown configuration keys without effect: ${unknown.join(', ')}`)
  const ensemble = properties.get('zookeeper.connect')
  if (ensemble) {
    throw new ConfigError(
      'a broker cannot join a ZooKeeper ensemble yet; remove the line, and the broker keeps its metadata itself',
      { key: 'zookeeper.connect', value: ensemble },
    )
  }
  return config
}
