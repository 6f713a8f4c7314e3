import type { Clock, Random } from '../platform/index.ts'
import { FetchSession, type SessionPartition } from './fetch-session.ts'

/** How large a {@link FetchSessionCache} may grow. */
export interface FetchSessionCacheOptions {
  readonly clock: Clock
  readonly random: Random
  /** `max.incremental.fetch.session.cache.slots`. */
  readonly maxSessions: number
  /** How long a session must be unused, or old, before another may take its place. */
  readonly evictionMs?: number
  /** Partitions that one session may remember; a fetch of more gets no session. */
  readonly maxPartitionsPerSession?: number
  /** Partitions of all sessions together: about 200 bytes each. */
  readonly maxPartitions?: number
}

const EVICTION_MS = 120_000
const MAX_PARTITIONS_PER_SESSION = 100_000
const MAX_PARTITIONS = 1_000_000

/**
 * The incremental fetch sessions of a broker. Which session gives way to a new one is Kafka's rule (FetchSessionCache):
 * one that nobody has used for two minutes; else, if it is worth less than the new one, the least valuable of those that
 * may be evicted, where followers' sessions are worth more than consumers', then larger ones more than smaller ones, and
 * a session may be evicted by anyone once it is two minutes old, and by a follower's at any time if it is a consumer's.
 *
 * Above Kafka's rules the number of remembered partitions is bounded too.
 */
export class FetchSessionCache {
  readonly #options: Required<FetchSessionCacheOptions>
  /** In order of last use, oldest first. */
  readonly #sessions = new Map<number, FetchSession>()
  #partitions = 0
  #evictions = 0

  constructor(options: FetchSessionCacheOptions) {
    this.#options = {
      evictionMs: EVICTION_MS,
      maxPartitionsPerSession: MAX_PARTITIONS_PER_SESSION,
      maxPartitions: MAX_PARTITIONS,
      ...options,
    }
  }

  /** Sessions in the cache. */
  get size(): number {
    return this.#sessions.size
  }

  /** Partitions that they remember. */
  get partitions(): number {
    return this.#partitions
  }

  /** Sessions ever pushed out by others. */
  get evictions(): number {
    return this.#evictions
  }

  get(id: number): FetchSession | undefined {
    return this.#sessions.get(id)
  }

  remove(id: number): boolean {
    const session = this.#sessions.get(id)
    if (!session) return false
    this.#sessions.delete(id)
    this.#partitions -= session.countedPartitions
    return true
  }

  /** A request has used or changed the session. Returns false, with the session gone, where it has grown too large. */
  touch(session: FetchSession): boolean {
    session.lastUsedMs = this.#options.clock.monotonicMs()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    this.#partitions += session.partitions.size - session.countedPartitions
    session.countedPartitions = session.partitions.size
    if (this.#fits(session.countedPartitions, 0)) return true
    this.remove(session.id)
    return false
  }

  /** Makes a session, or returns undefined when there is no room for it. */
  create(options: {
    readonly isPrivileged: boolean
    readonly usesTopicIds: boolean
    readonly partitions: Map<string, SessionPartition>
  }): FetchSession | undefined {
    const size = options.partitions.size
    if (!this.#fits(size, size)) return undefined
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#sessions.size >= this.#options.maxSessions && !this.#evictFor(options.isPrivileged, size, nowMs)) {
      return undefined
    }
    const session = new FetchSession({ id: this.#newId(), nowMs, ...options })
    this.#sessions.set(session.id, session)
    session.countedPartitions = size
    this.#partitions += size
    return session
  }

  #fits(ofSession: number, added: number): boolean {
    const { maxPartitionsPerSession, maxPartitions } = this.#options
    return ofSession <= maxPartitionsPerSession && this.#partitions + added <= maxPartitions
  }

  #newId(): number {
    for (;;) {
      const id = 1 + this.#options.random.below(0x7fff_fffe)
      if (!this.#sessions.has(id)) return id
    }
  }

  #evictFor(isPrivileged: boolean, size: number, nowMs: number): boolean {
    const [oldest] = this.#sessions.values()
    if (!oldest) return false
    const isStale = nowMs - oldest.lastUsedMs > this.#options.evictionMs
    const victim = isStale ? oldest : this.#leastValuable(isPrivileged, nowMs)
    if (!victim) return false
    const isWorthMore = Number(isPrivileged) - Number(victim.isPrivileged) || size - victim.countedPartitions
    if (!isStale && isWorthMore <= 0) return false
    this.#evictions++
    return this.remove(victim.id)
  }

  /** Of those that may be evicted. Looks at every session: their number is small, and a full cache is the exception. */
  #leastValuable(forPrivileged: boolean, nowMs: number): FetchSession | undefined {
    let least: FetchSession | undefined
    for (const session of this.#sessions.values()) {
      const isOld = nowMs - session.createdMs > this.#options.evictionMs
      if (!isOld && !(forPrivileged && !session.isPrivileged)) continue
      const order = least
        ? Number(session.isPrivileged) - Number(least.isPrivileged) ||
          session.countedPartitions - least.countedPartitions
        : -1
      if (order < 0) least = session
    }
    return least
  }
}
