import { ErrorCode, type MessageOf } from '../../../src/protocol/everything.ts'
import type { Isolation } from '../../../src/testing/history/index.ts'
import { FETCH, since } from './apis.ts'
import { Peer } from './peer.ts'
import { ignoreUnavailable } from './plain-producer.ts'
import { listOffset, readingOf } from './reading.ts'
import { TOPIC } from './settings.ts'
import type { World } from './world.ts'

/** Versions of Fetch since which there are sessions (KIP-227), zstd, and topic ids. */
const FIRST_WITH = { sessions: 7, zstd: 10, topicIds: 13 } as const

/** A partition that is read in the session, or was. */
interface Followed {
  readonly topic: string
  readonly partition: number
  position: number
  seeks: boolean
  /** What the broker was told last of where to read on; undefined where it is not in the session. */
  told: number | undefined
}

type Answered = MessageOf<(typeof FETCH)[1]>

/**
 * Reads several partitions in one incremental session (KIP-227): names only what changed, and believes that what is not
 * answered has no news. At the end it has to have read all there is.
 */
export class SessionReader {
  readonly #world: World
  readonly #peer: Peer
  readonly #isolation: Isolation
  readonly #api
  #followed: Followed[]
  /** Those that it wants no more for now. */
  #left: Followed[] = []
  /** Left, but the broker's session has them until a request says so. */
  #forgotten: Followed[] = []
  #sessionId = 0
  #epoch = 0

  constructor(world: World, name: string, isolation: Isolation) {
    this.#world = world
    this.#peer = new Peer(world, name)
    this.#isolation = isolation
    this.#api = since(FETCH, world.settings.codecs.includes('zstd') ? FIRST_WITH.zstd : FIRST_WITH.sessions)
    this.#followed = [
      [TOPIC.plain, 0],
      [TOPIC.plain, 1],
      [TOPIC.transactional, 0],
      [TOPIC.short, 0],
    ].map(([topic, partition]) => ({
      topic: `${topic}`,
      partition: Number(partition),
      position: 0,
      seeks: true,
      told: undefined,
    }))
  }

  async run(): Promise<void> {
    const world = this.#world
    while (!world.isEnding) {
      await this.#fetch()
      if (world.chance(10)) this.#changePartitions()
      await world.sleep(world.random.below(200))
    }
    this.#followed.push(...this.#left.splice(0))
    while (!(await this.#isAtEnd())) {
      await this.#fetch()
      await world.sleep(300)
    }
    this.#peer.close()
  }

  /** Leaves a partition, or takes it up again. */
  #changePartitions(): void {
    const [from, to] = this.#left.length > 0 ? [this.#left, this.#followed] : [this.#followed, this.#left]
    const [moved] = from.splice(this.#world.random.below(from.length), 1)
    to.push(moved!)
    if (to !== this.#left || moved!.told === undefined) return
    moved!.told = undefined
    this.#forgotten.push(moved!)
  }

  async #fetch(): Promise<void> {
    const world = this.#world
    const isFull = this.#epoch === 0
    const changed = this.#followed.filter(({ position, told }) => isFull || position !== told)
    const forgotten = isFull ? [] : this.#forgotten.filter(left => !this.#followed.includes(left))
    const request = {
      isolationLevel: this.#isolation === 'committed' ? 1 : 0,
      maxWaitMs: 300,
      minBytes: 1,
      maxBytes: world.oneOf([200, 1 << 16]),
      sessionId: this.#sessionId,
      sessionEpoch: this.#epoch,
      topics: changed.map(({ topic, partition, position }) => ({
        ...this.#named(topic),
        partitions: [{ partition, fetchOffset: position, partitionMaxBytes: world.oneOf([1, 1 << 16]) }],
      })),
      forgottenTopicsData: forgotten.map(({ topic, partition }) => ({
        ...this.#named(topic),
        partitions: [partition],
      })),
    }
    for (const followed of this.#followed) followed.told = followed.position
    this.#forgotten = []
    const answer = await this.#peer.call(this.#api, request).catch(ignoreUnavailable)
    if (answer === undefined || answer.errorCode !== 0) this.#lost(answer?.errorCode)
    else for (const followed of this.#answered(answer, isFull)) await this.#seek(followed)
  }

  #named(topic: string): { topic: string; topicId: string } {
    return { topic, topicId: this.#world.topicId(topic) }
  }

  /** Begins anew. */
  #lost(errorCode: number | undefined): void {
    const { FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH } = ErrorCode
    const isKnown = errorCode === undefined || errorCode === FETCH_SESSION_ID_NOT_FOUND
    if (!isKnown) this.#world.fail(`${this.#peer.name}: a session at epoch ${this.#epoch} answers error ${errorCode}`)
    if (errorCode === INVALID_FETCH_SESSION_EPOCH) this.#world.count('session epoch refused')
    this.#sessionId = 0
    this.#epoch = 0
  }

  /** Takes what is answered; returns those whose position is where nothing is. */
  #answered({ sessionId, responses }: Answered, isFull: boolean): readonly Followed[] {
    const misplaced: Followed[] = []
    if (sessionId !== 0 && !isFull) this.#world.count('session continued')
    this.#sessionId = sessionId
    this.#epoch = sessionId === 0 ? 0 : this.#epoch + 1
    for (const { topic, topicId, partitions } of responses) {
      for (const answer of partitions) {
        const isIt = (followed: Followed): boolean =>
          followed.partition === answer.partitionIndex &&
          (this.#peer.version(this.#api) < FIRST_WITH.topicIds
            ? followed.topic === topic
            : this.#world.topicId(followed.topic) === topicId)
        const followed = this.#followed.find(isIt)
        if (followed === undefined) this.#world.fail(`${this.#peer.name} is answered what it does not ask for`)
        else if (!this.#take(followed, answer)) misplaced.push(followed)
      }
    }
    return misplaced
  }

  #take(followed: Followed, answer: Answered['responses'][number]['partitions'][number]): boolean {
    const world = this.#world
    const { topic, partition, position, seeks } = followed
    const reading = readingOf(world, { topic, partition, isolation: this.#isolation, offset: position }, answer)
    if (reading.errorCode !== 0) return reading.errorCode !== ErrorCode.OFFSET_OUT_OF_RANGE
    const records = reading.records.map(({ offset, epoch, value }) => ({ offset, epoch, value }))
    const poll = { consumer: this.#peer.name, partition: `${topic}-${partition}`, isolation: this.#isolation }
    world.history.note({ kind: 'poll', ...poll, position, seeks }, { records, next: reading.next })
    followed.position = reading.next
    followed.seeks = false
    return true
  }

  /** Goes to where something is. */
  async #seek(followed: Followed): Promise<void> {
    const start = await listOffset(this.#peer, followed, -2).catch(ignoreUnavailable)
    const end = await listOffset(this.#peer, followed, -1).catch(ignoreUnavailable)
    if (start === undefined || end === undefined) return
    followed.position = followed.position > end ? end : Math.max(start, followed.position)
    followed.seeks = true
  }

  /** Whether nothing is left to read, as somebody else says. */
  async #isAtEnd(): Promise<boolean> {
    for (const { topic, partition, position } of this.#followed) {
      const end = await listOffset(this.#peer, { topic, partition }, -1, this.#isolation).catch(ignoreUnavailable)
      if (end === undefined || position < end) return false
    }
    return true
  }
}
