import { channel } from 'node:diagnostics_channel'
import { ConfigError } from '../../config/index.ts'
import { KafkaError } from '../../protocol/index.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'
import type { ConsumerMetrics } from './consumer-metrics.ts'
import type { ConsumerOptions } from './consumer-options.ts'

/** Partitions came to a member of a group, or went. */
export interface RebalanceEvent {
  readonly clientId: string
  readonly groupId: string
  /** `revoked` went after their offsets could be committed, `lost` were another member's by then. */
  readonly kind: 'assigned' | 'revoked' | 'lost'
  readonly partitions: readonly TopicPartition[]
}

/** `node:diagnostics_channel` on which every consumer tells what its group gives and takes, a {@link RebalanceEvent} each. */
export const rebalanceChannel = channel('monedula:consumer:rebalance')

/**
 * Whom a consumer tells of the partitions that its group gives and takes: of each that came, once that it goes, however many let go of
 * it at a time. What a listener throws ends the consumer.
 */
export class RebalanceListeners {
  readonly #options: Pick<ConsumerOptions, 'onAssigned' | 'onRevoked' | 'onLost'>
  readonly #who: Pick<RebalanceEvent, 'clientId' | 'groupId'>
  readonly #metrics: ConsumerMetrics
  /** Partitions that came and did not go yet. */
  readonly #here = new Set<string>()
  #revoking: Promise<void> = Promise.resolve()

  /** @throws ConfigError for a listener that is no function, where no compiler looks */
  constructor(
    options: Pick<ConsumerOptions, 'onAssigned' | 'onRevoked' | 'onLost'>,
    who: Pick<RebalanceEvent, 'clientId' | 'groupId'>,
    metrics: ConsumerMetrics,
  ) {
    for (const name of ['onAssigned', 'onRevoked', 'onLost'] as const) {
      const kind = typeof options[name]
      if (kind !== 'function' && kind !== 'undefined') throw new ConfigError(`${name}: give a function, not ${kind}`)
    }
    this.#options = options
    this.#who = who
    this.#metrics = metrics
  }

  assigned(partitions: readonly TopicPartition[]): void {
    this.#metrics.rebalances += 1
    if (partitions.length === 0) return
    for (const one of partitions) this.#here.add(partitionKey(one))
    this.#publish('assigned', partitions)
    try {
      this.#options.onAssigned?.(partitions)
    } catch (error) {
      throw asEnd(error)
    }
  }

  /** Resolves when the program has done what it does before they go, also where it was told so before. */
  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const going = this.#leaving(partitions)
    const before = this.#revoking
    const told = this.#tellRevoked(going)
    this.#revoking = Promise.allSettled([before, told]).then(() => undefined)
    await told
    await before
  }

  async #tellRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    try {
      await this.#options.onRevoked?.(partitions)
    } catch (error) {
      throw asEnd(error)
    }
    this.#publish('revoked', partitions)
  }

  lost(partitions: readonly TopicPartition[]): void {
    const gone = this.#leaving(partitions)
    if (gone.length === 0) return
    this.#publish('lost', gone)
    try {
      this.#options.onLost?.(gone)
    } catch (error) {
      throw asEnd(error)
    }
  }

  /** Those of which nobody has been told that they go. */
  #leaving(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
    return partitions.filter(one => this.#here.delete(partitionKey(one)))
  }

  #publish(kind: RebalanceEvent['kind'], partitions: readonly TopicPartition[]): void {
    if (!rebalanceChannel.hasSubscribers) return
    const event: RebalanceEvent = { ...this.#who, kind, partitions }
    rebalanceChannel.publish(event)
  }
}

/** What is thrown by the program is not for the membership to try again, whatever its code. */
const asEnd = (error: unknown): unknown => (error instanceof KafkaError ? new ListenerFailed(error) : error)

class ListenerFailed extends KafkaError {
  override readonly retriable: boolean = false

  constructor(cause: KafkaError) {
    super(cause.code, cause.message, { cause })
  }

  override get fatal(): boolean {
    return true
  }
}
