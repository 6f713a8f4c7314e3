import {
  EndTxnRequest,
  EndTxnResponse,
  ErrorCode,
  type MessageInput,
  type MessageOf,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from '../../../src/protocol/everything.ts'
import type { Session } from '../../../src/testing/history/index.ts'
import {
  ADD_OFFSETS,
  ADD_PARTITIONS,
  FIRST_PROTOCOL,
  INIT_PRODUCER_ID,
  REFUSED,
  RETRIABLE,
  SECOND_PROTOCOL,
  since,
  type TransactionProtocol,
} from './apis.ts'
import type { Claim } from './claims.ts'
import { finalizedLevel } from './feature-operator.ts'
import { Latecomers } from './latecomers.ts'
import { Peer } from './peer.ts'
import { encoded, ignoreUnavailable, produce } from './plain-producer.ts'
import { TRANSACTION_TIMEOUT_MS } from './settings.ts'
import type { World } from './world.ts'

/** This producer is of no use any more: it was fenced, or does not know what became of something. */
export class Abandoned extends Error {}

/** EndTxn of all clients, and its first version in the second protocol: whoever knows it knows the protocol. */
const EVERY_END = [EndTxnRequest, EndTxnResponse, 0, 5] as const
const FIRST_SECOND_END = 5

type TransactionalBatch = Parameters<typeof produce>[2]

interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** What a broker says of a request, and whether an earlier try of it got no answer. */
interface Outcome {
  readonly errorCode: number | undefined
  readonly wasUnknown: boolean
}

/** What a producer is told that somebody else came after, or that what it wants was never begun. */
const OUSTED: ReadonlySet<number | undefined> = new Set([
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ErrorCode.INVALID_TXN_STATE,
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.TRANSACTION_ABORTABLE,
])

/** A member of a group that commits in a transaction. */
export interface GroupIdentity {
  readonly fields: {
    readonly generationId: number
    readonly memberId: string
    readonly groupInstanceId?: string | null
  }
  /** Its place in the group, and that of its process in the instance. */
  readonly session: Session
  readonly instance?: Session | undefined
}

/** One process with a transactional id, from its InitProducerId until it is fenced or gives up. */
export class TransactionalSession {
  readonly #world: World
  readonly #peer: Peer
  readonly transactionalId: string
  /** Power cuts that took what was not synced, when it began. */
  readonly #losses: number
  #producerId = -1
  #producerEpoch = -1
  #session: Session | undefined
  #sequences = new Map<string, number>()
  #added = new Set<string>()
  #transaction: string | undefined
  #transactions = 0
  #protocol: TransactionProtocol = FIRST_PROTOCOL
  /** Whether all that was written in the epoch is of one transaction. */
  #isOwnEpoch = true
  /** Of `transaction.version`, as far as it has heard. */
  #level = 0
  #claim: Claim | undefined
  #begunAt = 0
  /** It has written to a partition that it did not add. */
  #hasForgotten = false
  readonly #late: Latecomers

  constructor(world: World, transactionalId: string, name: string) {
    this.#world = world
    this.#peer = new Peer(world, name)
    this.#late = new Latecomers(world, name)
    this.#losses = world.losses
    // What a coordinator loses with the power it promised to ids of before: one that comes later has another.
    this.transactionalId = world.losses === 0 ? transactionalId : `${transactionalId}~${world.losses}`
  }

  get peer(): Peer {
    return this.#peer
  }

  /** Name of the transaction that is open, unlike any other. */
  get transaction(): string {
    if (this.#transaction === undefined) {
      if (this.#world.losses > this.#losses) throw new Abandoned('its coordinator may not know it any more')
      this.#transactions += 1
      this.#transaction = `${this.transactionalId}/${this.#producerId}/${this.#producerEpoch}/${this.#transactions}`
      this.#added.clear()
      this.#protocol = this.#level >= 2 ? SECOND_PROTOCOL : FIRST_PROTOCOL
      this.#begunAt = this.#world.clock.monotonicMs()
    }
    return this.#transaction
  }

  /** Whether the open transaction, or the next, goes by the second protocol. */
  get hasOwnEpoch(): boolean {
    return this.#transaction === undefined ? this.#level >= 2 : this.#protocol.isSecond
  }

  /** Takes the transactional id. */
  async init(): Promise<void> {
    const { history, settings } = this.#world
    const survives = settings.durability !== 'lossy'
    const of = `id ${this.transactionalId}`
    const id = history.invoke({ kind: 'take-place', of, who: this.#peer.name, survives })
    const request = { transactionalId: this.transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS }
    this.#claim = this.#world.claims.begin(this.transactionalId)
    for (let attempt = 0; attempt < 20; attempt++) {
      const answer = await this.#peer.call(INIT_PRODUCER_ID, request).catch(ignoreUnavailable)
      if (answer?.errorCode === 0) {
        this.#producerId = answer.producerId
        this.#producerEpoch = answer.producerEpoch
        // Epochs rise, and where they are used up there is a new, larger id.
        this.#session = { of, number: answer.producerId * 0x1_0000 + answer.producerEpoch }
        this.#claim.isAsking = false
        history.ok(id, { session: this.#session })
        await this.#listen()
        return
      }
      if (answer !== undefined && !RETRIABLE.has(answer.errorCode)) break
      await this.#pause()
    }
    history.info(id)
    throw new Abandoned('no producer id')
  }

  /** Sends batches in the open transaction, in the second protocol all at once: the broker keeps them in order. */
  async send(topic: string, partition: number, ...batches: readonly (readonly string[])[]): Promise<void> {
    const name = `${topic}-${partition}`
    const { transaction } = this
    if (!this.#protocol.isSecond) {
      if (this.#mayForget(name)) {
        this.#hasForgotten = true
        this.#world.count('partition not added')
      } else await this.#add(topic, partition)
    }
    const sent = batches.map(values => this.#write({ topic, partition, values }, transaction))
    const early = this.#protocol.isSecond ? sent.map(({ batch }) => this.#produce(batch)) : []
    for (const [index, { id, batch }] of sent.entries()) {
      let offset = -1
      let first = early[index]
      const outcome = await this.#retried(async () => {
        const answer = await (first ?? produce(this.#world, this.#peer, batch))
        offset = answer.offset
        // The one before it had to be sent again.
        const isAhead = first !== undefined && index > 0 && answer.errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
        first = undefined
        return isAhead ? ErrorCode.CONCURRENT_TRANSACTIONS : answer.errorCode
      })
      if (outcome.errorCode !== 0) for (const { id } of sent.slice(index + 1)) this.#world.history.info(id)
      this.#settle(id, outcome, offset >= 0 ? { offset } : {})
    }
  }

  /** Sends now; whoever wants to know what comes of it may ask later. */
  #produce(batch: TransactionalBatch) {
    const answer = produce(this.#world, this.#peer, batch)
    answer.catch(ignoreUnavailable)
    if (this.#isSentAgain()) this.#late.send(peer => produce(this.#world, peer, batch))
    return answer
  }

  /**
   * Gives up a batch, and with it its transaction, which is to be aborted: the batch comes when it comes, perhaps when the next
   * transaction is under way.
   */
  giveUp(topic: string, partition: number, values: readonly string[]): void {
    const world = this.#world
    const { id, batch } = this.#write({ topic, partition, values }, this.transaction)
    world.history.info(id)
    this.#late.send(async peer => {
      const { errorCode } = await produce(world, peer, batch)
      world.count(errorCode === 0 ? 'given up and written' : 'given up and refused')
    })
  }

  /** Writes records of a transaction down as sent, in the next sequences. */
  #write(
    {
      topic,
      partition,
      values,
    }: { readonly topic: string; readonly partition: number; readonly values: readonly string[] },
    transaction: string,
  ): { readonly id: number; readonly batch: TransactionalBatch } {
    const name = `${topic}-${partition}`
    const baseSequence = this.#sequences.get(name) ?? 0
    this.#sequences.set(name, baseSequence + values.length)
    const sent = values.map(value => ({ value }))
    const records = encoded(this.#world, sent, { ...this.#identity, baseSequence, isTransactional: true })
    const id = this.#world.history.invoke({
      kind: 'produce',
      producer: `${this.#producerId}/${this.#producerEpoch}`,
      partition: name,
      records: sent,
      transaction,
      isIdempotent: true,
      survives: this.#world.settings.durability === 'synced',
      session: this.#session!,
    })
    const { transactionalId } = this
    return { id, batch: { topic, partition, records, transactionalId, protocol: this.#protocol } }
  }

  /** Sets the offset of a group when the transaction commits; a member says that it is one (KIP-447). */
  async sendOffset(
    groupId: string,
    { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: number },
    member?: GroupIdentity,
  ): Promise<void> {
    const identity = { transactionalId: this.transactionalId, ...this.#identity, groupId }
    const { transaction } = this
    if (!this.#protocol.isSecond) {
      const added = await this.#retried(async () => (await this.#peer.call(ADD_OFFSETS, identity)).errorCode)
      if (added.errorCode !== 0) throw new Abandoned('AddOffsetsToTxn')
    }
    const id = this.#world.history.invoke({
      kind: 'commit-offset',
      group: groupId,
      partition: `${topic}-${partition}`,
      offset,
      transaction,
      survives: this.#world.settings.durability !== 'lossy',
      session: member?.session ?? this.#session!,
      ...(member?.instance && { instance: member.instance }),
    })
    const partitions = [{ partitionIndex: partition, committedOffset: offset, committedMetadata: '' }]
    const { commitOffsets } = this.#protocol
    const api = since<typeof TxnOffsetCommitRequest, typeof TxnOffsetCommitResponse>(commitOffsets, member ? 3 : 0)
    const request = { ...identity, ...member?.fields, topics: [{ name: topic, partitions }] }
    if (this.#isSentAgain()) this.#late.send(peer => peer.call(api, request))
    const outcome = await this.#retried(async () => {
      const { topics } = await this.#peer.call(api, request)
      return topics[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    })
    this.#settle(id, outcome, {})
  }

  /** Ends the open transaction. */
  async end(isCommit: boolean): Promise<void> {
    const { transaction } = this
    const id = this.#world.history.invoke({ kind: 'end', transaction, isCommit, session: this.#session! })
    const request = { transactionalId: this.transactionalId, ...this.#identity, committed: isCommit }
    let next: ProducerIdentity | undefined
    const outcome = await this.#retried(async () => {
      const ended = await this.#peer.call<typeof EndTxnRequest, typeof EndTxnResponse>(this.#protocol.end, request)
      next = ended
      return ended.errorCode
    })
    this.#settle(id, outcome, {})
    this.#world.count(isCommit ? 'committed' : 'aborted')
    this.#transaction = undefined
    if (this.#protocol.isSecond && next !== undefined) await this.#goOn(next, request)
    else this.#isOwnEpoch = false
    if (this.#world.settings.secondProtocol !== undefined && this.#world.chance(2)) await this.#listen()
  }

  /** Takes the identity that the end of its transaction has brought. */
  async #goOn(next: ProducerIdentity, ended: MessageInput<typeof EndTxnRequest>): Promise<void> {
    const world = this.#world
    const { producerId, producerEpoch } = this.#identity
    if (next.producerId !== producerId || next.producerEpoch !== producerEpoch + 1) {
      world.fail(`the end of ${producerId}/${producerEpoch} brings ${next.producerId}/${next.producerEpoch}`)
    }
    world.count('epoch of its own')
    if (this.#isOwnEpoch) world.endedEpochs.add(`${producerId}/${producerEpoch}`)
    this.#isOwnEpoch = true
    this.#producerId = next.producerId
    this.#producerEpoch = next.producerEpoch
    this.#sequences.clear()
    if (world.chance(3)) await this.#askAgain(next, ended)
    if (this.#isSentAgain()) this.#late.send(async peer => this.#compare(next, await endSecond(peer, ended)))
  }

  /** Asks for the end once more, as if its answer was lost, and perhaps for the other one, which it cannot have any more. */
  async #askAgain(next: ProducerIdentity, ended: MessageInput<typeof EndTxnRequest>): Promise<void> {
    const world = this.#world
    this.#begunAt = world.clock.monotonicMs()
    await world.sleep(world.random.below(400))
    const isSame = !world.chance(3)
    const request = isSame ? ended : { ...ended, committed: !ended.committed }
    const { errorCode } = await this.#retried(async () => {
      const again = await endSecond(this.#peer, request)
      this.#compare(next, again)
      return again.errorCode
    })
    world.count('end asked for again')
    if (errorCode === undefined || this.#mayBeOusted) return
    if ((errorCode === 0) !== isSame)
      world.fail(`${this.#peer.name} asks for ${isSame ? 'its' : 'another'} end again: ${errorCode}`)
  }

  /** The end brings the same identity, however often it is asked for. */
  #compare(next: ProducerIdentity, again: MessageOf<typeof EndTxnResponse>): void {
    if (again.errorCode !== 0) return
    if (again.producerId === next.producerId && again.producerEpoch === next.producerEpoch) return
    this.#world.fail(
      `an end brings ${next.producerId}/${next.producerEpoch}, then ${again.producerId}/${again.producerEpoch}`,
    )
  }

  /** Hears by which protocol transactions may go, as a client does with each new connection, if it knows more than the first. */
  async #listen(): Promise<void> {
    if (this.#world.settings.secondProtocol === undefined || this.#peer.version(EVERY_END) < FIRST_SECOND_END) return
    this.#level = (await finalizedLevel(this.#peer)) ?? this.#level
  }

  /** Whether a request of the second protocol comes twice, the second time late; in the first nothing keeps it out of the next transaction. */
  #isSentAgain(): boolean {
    return this.#protocol.isSecond && this.#world.chance(6)
  }

  close(): void {
    this.#peer.close()
  }

  get #identity(): ProducerIdentity {
    return { producerId: this.#producerId, producerEpoch: this.#producerEpoch }
  }

  /**
   * Whether the coordinator is not told of a partition, whose records must be refused then (KIP-890): nobody would ever end a
   * transaction there. Only in a first transaction: the one before may still be open in the partition, and they would be its.
   */
  #mayForget(name: string): boolean {
    const isVerified = this.#world.settings.properties['transaction.partition.verification.enable'] === 'true'
    return isVerified && this.#transactions === 1 && !this.#added.has(name) && this.#world.chance(4)
  }

  async #add(topic: string, partition: number): Promise<void> {
    const name = `${topic}-${partition}`
    if (this.#added.has(name)) return
    const outcome = await this.#retried(async () => {
      const { resultsByTopicV3AndBelow: results } = await this.#peer.call(ADD_PARTITIONS, {
        v3AndBelowTransactionalId: this.transactionalId,
        v3AndBelowProducerId: this.#producerId,
        v3AndBelowProducerEpoch: this.#producerEpoch,
        v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
      })
      return results[0]?.resultsByPartition[0]?.partitionErrorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    })
    if (outcome.errorCode !== 0) throw new Abandoned('AddPartitionsToTxn')
    this.#added.add(name)
  }

  /** Writes down what came of an operation; goes on only when it was done. */
  #settle(id: number, { errorCode, wasUnknown }: Outcome, result: { offset?: number }): void {
    const { history } = this.#world
    if (errorCode === 0) {
      history.ok(id, result)
      return
    }
    const isRefused = errorCode !== undefined && REFUSED.has(errorCode) && !wasUnknown
    if (isRefused) history.fail(id)
    else history.info(id)
    if (errorCode === ErrorCode.INVALID_PRODUCER_EPOCH || errorCode === ErrorCode.PRODUCER_FENCED) {
      this.#world.count('fenced')
    }
    if (OUSTED.has(errorCode) && !this.#mayBeOusted) {
      this.#world.fail(`${this.#peer.name} is refused with ${errorCode}, and nobody has its id or its time`)
    }
    throw new Abandoned(`error ${errorCode}`)
  }

  /** Whether another process may have its place, time have ended its transaction, or its coordinator know nothing any more. */
  get #mayBeOusted(): boolean {
    const { losses, counts, clock } = this.#world
    const isInTime = clock.monotonicMs() - this.#begunAt < TRANSACTION_TIMEOUT_MS
    return (
      this.#claim?.isDisputed !== false || !isInTime || losses > 0 || counts.has('clock jump') || this.#hasForgotten
    )
  }

  async #retried(request: () => Promise<number>): Promise<Outcome> {
    let wasUnknown = false
    for (let attempt = 0; attempt < 12; attempt++) {
      if (attempt > 0) await this.#pause()
      const errorCode = await request().catch(ignoreUnavailable)
      if (errorCode !== undefined && !RETRIABLE.has(errorCode)) return { errorCode, wasUnknown }
      if (errorCode === undefined || !REFUSED.has(errorCode)) wasUnknown = true
    }
    return { errorCode: undefined, wasUnknown: true }
  }

  #pause(): Promise<void> {
    return this.#world.sleep(50 + this.#world.random.below(200))
  }
}

function endSecond(peer: Peer, request: MessageInput<typeof EndTxnRequest>): Promise<MessageOf<typeof EndTxnResponse>> {
  return peer.call<typeof EndTxnRequest, typeof EndTxnResponse>(SECOND_PROTOCOL.end, request)
}
