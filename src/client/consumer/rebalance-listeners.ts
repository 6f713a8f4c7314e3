import { channel } from 'node:diagnostics_channel'
import { ConfigError } from '../../config/index.ts'
import type { TopicPartition } from '../topic-partition.ts'
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

/** Whom a consumer tells of the partitions that its group gives and takes. */
export class RebalanceListeners {
  readonly #options: Pick<ConsumerOptions, 'onAssigned' | 'onRevoked' | 'onLost'>
  readonly #who: Pick<RebalanceEvent, 'clientId' | 'groupId'>
  readonly #metrics: ConsumerMetrics

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
    this.#publish('assigned', partitions)
    this.#options.onAssigned?.(partitions)
  }

  /** Resolves when the program has done what it does before they go. */
  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#options.onRevoked?.(partitions)
    this.#publish('revoked', partitions)
  }

  lost(partitions: readonly TopicPartition[]): void {
    if (partitions.length === 0) return
    this.#publish('lost', partitions)
    this.#options.onLost?.(partitions)
  }

  #publish(kind: RebalanceEvent['kind'], partitions: readonly TopicPartition[]): void {
    if (!rebalanceChannel.hasSubscribers) return
    const event: RebalanceEvent = { ...this.#who, kind, partitions }
    rebalanceChannel.publish(event)
  }
}
