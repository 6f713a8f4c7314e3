import { holdProcess, type Logger, type Timer } from '../../platform/index.ts'
import { ErrorCode, KafkaError, type MessageInput, type MessageOf } from '../../protocol/index.ts'
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts'
import { Backoff } from '../backoff.ts'
import type { Cluster } from '../cluster.ts'
import type { Idempotence, Refusal } from './idempotence.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { type ProduceEvent, produceChannel } from './producer-events.ts'
import type { ProducerMetrics } from './producer-metrics.ts'
import type { ProducerSettings } from './producer-settings.ts'

const PRODUCE = { request: ProduceRequest, response: ProduceResponse }
/** From the next version on topics go by their ids. */
const MAX_PRODUCE_VERSION = 12

/** Who decides what may be sent, beside the sender. */
export interface SenderParts {
  readonly cluster: Cluster
  readonly settings: ProducerSettings
  readonly metrics: ProducerMetrics
  readonly logger: Logger
  /** Undefined for a producer without idempotence. */
  readonly idempotence: Idempotence | undefined
  /** Asks for an identity when there is none; calls {@link Sender.wake} when it came. */
  readonly identify: () => void
  /** Whether the partition may be written to now: a transaction has to know of it first. */
  readonly isAllowed: (queue: PartitionQueue) => boolean
  /** The newest version of Produce that the transaction under way allows; undefined for any. */
  readonly maxProduceVersion: () => number | undefined
  /** A batch was replaced by others. */
  readonly onSplit: (batch: ProducerBatch, parts: readonly ProducerBatch[]) => void
  /** A batch is done, one way or the other. */
  readonly onDone: (batch: ProducerBatch, error: Error | undefined) => void
}

/** A request to come: batches of one leader. */
interface Load {
  readonly batches: ProducerBatch[]
  bytes: number
}

/**
 * Sends what waits to the leaders: once per turn of the event loop, to each leader at most `max.in.flight` requests at a time, each
 * with one batch of every partition that is ready. What could not be delivered is put back in order and sent again.
 */
export class Sender {
  readonly #parts: SenderParts
  readonly #backoff: Backoff
  readonly #active = new Set<PartitionQueue>()
  readonly #inFlight = new Map<number, number>()
  #isScheduled = false
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #isRefreshing = false
  #refreshesInVain = 0
  #refreshAfterMs = Number.NEGATIVE_INFINITY
  #isClosed = false
  #abandonedBy: Error | undefined
  #hold: Disposable | undefined
  /** Above 0, batches do not linger: somebody waits for them, or for their memory. */
  urgency = 0

  constructor(parts: SenderParts) {
    this.#parts = parts
    const { retryBackoffMs, retryBackoffMaxMs, random } = parts.cluster.settings
    this.#backoff = new Backoff(retryBackoffMs, retryBackoffMaxMs, random)
  }

