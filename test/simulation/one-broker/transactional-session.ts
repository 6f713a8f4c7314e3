import { ErrorCode } from '../../../src/protocol/everything.ts'
import type { Session } from '../../../src/testing/history/index.ts'
import {
  ADD_OFFSETS,
  ADD_PARTITIONS,
  END_TXN,
  INIT_PRODUCER_ID,
  REFUSED,
  RETRIABLE,
  since,
  TXN_OFFSET_COMMIT,
} from './apis.ts'
import { Peer } from './peer.ts'
import { encoded, ignoreUnavailable, produce } from './plain-producer.ts'
import { TRANSACTION_TIMEOUT_MS } from './settings.ts'
import type { World } from './world.ts'

/** This producer is of no use any more: it was fenced, or does not know what became of something. */
export class Abandoned extends Error {}

/** What a broker says of a request, and whether an earlier try of it got no answer. */
interface Outcome {
  readonly errorCode: number | undefined
  readonly wasUnknown: boolean
}

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

  constructor(world: World, transactionalId: string, name: string) {
    this.#world = world
    this.#peer = new Peer(world, name)
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
    }
    return this.#transaction
  }

  /** Takes the transactional id. */
  async init(): Promise<void> {
    const { history, settings } = this.#world
    const survives = settings.durability !== 'lossy'
    const of = `id ${this.transactionalId}`
    const id = history.invoke({ kind: 'take-place', of, who: this.#peer.name, survives })
    const request = { transactionalId: this.transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS }
    for (let attempt = 0; attempt < 20; attempt++) {
      const answer = await this.#peer.call(INIT_PRODUCER_ID, request).catch(ignoreUnavailable)
      if (answer?.errorCode === 0) {
        this.#producerId = answer.producerId
        this.#producerEpoch = answer.producerEpoch
        // Epochs rise, and where they are used up there is a new, larger id.
        this.#session = { of, number: answer.producerId * 0x1_0000 + answer.producerEpoch }
        history.ok(id, { session: this.#session })
        return
      }
      if (answer !== undefined && !RETRIABLE.has(answer.errorCode)) break
      await this.#pause()
    }
    history.info(id)
    throw new Abandoned('no producer id')
  }

  /** Sends records in the open transaction. */
  async send(topic: string, partition: number, values: readonly string[]): Promise<void> {
    const name = `${topic}-${partition}`
    const { transaction } = this
    const session = this.#session!
    if (this.#mayForget(name)) this.#world.count('partition not added')
    else await this.#add(topic, partition)
    const baseSequence = this.#sequences.get(name) ?? 0
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
      session,
    })
    let offset = -1
    const outcome = await this.#retried(async () => {
      const answer = await produce(this.#world, this.#peer, {
        topic,
        partition,
        records,
        transactionalId: this.transactionalId,
      })
      offset = answer.offset
      return answer.errorCode
    })
    this.#settle(id, outcome, offset >= 0 ? { offset } : {})
    this.#sequences.set(name, baseSequence + values.length)
  }

  /** Sets the offset of a group when the transaction commits; a member says that it is one (KIP-447). */
  async sendOffset(
    groupId: string,
    { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: number },
    member?: GroupIdentity,
  ): Promise<void> {
    const identity = { transactionalId: this.transactionalId, ...this.#identity, groupId }
    const added = await this.#retried(async () => (await this.#peer.call(ADD_OFFSETS, identity)).errorCode)
    if (added.errorCode !== 0) throw new Abandoned('AddOffsetsToTxn')
    const id = this.#world.history.invoke({
      kind: 'commit-offset',
      group: groupId,
      partition: `${topic}-${partition}`,
      offset,
      transaction: this.transaction,
      survives: this.#world.settings.durability !== 'lossy',
      session: member?.session ?? this.#session!,
      ...(member?.instance && { instance: member.instance }),
    })
    const partitions = [{ partitionIndex: partition, committedOffset: offset, committedMetadata: '' }]
    const outcome = await this.#retried(async () => {
      const { topics } = await this.#peer.call(member ? since(TXN_OFFSET_COMMIT, 3) : TXN_OFFSET_COMMIT, {
        ...identity,
        ...member?.fields,
        topics: [{ name: topic, partitions }],
      })
      return topics[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    })
    this.#settle(id, outcome, {})
  }

  /** Ends the open transaction. */
  async end(isCommit: boolean): Promise<void> {
    const { transaction } = this
    const id = this.#world.history.invoke({ kind: 'end', transaction, isCommit, session: this.#session! })
    const request = { transactionalId: this.transactionalId, ...this.#identity, committed: isCommit }
    const outcome = await this.#retried(async () => (await this.#peer.call(END_TXN, request)).errorCode)
    this.#settle(id, outcome, {})
    this.#world.count(isCommit ? 'committed' : 'aborted')
    this.#transaction = undefined
  }

  close(): void {
    this.#peer.close()
  }

  get #identity(): { producerId: number; producerEpoch: number } {
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
    throw new Abandoned(`error ${errorCode}`)
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
