import { isDeepStrictEqual } from 'node:util'
import type { Api } from '../network/index.ts'
import { ErrorCode, type Fields, KafkaError, MalformedError, type MessageOf, type Schema } from '../protocol/index.ts'
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts'
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts'
import { Backoff } from './backoff.ts'
import { BrokerNode, type Endpoint, type NodeSettings, type RequestBody, type RequestOptions } from './broker-node.ts'
import { checkName } from './checked-items.ts'
import {
  ClusterMetadata,
  type LeaderEndpoint,
  type MovedLeader,
  type PartitionInfo,
  type TopicInfo,
} from './cluster-metadata.ts'
import { type Patience, Patient } from './deadline.ts'
import { type Features, NO_FEATURES } from './served-apis.ts'
import type { TopicPartition } from './topic-partition.ts'

const METADATA = { request: MetadataRequest, response: MetadataResponse }
const FIND_COORDINATOR = { request: FindCoordinatorRequest, response: FindCoordinatorResponse }

/** From this version of FindCoordinator on it is asked for several keys at once. */
const BATCHED_COORDINATORS = 4
const COORDINATOR_KEYS = { group: 0, transaction: 1 } as const

/** Failures after which a coordinator is looked for again. */
const COORDINATOR_GONE: ReadonlySet<string> = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
  'BROKER_NOT_AVAILABLE',
])

const MISSING = 'UNKNOWN_TOPIC_OR_PARTITION'

/** Failures after which another broker is asked. */
const UNREACHABLE: ReadonlySet<string> = new Set(['NETWORK_EXCEPTION', 'REQUEST_TIMED_OUT'])

/**
 * What a connection is for. Answers come in the order of requests, so what may wait long (a fetch, a join) does not share a
 * connection with what must not (a heartbeat, a produce).
 */
export type Purpose = 'data' | 'fetch' | 'coordinator' | 'heartbeat'

export interface ClusterSettings extends NodeSettings {
  readonly bootstrap: readonly Endpoint[]
  /** After so long without any answer since the first question nothing is tried any more. */
  readonly bootstrapTimeoutMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly metadataMaxAgeMs: number
  /** After so long without metadata all known brokers are forgotten; undefined never goes back to the bootstrap servers. */
  readonly rebootstrapTriggerMs: number | undefined
  /** Whether asking for a topic may create it, where the broker does that. */
  readonly allowAutoTopicCreation: boolean
}

/**
 * A client's view of a cluster: who leads what, and connections to everybody. Producer, Consumer and Admin each have one. What goes
 * wrong is a KafkaError; `retrying` is the one place where things are tried again.
 */
export class Cluster {
  readonly settings: ClusterSettings
  readonly #nodes = new Map<string, BrokerNode>()
  readonly #coordinators = new Map<string, number>()
  readonly #backoff: Backoff
  #metadata = ClusterMetadata.EMPTY
  #features = NO_FEATURES
  #wanted = new Set<string>()
  /** Topics that are asked for as long as somebody waits for them, and how many do. */
  readonly #awaited = new Map<string, number>()
  #refreshing: { readonly topics: readonly string[] | null; readonly done: Promise<ClusterMetadata> } | undefined
  #refreshedAtMs = Number.NEGATIVE_INFINITY
  /** When the first question was asked, until somebody has answered. */
  #aloneSinceMs: number | undefined
  /** Since when metadata cannot be had. */
  #failingSinceMs: number | undefined
  #turn = 0
  #retries = 0
  readonly #closed = new AbortController()

  constructor(settings: ClusterSettings) {
    this.settings = settings
    this.#backoff = new Backoff(settings.retryBackoffMs, settings.retryBackoffMaxMs, settings.random)
    this.#turn = settings.random.below(1 << 16)
  }

  /** What was last heard. */
  get metadata(): ClusterMetadata {
    return this.#metadata
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted
  }