  /** Something waits in this queue. */
  activate(queue: PartitionQueue): void {
    this.#active.add(queue)
    if (!this.#isScheduled) this.wake()
  }

  /** Looks for what can be sent after this turn of the event loop. */
  wake(): void {
    if (this.#isScheduled || this.#isClosed) return
    this.#isScheduled = true
    this.#parts.cluster.settings.clock.soon(() => this.#run())
  }

  /** Fails everything that waits, with what gets the memory of that; what is on its way is still heard. */
  failWaiting(error: Error): void {
    for (const queue of this.#active) {
      // Taken out first: a queue that gets records meanwhile comes in again, and has its turn.
      this.#active.delete(queue)
      for (const batch of queue.waiting.splice(0)) this.#fail(batch, error, batch.attempts === 0)
    }
  }

  /** Fails what waits and was never sent. */
  failUnsent(error: Error): void {
    for (const queue of this.#active) {
      const all = queue.waiting.splice(0)
      queue.waiting.push(...all.filter(({ attempts }) => attempts > 0))
      for (const batch of all) if (batch.attempts === 0) this.#fail(batch, error, true)
    }
  }

  /** Nothing can be sent any more: fails everything that waits, and what is on its way when it comes back. */
  abandon(error: Error): void {
    this.#abandonedBy = error
    this.failWaiting(error)
  }

  /** Fails everything that waits, and sends nothing any more. */
  close(error: Error): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.failWaiting(error)
    this.#holdWhileWaiting()
  }

  #run(): void {
    this.#isScheduled = false
    if (this.#isClosed) return
    const { cluster, idempotence } = this.#parts
    const nowMs = cluster.settings.clock.monotonicMs()
    if (idempotence !== undefined && this.#active.size > 0) {
      idempotence.applyBump()
      if (idempotence.identity === undefined) this.#parts.identify()
    }
    this.#expire(nowMs)
    for (let isBusy = true; isBusy; ) {
      const loads = this.#collect(nowMs)
      isBusy = loads.size > 0
      for (const [leader, load] of loads) this.#send(leader, load, nowMs)
    }
    if (cluster.isStale && this.#active.size > 0) this.#refresh(nowMs)
    this.#holdWhileWaiting()
  }

  /** What waits for a timer alone, with no connection open, still has to be sent. */
  #holdWhileWaiting(): void {
    if (this.#active.size > 0) this.#hold ??= holdProcess()
    else {
      this.#hold?.[Symbol.dispose]()
      this.#hold = undefined
    }
  }

  /** Takes out of the queues what goes with the next request to each leader. */
  #collect(nowMs: number): Map<number, Load> {
    const loads = new Map<number, Load>()
    for (const queue of [...this.#active]) {
      const batch = queue.waiting[0]
      if (batch === undefined) {
        this.#active.delete(queue)
        continue
      }
      const leader = this.#readyLeader(queue, batch, nowMs)
      if (leader < 0) continue
      const load = loads.get(leader) ?? { batches: [], bytes: 0 }
      if (load.batches.length > 0 && load.bytes + batch.sizeBytes > this.#parts.settings.maxRequestBytes) continue
      queue.take()
      load.bytes += batch.sizeBytes
      load.batches.push(batch)
      loads.set(leader, load)
      // To the end of the line, so that no partition waits because others have much to say.
      this.#active.delete(queue)
      if (queue.waiting.length > 0) this.#active.add(queue)
    }
    return loads
  }

  /** The broker that a batch can be sent to now, or -1. */
  #readyLeader(queue: PartitionQueue, batch: ProducerBatch, nowMs: number): number {
    const { cluster, settings, idempotence } = this.#parts
    const readyMs = Math.max(
      batch.notBeforeMs,
      this.#isLingering(queue, batch) ? batch.createdMs + settings.lingerMs : 0,
    )
    if (readyMs > nowMs) {
      this.#wakeAt(readyMs, nowMs)
      return -1
    }
    if (settings.maxInFlight === 1 && queue.inFlight > 0) return -1
    if (!this.#parts.isAllowed(queue)) return -1
    if (idempotence !== undefined) {
      idempotence.resolve(queue)
      if (!idempotence.mayDrain(queue, batch)) return -1
    }
    const leader = cluster.metadata.partition(queue.topic, queue.partition)?.leader ?? -1
    if (leader < 0 || !cluster.metadata.brokers.has(leader)) {
      this.#refresh(nowMs)
      return -1
    }
    return (this.#inFlight.get(leader) ?? 0) < settings.maxInFlight ? leader : -1
  }

  #isLingering(queue: PartitionQueue, batch: ProducerBatch): boolean {
    const { lingerMs, batchBytes } = this.#parts.settings
    return (
      lingerMs > 0 &&
      this.urgency === 0 &&
      queue.waiting.length === 1 &&
      !batch.isClosed &&
      batch.sizeBytes < batchBytes
    )
  }

  #send(leader: number, { batches }: Load, nowMs: number): void {
    const { cluster, settings, idempotence, metrics } = this.#parts
    const { compression, compressionLevel, transactionalId, acks, deliveryTimeoutMs, requestTimeoutMs } = settings
    const topics = new Map<string, ProducerBatch[]>()
    let deadlineMs = nowMs + requestTimeoutMs
    for (const batch of batches) {
      const { queue } = batch
      idempotence?.sending(queue, batch)
      batch.seal({ compression, compressionLevel, isTransactional: transactionalId !== null })
      batch.attempts += 1
      queue.inFlight += 1
      deadlineMs = Math.min(deadlineMs, batch.createdMs + deliveryTimeoutMs)
      metrics.sent(batch)
      const list = topics.get(queue.topic)
      if (list === undefined) topics.set(queue.topic, [batch])
      else list.push(batch)
    }
    this.#inFlight.set(leader, (this.#inFlight.get(leader) ?? 0) + 1)
    const options = {
      timeoutMs: Math.max(1, deadlineMs - nowMs),
      isOneWay: acks === 0,
      maxVersion: this.#parts.maxProduceVersion() ?? MAX_PRODUCE_VERSION,
    }
    cluster.request({ broker: leader }, PRODUCE, requestBody(topics, settings), options).then(
      answer => {
        if (produceChannel.hasSubscribers) this.#publish(leader, batches, nowMs, undefined)
        this.#answered(leader, topics, answer)
      },
      error => {
        if (produceChannel.hasSubscribers) this.#publish(leader, batches, nowMs, error)
        this.#unanswered(leader, batches, error)
      },
    )
  }

  #publish(broker: number, batches: readonly ProducerBatch[], sentMs: number, error: Error | undefined): void {
    const { clock, clientId } = this.#parts.cluster.settings
    const event: ProduceEvent = {
      clientId,
      broker,
      batches: batches.length,
      records: batches.reduce((sum, { recordCount }) => sum + recordCount, 0),
      bytes: batches.reduce((sum, { bytes }) => sum + bytes.length, 0),
      durationMs: clock.monotonicMs() - sentMs,
      error,
    }
    produceChannel.publish(event)
  }

  #answered(
    leader: number,
    topics: ReadonlyMap<string, ProducerBatch[]>,
    answer: MessageOf<typeof ProduceResponse>,
  ): void {
    this.#arrived(leader)
    const left = new Set<ProducerBatch>()
    for (const batches of topics.values()) for (const batch of batches) left.add(batch)
    if (this.#parts.settings.acks === 0) {
      for (const batch of left) this.#complete(batch, { baseOffset: -1, logAppendTimeMs: -1 })
      return
    }
    for (const { name, partitionResponses } of answer.responses) {
      const batches = topics.get(name) ?? []
      for (const [place, result] of partitionResponses.entries()) {
        const inPlace = batches[place]
        const batch =
          inPlace?.queue.partition === result.index
            ? inPlace
            : batches.find(one => one.queue.partition === result.index)
        if (batch === undefined || !left.delete(batch)) continue
        if (result.errorCode === ErrorCode.NONE) this.#complete(batch, result)
        else {
          const error = KafkaError.fromCode(result.errorCode, messageOf(batch, result))
          const place = { topic: name, partition: result.index }
          const hasNewLeader = this.#parts.cluster.leaderMoved(place, result.currentLeader, answer.nodeEndpoints)
          this.#refused(batch, { error, logStartOffset: result.logStartOffset, hasNewLeader })
        }
      }
    }
    for (const batch of left) {
      const { topic, partition } = batch.queue
      const error = new KafkaError('UNKNOWN_SERVER_ERROR', `the broker said nothing about ${topic}-${partition}`)
      this.#refused(batch, { error, logStartOffset: -1 })
    }
  }

