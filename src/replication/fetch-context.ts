import { ErrorCode, type ErrorName, ZERO_UUID } from '../protocol/index.ts'
import type { FetchRequest } from '../protocol/messages/01-fetch.ts'
import type { FetchPartitionResult } from './fetch-result.ts'
import {
  type FetchSession,
  FINAL_EPOCH,
  INITIAL_EPOCH,
  NO_SESSION,
  nextEpoch,
  SessionPartition,
  sessionKey,
} from './fetch-session.ts'
import type { FetchSessionCache } from './fetch-session-cache.ts'

/** The answer to a fetch but for throttling and node endpoints: fields as in the Fetch response. */
export interface FetchAnswer {
  readonly errorCode: number
  readonly sessionId: number
  readonly responses: readonly FetchTopicAnswer[]
}

export interface FetchTopicAnswer {
  readonly topic: string
  readonly topicId: string
  readonly partitions: readonly FetchPartitionResult[]
}

/** One fetch request seen through its session: which partitions it means, and what of the results goes into the response. */
export interface FetchContext {
  /** What to read, in this order. Empty when the session is in error. */
  readonly partitions: readonly SessionPartition[]
  /**
   * Shapes the response. `results[i]` is the answer for `partitions[i]`; trailing ones may be missing. Called once.
   */
  answer(results: readonly FetchPartitionResult[]): FetchAnswer
  /** The response of a throttled fetch: empty, and the session stays as it was. */
  throttled(): FetchAnswer
}

/** Finds the session of each fetch (Kafka's FetchManager). */
export class FetchSessions {
  readonly cache: FetchSessionCache

  constructor(cache: FetchSessionCache) {
    this.cache = cache
  }

  /**
   * Applies the request to its session.
   *
   * @param topicName the name of a topic id, for requests that go by ids (v13 and later)
   */
  open(request: FetchRequest, apiVersion: number, topicName: (topicId: string) => string | undefined): FetchContext {
    const { sessionId, sessionEpoch } = request
    const usesTopicIds = apiVersion >= 13
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      if (sessionId !== NO_SESSION) this.cache.remove(sessionId)
      const partitions = requested(request, usesTopicIds, topicName)
      if (sessionEpoch === FINAL_EPOCH) return new SessionlessContext(partitions)
      const isPrivileged = Math.max(request.replicaId, request.replicaState.replicaId) >= 0
      return new FullContext(partitions, { cache: this.cache, usesTopicIds, isPrivileged })
    }
    const session = this.cache.get(sessionId)
    if (!session) return new FailedContext('FETCH_SESSION_ID_NOT_FOUND')
    if (session.epoch !== sessionEpoch) return new FailedContext('INVALID_FETCH_SESSION_EPOCH')
    if (session.usesTopicIds !== usesTopicIds) return new FailedContext('FETCH_SESSION_TOPIC_ID_ERROR')
    session.update(requested(request, usesTopicIds, topicName), forgotten(request, usesTopicIds))
    if (session.partitions.size === 0) {
      this.cache.remove(sessionId)
      return new SessionlessContext([])
    }
    if (!this.cache.touch(session)) return new FailedContext('FETCH_SESSION_ID_NOT_FOUND')
    session.epoch = nextEpoch(session.epoch)
    return new IncrementalContext(session, topicName)
  }
}

function requested(
  request: FetchRequest,
  usesTopicIds: boolean,
  topicName: (topicId: string) => string | undefined,
): SessionPartition[] {
  const partitions: SessionPartition[] = []
  for (const { topic, topicId, partitions: wanted } of request.topics) {
    const named = usesTopicIds ? { name: topicName(topicId), id: topicId } : { name: topic, id: ZERO_UUID }
    for (const partition of wanted) partitions.push(new SessionPartition(named, partition))
  }
  return partitions
}

function forgotten(request: FetchRequest, usesTopicIds: boolean): string[] {
  return request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(partition => sessionKey(usesTopicIds ? topicId : topic, partition)),
  )
}

