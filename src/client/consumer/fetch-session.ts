import { type ErrorName, type MessageInput, ZERO_UUID } from '../../protocol/index.ts'
import type { FetchRequest } from '../../protocol/messages/01-fetch.ts'
import { grouped } from '../grouped.ts'
import { partitionKey, type TopicPartition } from '../topic-partition.ts'

const NO_SESSION = 0
/** Asks for a new session. */
const INITIAL_EPOCH = 0
/** Asks for no session. */
const FINAL_EPOCH = -1
const LAST_EPOCH = 0x7fff_ffff

/** What is asked of one partition. */
export interface WantedPartition extends TopicPartition {
  /** {@link ZERO_UUID} where the cluster has no ids of topics. */
  readonly topicId: string
  readonly fetchOffset: number
  readonly currentLeaderEpoch: number
  readonly partitionMaxBytes: number
}

/** The part of a Fetch that says what to read. */
type Wanted = Pick<
  MessageInput<typeof FetchRequest>,
  'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopicsData'
> & {
  /** Whether every topic has an id, by which the session knows them all then (KIP-516). */
  readonly hasIds: boolean
}

/**
 * What one broker remembers of the fetches of this consumer (KIP-227, Java's FetchSessionHandler): a request names only what has
 * changed since the one before, and an answer only what has news. A broker that keeps no session is asked for everything each time.
 */
export class FetchSession {
  #id = NO_SESSION
  #epoch = INITIAL_EPOCH
  #hasIds = false
  #known = new Map<string, WantedPartition>()

  /** Whether the next request names everything. */
  get isFull(): boolean {
    return this.#epoch === INITIAL_EPOCH
  }

  /** A request for these partitions and no others. Its outcome has to be told before the next one. */
  next(wanted: readonly WantedPartition[]): Wanted {
    const hasIds = wanted.every(({ topicId }) => topicId !== ZERO_UUID)
    // A session knows all of its topics by name or all by id.
    if (hasIds !== this.#hasIds) this.#epoch = INITIAL_EPOCH
    this.#hasIds = hasIds
    const known = this.isFull ? new Map<string, WantedPartition>() : this.#known
    const now = new Map(wanted.map(one => [partitionKey(one), one]))
    const changed = wanted.filter(one => !isSame(known.get(partitionKey(one)), one))
    const forgotten = [...known.values()].filter(one => now.get(partitionKey(one))?.topicId !== one.topicId)
    this.#known = now
    return {
      hasIds,
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: perTopic(changed).map(({ topic, topicId, of }) => ({ topic, topicId, partitions: of })),
      forgottenTopicsData: perTopic(forgotten).map(({ topic, topicId, of }) => ({
        topic,
        topicId,
        partitions: of.map(({ partition }) => partition),
      })),
    }
  }

  /** The broker has answered; `sessionId` is 0 where it keeps no session. */
  answered(sessionId: number): void {
    this.#epoch = sessionId === NO_SESSION ? INITIAL_EPOCH : this.#epoch === LAST_EPOCH ? 1 : this.#epoch + 1
    this.#id = sessionId
  }

  /** What ends the session; undefined where there is none. */
  end(): Pick<Wanted, 'sessionId' | 'sessionEpoch'> | undefined {
    return this.#id === NO_SESSION ? undefined : { sessionId: this.#id, sessionEpoch: FINAL_EPOCH }
  }

  /** It is not known what the broker remembers: everything is named again, and the old session ended where there may be one. */
  failed(code: ErrorName): void {
    this.#epoch = INITIAL_EPOCH
    if (code === 'FETCH_SESSION_ID_NOT_FOUND') this.#id = NO_SESSION
  }
}

function perTopic(partitions: readonly WantedPartition[]) {
  return Array.from(grouped(partitions, ({ topic, topicId }) => `${topicId} ${topic}`).values(), of => ({
    topic: of[0]!.topic,
    topicId: of[0]!.topicId,
    of,
  }))
}

function isSame(known: WantedPartition | undefined, one: WantedPartition): boolean {
  return (
    known?.fetchOffset === one.fetchOffset &&
    known.topicId === one.topicId &&
    known.currentLeaderEpoch === one.currentLeaderEpoch &&
    known.partitionMaxBytes === one.partitionMaxBytes
  )
}