  #unanswered(leader: number, batches: readonly ProducerBatch[], error: unknown): void {
    this.#arrived(leader)
    const reason = KafkaError.from(error)
    for (const batch of batches) this.#refused(batch, { error: reason, logStartOffset: -1 })
  }

  #arrived(leader: number): void {
    const left = (this.#inFlight.get(leader) ?? 1) - 1
    if (left > 0) this.#inFlight.set(leader, left)
    else this.#inFlight.delete(leader)
    this.wake()
  }

  #complete(batch: ProducerBatch, where: { readonly baseOffset: number; readonly logAppendTimeMs: number }): void {
    const { queue } = batch
    queue.inFlight -= 1
    this.#parts.idempotence?.acknowledged(queue, batch, where.baseOffset)
    batch.complete(where)
    this.#parts.onDone(batch, undefined)
  }

  #refused(batch: ProducerBatch, refusal: Refusal): void {
    const { settings, idempotence, cluster, metrics, logger } = this.#parts
    const { error, hasNewLeader = false } = refusal
    const { queue } = batch
    // The broker has it from an earlier try whose answer was lost.
    if (error.code === 'DUPLICATE_SEQUENCE_NUMBER') {
      this.#complete(batch, { baseOffset: -1, logAppendTimeMs: -1 })
      return
    }
    queue.inFlight -= 1
    if (this.#abandonedBy !== undefined) {
      this.#fail(batch, this.#abandonedBy, false)
      return
    }
    if (error.code === 'MESSAGE_TOO_LARGE' && batch.recordCount > 1) {
      this.#split(batch)
      return
    }
    const nowMs = cluster.settings.clock.monotonicMs()
    if (error.retriable && !hasNewLeader) this.#refresh(nowMs)
    const verdict = idempotence?.verdict(queue, batch, refusal) ?? (error.retriable ? 'retry' : 'fail')
    const isLate = nowMs >= batch.createdMs + settings.deliveryTimeoutMs
    if (verdict === 'fail' || isLate || batch.attempts > settings.retries || this.#isClosed) {
      // Whether an earlier try, or one that was not answered, reached the log nobody knows.
      this.#fail(batch, error, verdict === 'fail' && batch.attempts === 1)
      return
    }
    metrics.retries += 1
    logger.debug(
      { err: error, topic: queue.topic, partition: queue.partition, attempts: batch.attempts },
      'produce retried',
    )
    batch.notBeforeMs = hasNewLeader ? nowMs : nowMs + this.#backoff.delayMs(batch.attempts)
    queue.putBack(batch)
    this.activate(queue)
  }

  /** Sends the records of a batch that the topic's `max.message.bytes` forbids as two (KIP-126). */
  #split(batch: ProducerBatch): void {
    batch.queue.refusedAsTooLarge(batch)
    const parts = batch.split()
    batch.queue.sequence.split(batch, parts)
    this.#parts.onSplit(batch, parts)
    for (const part of parts) batch.queue.putBack(part)
    this.activate(batch.queue)
  }

  #fail(batch: ProducerBatch, error: Error, isCertain: boolean): void {
    this.#parts.idempotence?.failed(batch.queue, batch, isCertain)
    batch.fail(error)
    this.#parts.onDone(batch, error)
  }

  /** Fails what has waited longer than `delivery.timeout.ms`. */
  #expire(nowMs: number): void {
    const { deliveryTimeoutMs } = this.#parts.settings
    for (const queue of this.#active) {
      for (let oldest = queue.waiting[0]; oldest !== undefined; oldest = queue.waiting[0]) {
        const endMs = oldest.createdMs + deliveryTimeoutMs
        if (endMs > nowMs) {
          this.#wakeAt(endMs, nowMs)
          break
        }
        queue.take()
        const where = `${queue.topic}-${queue.partition}`
        const message = `${oldest.recordCount} records for ${where} were not delivered within ${deliveryTimeoutMs} ms`
        this.#fail(oldest, new KafkaError('REQUEST_TIMED_OUT', message), oldest.attempts === 0)
      }
    }
  }

  #wakeAt(atMs: number, nowMs: number): void {
    if (atMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = this.#parts.cluster.settings.clock.schedule(Math.max(1, Math.ceil(atMs - nowMs)), () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY
      this.wake()
    })
  }

  /** Asks who leads what now; again after a growing pause while that fails or changes nothing. */
  #refresh(nowMs: number): void {
    if (this.#isRefreshing || this.#isClosed) return
    if (nowMs < this.#refreshAfterMs) {
      this.#wakeAt(this.#refreshAfterMs, nowMs)
      return
    }
    const { cluster, logger } = this.#parts
    const { clock, retryBackoffMaxMs } = cluster.settings
    // Nobody needed to ask for a while: what came before is over.
    if (nowMs > this.#refreshAfterMs + retryBackoffMaxMs) this.#refreshesInVain = 0
    this.#isRefreshing = true
    const before = cluster.metadata
    const done = (): void => {
      this.#isRefreshing = false
      this.#refreshAfterMs = clock.monotonicMs() + this.#backoff.delayMs(Math.max(1, this.#refreshesInVain))
      this.wake()
    }
    this.#refreshesInVain += 1
    cluster.refresh().then(
      after => {
        if (!after.hasLeadersOf(before)) this.#refreshesInVain = 0
        done()
      },
      error => {
        logger.debug({ err: error }, 'metadata not renewed')
        // Nobody will say who leads what, however long the records wait.
        if (error instanceof KafkaError && error.fatal) this.failWaiting(error)
        done()
      },
    )
  }
}

/** What the broker said, for the person who reads the error of a record. */
function messageOf(
  batch: ProducerBatch,
  result: { readonly errorCode: number; readonly errorMessage: string | null },
): string {
  const { topic, partition } = batch.queue
  const reason = result.errorMessage ?? KafkaError.fromCode(result.errorCode).message
  return `${topic}-${partition}: ${reason}`
}

function requestBody(
  topics: ReadonlyMap<string, ProducerBatch[]>,
  { acks, transactionalId, requestTimeoutMs }: ProducerSettings,
): MessageInput<typeof ProduceRequest> {
  const topicData = Array.from(topics, ([name, batches]) => ({
    name,
    partitionData: batches.map(({ queue, bytes }) => ({ index: queue.partition, records: bytes })),
  }))
  return { acks, transactionalId, timeoutMs: requestTimeoutMs, topicData }
}