  /** Whether {@link metadata} is older than `metadata.max.age.ms`. */
  get isStale(): boolean {
    return this.settings.clock.monotonicMs() - this.#refreshedAtMs >= this.settings.metadataMaxAgeMs
  }

  /** What the brokers have agreed on, as far as one of those has heard that are or were connected. */
  get features(): Features {
    for (const { features = NO_FEATURES } of this.#nodes.values())
      if (features.epoch > this.#features.epoch) this.#features = features
    return this.#features
  }

  /** How often something was tried again so far, and what is open now: connections, and requests without an answer on them. */
  get figures(): { readonly retries: number; readonly connections: number; readonly inFlight: number } {
    const nodes = [...this.#nodes.values()]
    return {
      retries: this.#retries,
      connections: nodes.filter(({ isConnected }) => isConnected).length,
      inFlight: nodes.reduce((sum, node) => sum + node.inFlight, 0),
    }
  }

  /** A promise of the signal's or the time's end. */
  patience(patience: Patience): Patient {
    return new Patient(this.settings.clock, patience)
  }

  /**
   * Tries until it works. After a retriable failure it waits a growing while. A try that is under way when the time is over is left
   * alone, and nobody hears what came of it.
   *
   * @throws what `attempt` threw when that is not retriable; REQUEST_TIMED_OUT with the last failure as cause; the signal's reason
   */
  async retrying<T>(what: string, patience: Patient, attempt: (failures: number) => Promise<T>): Promise<T> {
    let last: KafkaError | undefined
    for (let failures = 0; ; ) {
      try {
        return await patience.within(attempt(failures), what, last)
      } catch (error) {
        if (this.isClosed || !(error instanceof KafkaError && error.retriable)) throw error
        if (patience.isOver) throw patience.timedOut(what, error)
        last = error
        failures += 1
        await patience.pause(this.#backoff.delayMs(failures), this.#closed.signal)
        if (patience.isOver) throw patience.timedOut(what, error)
        this.#retries += 1
      }
    }
  }

  /**
   * Asks for metadata of the topics that are wanted, and of `topics`; all topics for null. Those who ask for the same while an answer
   * is on its way share it.
   */
  refresh(topics: readonly string[] | null = []): Promise<ClusterMetadata> {
    for (const topic of topics ?? []) this.#wanted.add(topic)
    const asked = topics === null ? null : [...new Set([...this.#wanted, ...this.#awaited.keys()])]
    const running = this.#refreshing
    if (running && isDeepStrictEqual(running.topics, asked)) return running.done
    const done = this.#refresh(asked).finally(() => {
      if (this.#refreshing?.done === done) this.#refreshing = undefined
    })
    this.#refreshing = { topics: asked, done }
    return done
  }

  /** Stops asking for a topic. */
  forget(topic: string): void {
    this.#wanted.delete(topic)
  }

  /**
   * A topic, asked for until it is known.
   * @throws UNKNOWN_TOPIC_OR_PARTITION when brokers said to the end that it is not there; TOPIC_AUTHORIZATION_FAILED,
   * INVALID_TOPIC_EXCEPTION at once; REQUEST_TIMED_OUT when nobody said anything, or it has no leaders yet
   */
  async topic(name: string, patience: Patient): Promise<TopicInfo> {
    const known = this.#metadata.topic(name)
    if (known !== undefined && known.partitions.length > 0) return known
    this.#awaited.set(name, (this.#awaited.get(name) ?? 0) + 1)
    try {
      const found = await this.retrying(`metadata of ${name}`, patience, async () => {
        const metadata = await this.refresh()
        const topic = metadata.topic(name)
        if (topic !== undefined && topic.partitions.length > 0) return topic
        throw metadata.failureOf(name) ?? new KafkaError(MISSING, `topic ${name} does not exist`)
      })
      this.#wanted.add(name)
      return found
    } catch (error) {
      // Who waited in vain for a topic wants to hear that it is not there, not that time went by.
      const isMissing = error instanceof KafkaError && error.cause instanceof KafkaError && error.cause.code === MISSING
      if (!isMissing) throw error
      const what = `topic ${name} does not exist, nor came to be within ${patience.timeoutMs} ms`
      throw new KafkaError(MISSING, what, { cause: error })
    } finally {
      const others = this.#awaited.get(name)! - 1
      if (others > 0) this.#awaited.set(name, others)
      else this.#awaited.delete(name)
    }
  }

  /**
   * Takes over what a broker said of a partition's new leader when it refused a request (KIP-951); false when that is no news, and
   * somebody has to be asked.
   */
  leaderMoved(
    { topic, partition }: TopicPartition,
    leader: MovedLeader,
    endpoints: readonly LeaderEndpoint[],
  ): boolean {
    const next = this.#metadata.withLeader({ topic, partition }, leader, endpoints)
    if (next === undefined) return false
    this.#metadata = next
    return true
  }

  /** Who leads a partition, as last heard. @throws LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION: refresh and try again */
  leaderOf(topic: string, partition: number): PartitionInfo {
    const info = this.#metadata.partition(topic, partition)
    if (info === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic}-${partition} is not known`)
    if (info.leader < 0) throw new KafkaError('LEADER_NOT_AVAILABLE', `${topic}-${partition} has no leader now`)
    // What is known of a partition may be newer than what is known of brokers: a broker that lags behind names those of before.
    if (!this.#metadata.brokers.has(info.leader)) {
      const who = `broker ${info.leader}, the leader of ${topic}-${partition},`
      throw new KafkaError('LEADER_NOT_AVAILABLE', `${who} is not among those that the cluster names now`)
    }
    return info
  }

  /**
   * Sends a request to a broker.
   * @throws KafkaError NETWORK_EXCEPTION, REQUEST_TIMED_OUT, UNSUPPORTED_VERSION; BROKER_NOT_AVAILABLE when nobody has that id
   */
  request<Q extends Fields, S extends Fields>(
    to: { readonly broker: number; readonly purpose?: Purpose },
    api: Api<Q, S>,
    body: RequestBody<Q>,
    options?: RequestOptions,
  ): Promise<MessageOf<Schema<S>>> {
    let node: BrokerNode
    try {
      node = this.node(to.broker, to.purpose)
    } catch (error) {
      return Promise.reject(error)
    }
    return node.request(api, body, options)
  }

  /** The connection to a broker for a purpose. @throws BROKER_NOT_AVAILABLE when nobody has that id; OPERATION_NOT_ATTEMPTED after {@link close} */
  node(broker: number, purpose: Purpose = 'data'): BrokerNode {
    this.#closed.signal.throwIfAborted()
    const info = this.#metadata.brokers.get(broker)
    if (info === undefined) throw new KafkaError('BROKER_NOT_AVAILABLE', `broker ${broker} is not known`)
    return this.#nodeAt(info, purpose)
  }

  /**
   * Sends a request to whichever broker answers.
   * @throws KafkaError NETWORK_EXCEPTION when none can be reached; BROKER_NOT_AVAILABLE when none could for `bootstrap.timeout.ms`;
   * INVALID_REQUEST when all that listens is no Kafka
   */
  async requestAny<Q extends Fields, S extends Fields>(
    api: Api<Q, S>,
    body: RequestBody<Q>,
    options?: RequestOptions,
  ): Promise<MessageOf<Schema<S>>> {
    this.#closed.signal.throwIfAborted()
    this.#aloneSinceMs ??= this.settings.clock.monotonicMs()
    const failures: KafkaError[] = []
    for (const node of this.#candidates()) {
      try {
        const answer = await node.request(api, body, options)
        this.#aloneSinceMs = Number.POSITIVE_INFINITY
        return answer
      } catch (error) {
        const isElsewhere =
          error instanceof MalformedError || (error instanceof KafkaError && UNREACHABLE.has(error.code))
        if (!isElsewhere) throw error
        failures.push(error)
      }
    }
    throw this.#unreachable(failures)
  }

  /** No broker answered: whether to try again. */
  #unreachable(failures: readonly KafkaError[]): KafkaError {
    const [first] = failures
    if (first !== undefined && failures.every(({ retriable }) => !retriable)) return first
    const { bootstrap, bootstrapTimeoutMs, clock } = this.settings
    const isGivenUp = clock.monotonicMs() - (this.#aloneSinceMs ?? 0) >= bootstrapTimeoutMs
    const addresses = bootstrap.map(addressOf).join(', ')
    const why = first === undefined ? '' : `: ${first.message}`
    const message = `no broker of ${addresses} can be reached${why}`
    if (isGivenUp) return new NobodyThere('BROKER_NOT_AVAILABLE', message, { cause: first })
    return new KafkaError('NETWORK_EXCEPTION', message, { cause: first })
  }

  /** Sends a request to the controller. @throws NOT_CONTROLLER while there is none: try again */
  async requestController<Q extends Fields, S extends Fields>(
    api: Api<Q, S>,
    body: RequestBody<Q>,
    options?: RequestOptions,
  ): Promise<MessageOf<Schema<S>>> {
    const { controllerId } = this.#metadata.brokers.has(this.#metadata.controllerId)
      ? this.#metadata
      : await this.refresh()
    if (!this.#metadata.brokers.has(controllerId))
      throw new KafkaError('NOT_CONTROLLER', 'the cluster has no controller now')
    return this.request({ broker: controllerId }, api, body, options)
  }

  /** Id of the broker that coordinates a group or a transactional id; asked once until {@link coordinatorMoved}. */
  async coordinatorOf(type: keyof typeof COORDINATOR_KEYS, key: string): Promise<number> {
    const known = this.#coordinators.get(`${type}:${key}`)
    if (known !== undefined && this.#metadata.brokers.has(known)) return known
    const keyType = COORDINATOR_KEYS[type]
    const answer = await this.requestAny(FIND_COORDINATOR, version =>
      version >= BATCHED_COORDINATORS ? { keyType, coordinatorKeys: [key] } : version >= 1 ? { key, keyType } : { key },
    )
    const found = answer.coordinators[0] ?? answer
    if (found.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(found.errorCode, found.errorMessage)
    if (!this.#metadata.brokers.has(found.nodeId)) await this.refresh()
    if (!this.#metadata.brokers.has(found.nodeId)) {
      const who = `broker ${found.nodeId}, the coordinator of the ${type} ${key},`
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE', `${who} is not among those that the cluster names now`)
    }
    this.#coordinators.set(`${type}:${key}`, found.nodeId)
    return found.nodeId
  }

  /** The coordinator is not what it was: it is asked for anew the next time. */
  coordinatorMoved(type: keyof typeof COORDINATOR_KEYS, key: string): void {
    this.#coordinators.delete(`${type}:${key}`)
  }

  /**
   * Runs `attempt` with the id of a coordinator until it works, and looks for the coordinator again where it has moved or cannot be
   * reached. @throws what {@link retrying} throws
   */
  withCoordinator<T>(
    type: keyof typeof COORDINATOR_KEYS,
    key: string,
    { what, patience }: { readonly what: string; readonly patience: Patient },
    attempt: (broker: number) => Promise<T>,
  ): Promise<T> {
    return this.retrying(what, patience, async () => {
      checkName(type, key)
      const broker = await this.coordinatorOf(type, key)
      patience.throwIfOver(what)
      try {
        return await attempt(broker)
      } catch (error) {
        if (error instanceof KafkaError && COORDINATOR_GONE.has(error.code)) this.coordinatorMoved(type, key)
        throw error
      }
    })
  }

  /** Ends every connection; whoever waits for an answer fails. */
  close(): void {
    this.#closed.abort(new KafkaError('OPERATION_NOT_ATTEMPTED', 'the client is closed'))
    for (const node of this.#nodes.values()) node.close()
  }

  async #refresh(asked: readonly string[] | null): Promise<ClusterMetadata> {
    const { clock } = this.settings
    let answer: MessageOf<typeof MetadataResponse>
    try {
      answer = await this.#askMetadata(asked)
      if (answer.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED && this.settings.rebootstrapTriggerMs !== undefined) {
        this.#rebootstrap('a broker demands it')
        answer = await this.#askMetadata(asked)
      }
      if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
    } catch (error) {
      this.#failingSinceMs ??= clock.monotonicMs()
      const { rebootstrapTriggerMs = Number.POSITIVE_INFINITY } = this.settings
      if (clock.monotonicMs() - this.#failingSinceMs >= rebootstrapTriggerMs)
        this.#rebootstrap('no broker has metadata')
      throw error
    }
    this.#metadata = this.#metadata.updated(answer, asked)
    this.#refreshedAtMs = clock.monotonicMs()
    this.#failingSinceMs = undefined
    this.#dropStrangers()
    return this.#metadata
  }

  #askMetadata(asked: readonly string[] | null): Promise<MessageOf<typeof MetadataResponse>> {
    const { allowAutoTopicCreation } = this.settings
    return this.requestAny(METADATA, version => ({
      // In v0 an empty list asks for everything, so a client without topics asks for what it does not need.
      topics: asked === null ? (version === 0 ? [] : null) : asked.map(name => ({ name })),
      ...(version >= 4 ? { allowAutoTopicCreation } : {}),
    }))
  }

  /** Forgets all brokers, and begins with the bootstrap servers anew (KIP-1102). */
  #rebootstrap(reason: string): void {
    this.settings.logger.warn({ reason }, 'asking the bootstrap servers again')
    this.#metadata = this.#metadata.withoutBrokers()
    this.#coordinators.clear()
    this.#failingSinceMs = undefined
    for (const node of this.#nodes.values()) node.close()
    this.#nodes.clear()
  }

  /** Closes connections to brokers that have left, or moved to another address. */
  #dropStrangers(): void {
    const known = new Set([...this.#metadata.brokers.values(), ...this.settings.bootstrap].map(addressOf))
    for (const [key, node] of this.#nodes) {
      if (known.has(addressOf(node.endpoint)) || node.inFlight > 0) continue
      node.close()
      this.#nodes.delete(key)
    }
  }

  /** Brokers to ask in turn: connected ones first, then known ones, then those the client was started with. */
  #candidates(): BrokerNode[] {
    const brokers = [...this.#metadata.brokers.values()]
    const turn = brokers.length > 0 ? this.#turn++ % brokers.length : 0
    const known = [...brokers.slice(turn), ...brokers.slice(0, turn)]
    const mayBootstrap = known.length === 0 || this.settings.rebootstrapTriggerMs !== undefined
    const addresses = new Map(
      [...known, ...(mayBootstrap ? this.settings.bootstrap : [])].map(one => [addressOf(one), one]),
    )
    const nodes = Array.from(addresses.values(), endpoint => this.#nodeAt(endpoint, 'data'))
    return [...nodes.filter(({ isConnected }) => isConnected), ...nodes.filter(({ isConnected }) => !isConnected)]
  }

  #nodeAt(endpoint: Endpoint, purpose: Purpose): BrokerNode {
    const key = `${purpose} ${addressOf(endpoint)}`
    let node = this.#nodes.get(key)
    if (node === undefined) {
      node = new BrokerNode(endpoint, this.settings)
      this.#nodes.set(key, node)
    }
    return node
  }
}

const addressOf = ({ host, port }: Endpoint): string => `${host}:${port}`

/** That nobody has ever answered this client, and it is not to try on. */
class NobodyThere extends KafkaError {
  override get fatal(): boolean {
    return true
  }
}
