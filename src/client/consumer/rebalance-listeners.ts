import { AsyncLocalStorage } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import { ConfigError } from '../../config/index.ts'
import { KafkaError } from '../../protocol/index.ts'
import { isThenable } from '../thenable.ts'
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
  readonly #failed: (error: KafkaError) => void
  /** Partitions that came and did not go yet. */
  readonly #here = new Set<string>()
  /** Calls of `onRevoked` that are under way. None of these promises fails. */
  readonly #calls = new Map<symbol, Promise<void>>()
  /** The call out of which something was begun. On while there are calls, for before Node 24 it costs every promise something. */
  readonly #caller = new AsyncLocalStorage<symbol>()

  /**
   * `failed` hears of what comes too late to be thrown.
   * @throws ConfigError for a listener that is no function, where no compiler looks
   */
  constructor(
    options: Pick<ConsumerOptions, 'onAssigned' | 'onRevoked' | 'onLost'>,
    who: Pick<RebalanceEvent, 'clientId' | 'groupId'>,
    metrics: ConsumerMetrics,
    failed: (error: KafkaError) => void,
  ) {
    for (const name of ['onAssigned', 'onRevoked', 'onLost'] as const) {
      const kind = typeof options[name]
      if (kind !== 'function' && kind !== 'undefined') throw new ConfigError(`${name}: give a function, not ${kind}`)
    }
    this.#options = options
    this.#who = who
    this.#metrics = metrics
    this.#failed = failed
  }

  assigned(partitions: readonly TopicPartition[]): void {
    this.#metrics.rebalances += 1
    if (partitions.length === 0) return
    for (const one of partitions) this.#here.add(partitionKey(one))
    this.#publish('assigned', partitions)
    this.#call(() => this.#options.onAssigned?.(partitions))
  }

  /** Whether it is the program that asks, out of `onRevoked`: it would wait for itself. */
  get isAsking(): boolean {
    const caller = this.#caller.getStore()
    return caller !== undefined && this.#calls.has(caller)
  }

  /**
   * Resolves when the program has done what it does before they go, also where it was told so before, but for a program that lets go of
   * them while it is told.
   */
  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const before = this.isAsking ? [] : [...this.#calls.values()]
    const going = this.#leaving(partitions)
    if (going.length > 0) await this.#tellRevoked(going)
    if (before.length > 0) await Promise.all(before)
  }

  async #tellRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    const call = Symbol('onRevoked')
    let end = (): void => undefined
    const isOver = new Promise<void>(resolve => {
      end = resolve
    })
    this.#calls.set(call, isOver)
    try {
      await this.#caller.run(call, () => this.#options.onRevoked?.(partitions))
    } catch (error) {
      throw asEnd(error)
    } finally {
      this.#calls.delete(call)
      if (this.#calls.size === 0) this.#caller.disable()
      end()
    }
    this.#publish('revoked', partitions)
  }

  lost(partitions: readonly TopicPartition[]): void {
    const gone = this.#leaving(partitions)
    if (gone.length === 0) return
    this.#publish('lost', gone)
    this.#call(() => this.#options.onLost?.(gone))
  }

  #call(listener: () => unknown): void {
    try {
      const result = listener()
      // Nobody waits for it, but an async function gives one all the same.
      if (isThenable(result)) result.then(undefined, error => this.#failed(KafkaError.from(error)))
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
