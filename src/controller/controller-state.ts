import type { DynamicBrokerConfig } from '../config/broker.ts'
import type { MetadataCache } from '../metadata/index.ts'
import type { Clock, Logger, Random } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'
import { isZooKeeperError, type ZooKeeper } from '../zookeeper/index.ts'
import type { FencedWriter } from './fenced-writer.ts'

/** What the parts of a controller stand on. */
export interface ControllerOptions {
  readonly zooKeeper: ZooKeeper
  /** Where the image is published. */
  readonly metadata: MetadataCache
  /** Settings of this broker; dynamic ones are put into effect as they change. */
  readonly config: DynamicBrokerConfig
  readonly brokerId: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/**
 * What the parts of a controller share: its right to write, and the queue in which its changes stand. One change is
 * planned from the image, written and published before the next is planned, so a plan is never made from what is out of
 * date.
 */
export class ControllerState {
  readonly options: ControllerOptions
  #writer: FencedWriter | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: ControllerOptions) {
    this.options = options
  }

  /** Whether this broker is the controller. */
  get isActive(): boolean {
    return this.#writer !== undefined
  }

  /** Gives or takes the right to write. */
  setWriter(writer: FencedWriter | undefined): void {
    this.#writer = writer
  }

  /** Runs `task` after all that was queued before. */
  queue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** As {@link queue}, for the controller alone: rejects with NOT_CONTROLLER when another broker is. */
  change<T>(task: (writer: FencedWriter) => Promise<T>): Promise<T> {
    return this.queue(() => {
      if (!this.#writer) throw new KafkaError('NOT_CONTROLLER', 'This is not the correct controller for this cluster.')
      return task(this.#writer)
    })
  }

  /** Resolves when the queue is empty. */
  async idle(): Promise<void> {
    await this.#last
  }

  /**
   * The error that a client is told: a `KafkaError` as it is; anything else is logged, and is KAFKA_STORAGE_ERROR where the
   * metadata store could not write and UNKNOWN_SERVER_ERROR where nobody knows.
   */
  toKafkaError(error: unknown, doing: string): KafkaError {
    if (error instanceof KafkaError) return error
    this.options.logger.error({ err: error }, `Error while ${doing}`)
    const code = isZooKeeperError(error, 'SYSTEM_ERROR') ? 'KAFKA_STORAGE_ERROR' : 'UNKNOWN_SERVER_ERROR'
    return new KafkaError(code, undefined, { cause: error })
  }
}