/** Puts neighbours of one topic together; a topic may come more than once, as in Kafka. */
function byTopic(
  partitions: readonly SessionPartition[],
  results: readonly FetchPartitionResult[],
): FetchTopicAnswer[] {
  const topics: { topic: string; topicId: string; partitions: FetchPartitionResult[] }[] = []
  let last: (typeof topics)[number] | undefined
  for (const [index, result] of results.entries()) {
    const { topic = '', topicId } = partitions[index]!
    if (last?.topic === topic && last.topicId === topicId) last.partitions.push(result)
    else {
      last = { topic, topicId, partitions: [result] }
      topics.push(last)
    }
  }
  return topics
}

class SessionlessContext implements FetchContext {
  readonly partitions: readonly SessionPartition[]

  constructor(partitions: readonly SessionPartition[]) {
    this.partitions = partitions
  }

  answer(results: readonly FetchPartitionResult[]): FetchAnswer {
    return { errorCode: ErrorCode.NONE, sessionId: NO_SESSION, responses: byTopic(this.partitions, results) }
  }

  throttled(): FetchAnswer {
    return { errorCode: ErrorCode.NONE, sessionId: NO_SESSION, responses: [] }
  }
}

/** A fetch that names everything and would like a session. */
class FullContext extends SessionlessContext {
  readonly #how: { readonly cache: FetchSessionCache; readonly usesTopicIds: boolean; readonly isPrivileged: boolean }

  constructor(
    partitions: readonly SessionPartition[],
    how: { readonly cache: FetchSessionCache; readonly usesTopicIds: boolean; readonly isPrivileged: boolean },
  ) {
    super(partitions)
    this.#how = how
  }

  override answer(results: readonly FetchPartitionResult[]): FetchAnswer {
    const { cache, usesTopicIds, isPrivileged } = this.#how
    const remembered = new Map<string, SessionPartition>()
    for (const [index, result] of results.entries()) {
      const partition = this.partitions[index]!
      partition.answer(result)
      remembered.set(partition.key, partition)
    }
    const session = cache.create({ isPrivileged, usesTopicIds, partitions: remembered })
    const responses = byTopic(this.partitions, results)
    return { errorCode: ErrorCode.NONE, sessionId: session?.id ?? NO_SESSION, responses }
  }
}

class IncrementalContext implements FetchContext {
  readonly partitions: readonly SessionPartition[]
  readonly #session: FetchSession
  /** What the session's epoch is unless another request has used it since. */
  readonly #epoch: number

  constructor(session: FetchSession, topicName: (topicId: string) => string | undefined) {
    this.#session = session
    this.#epoch = session.epoch
    this.partitions = [...session.partitions.values()]
    if (!session.usesTopicIds) return
    for (const partition of this.partitions) partition.topic ??= topicName(partition.topicId)
  }

  answer(results: readonly FetchPartitionResult[]): FetchAnswer {
    if (this.#session.epoch !== this.#epoch) return this.#outrun()
    const changed: SessionPartition[] = []
    const news: FetchPartitionResult[] = []
    for (const [index, result] of results.entries()) {
      const partition = this.partitions[index]!
      if (!partition.answer(result)) continue
      changed.push(partition)
      news.push(result)
      if (result.recordBytes > 0) this.#session.moveToEnd(partition)
    }
    return { errorCode: ErrorCode.NONE, sessionId: this.#session.id, responses: byTopic(changed, news) }
  }

  throttled(): FetchAnswer {
    if (this.#session.epoch !== this.#epoch) return this.#outrun()
    return { errorCode: ErrorCode.NONE, sessionId: this.#session.id, responses: [] }
  }

  #outrun(): FetchAnswer {
    return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId: this.#session.id, responses: [] }
  }
}

/** The session is unknown or at another epoch: only the error is answered, and the client begins anew. */
class FailedContext extends SessionlessContext {
  readonly #error: ErrorName

  constructor(error: ErrorName) {
    super([])
    this.#error = error
  }

  override answer(): FetchAnswer {
    return { errorCode: ErrorCode[this.#error], sessionId: NO_SESSION, responses: [] }
  }

  override throttled(): FetchAnswer {
    return this.answer()
  }
}
