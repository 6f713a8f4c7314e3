import {
  Consumer,
  type ConsumerOptions,
  type ConsumerRecord,
  string,
  type TopicPartition,
} from '../../../src/client/index.ts'
import { silentLogger } from '../../../src/platform/index.ts'
import { KafkaError } from '../../../src/protocol/everything.ts'
import type { Isolation } from '../../../src/testing/history/index.ts'
import type { ClientWorld } from './client-world.ts'
import { Detours } from './detours.ts'
import type { ClientNetwork } from './faulty-network.ts'
import { SESSION_TIMEOUT_MS } from './settings.ts'

type Reader = Consumer<string, string>
type Read = ConsumerRecord<string, string>

/** What a group reads, and how its members share it. */
export interface GroupSettings {
  readonly group: string
  readonly topics: readonly string[]
  readonly isolation: Isolation
  readonly assignors: string
  readonly isStatic: boolean
}

/** How a life of a member ends: it leaves, is never heard of again, or finds that another process has its place. */
type End = 'left' | 'vanished' | 'replaced'

/** Who commits: the consumer, the program now and then what it has worked on, or after each record, or both. */
const COMMITS = ['auto', 'by hand', 'each', 'auto and each'] as const

type Commits = (typeof COMMITS)[number]

const STEP_MS = 50
const LEAST_POLL_INTERVAL_MS = 1_000
/** A process whose place another has hears of it in so much time. */
const NOTICED_MS = 10_000

/** A life of a member: the program, and its process. */
interface Life {
  readonly name: string
  readonly reading: ReadingLife
  readonly consumer: Reader
  readonly network: ClientNetwork
  /** Ends the program. */
  readonly over: AbortController
}

/**
 * A member of a group that comes and goes, and works on records in one of the ways that a consumer has, until all is read. A static one
 * begins its next life now and then while it still lives: then the former has to notice.
 */
export class GroupReader {
  readonly #world: ClientWorld
  readonly #name: string
  readonly #settings: GroupSettings
  #lives = 0
  /** Lives that were left to themselves and go on, and the ends of all of them. */
  readonly #former = new Set<Life>()
  readonly #ends: Promise<void>[] = []

  constructor(world: ClientWorld, name: string, settings: GroupSettings) {
    this.#world = world
    this.#name = name
    this.#settings = settings
  }

  async run(): Promise<void> {
    const world = this.#world
    const { isStatic } = this.#settings
    while (!world.isRead) {
      const life = this.#begin()
      const living = this.#live(life)
      await Promise.race([living, this.#lifetime(life.over.signal)])
      if (isStatic && !world.isEnding && world.chance(4)) {
        world.line(`${life.name} is left to itself`)
        this.#former.add(life)
        this.#ends.push(living.finally(() => this.#former.delete(life)))
        continue
      }
      if (world.isRead) await this.#untilAlone(life)
      life.over.abort()
      await living
    }
    for (const { over } of this.#former) over.abort()
    await Promise.all(this.#ends)
  }

  /** Those whose place another process has have noticed it, in so much time without faults. */
  async #untilAlone({ name, reading, over }: Life): Promise<void> {
    for (let ms = 0; this.#former.size > 0 && reading.isMember && !over.signal.aborted; ms += STEP_MS) {
      if (ms >= NOTICED_MS) return this.#world.fail(`${[...this.#former].map(one => one.name)} go on beside ${name}`)
      await this.#world.sleep(STEP_MS)
    }
  }

  #begin(): Life {
    const world = this.#world
    const name = `${this.#name}.${++this.#lives}`
    const { network, options } = world.client()
    const commits = world.oneOf(COMMITS)
    const owner = this.#settings.isStatic ? this.#name : name
    const reading = new ReadingLife(world, this.#settings, { name, owner, commits })
    const consumer = new Consumer<string, string>({
      ...options,
      ...readerOptions(world, this.#settings),
      ...(this.#settings.isStatic ? { groupInstanceId: this.#name } : {}),
      clientId: name,
      enableAutoCommit: commits === 'auto' || commits === 'auto and each',
      logger: { ...silentLogger, info: fields => reading.told(fields) },
      onAssigned: partitions => reading.assigned(partitions),
      onRevoked: partitions => reading.revoked(partitions),
    })
    reading.consumer = consumer
    consumer.subscribe([...this.#settings.topics])
    return { name, reading, consumer, network, over: new AbortController() }
  }

  async #live({ name, reading, consumer, network, over }: Life): Promise<void> {
    const world = this.#world
    let end: End = 'left'
    try {
      await reading.read(over.signal)
      end = !world.isEnding && world.chance(3) ? 'vanished' : 'left'
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      // What a process has asked for, this one or another, may be heard once more when it has its place: then nobody has it.
      if (error.code === 'FENCED_INSTANCE_ID' && this.#settings.isStatic) end = 'replaced'
      else world.fail(`${name} cannot go on: ${error.stack}`)
    }
    over.abort()
    world.count(`member ${end}`)
    world.line(`${name} ${end}`)
    if (end === 'vanished') network.vanish()
    await consumer.close()
  }

  /** A member lives for a while, at the end until all is read. Resolves then, or when its program has ended. */
  #lifetime(isOver: AbortSignal): Promise<void> {
    const world = this.#world
    const endMs = world.clock.monotonicMs() + 300 + world.random.below(2_000)
    return new Promise(resolve => {
      const look = (): void => {
        const isOld = !world.isEnding && world.clock.monotonicMs() >= endMs
        if (isOver.aborted || isOld || world.isRead) resolve()
        else world.clock.schedule(STEP_MS, look)
      }
      look()
    })
  }
}

/** Settings of consumers as a seed draws them. */
export function readerOptions(
  world: ClientWorld,
  { group, isolation, assignors }: GroupSettings,
): ConsumerOptions<string, string> {
  return {
    groupId: group,
    key: string,
    value: string,
    partitionAssignmentStrategy: assignors,
    isolationLevel: `read_${isolation}`,
    autoOffsetReset: 'earliest',
    sessionTimeoutMs: SESSION_TIMEOUT_MS * world.oneOf([1, 3]),
    heartbeatIntervalMs: world.oneOf([100, 300]),
    maxPollIntervalMs: world.oneOf([LEAST_POLL_INTERVAL_MS, 5_000]),
    autoCommitIntervalMs: world.oneOf([100, 500]),
    fetchMaxWaitMs: world.oneOf([100, 500]),
    maxPartitionFetchBytes: world.oneOf([100, 1 << 20]),
    prefetchMaxBytes: world.oneOf([100, 1 << 20]),
  }
}

/** A batch that was handed out whole: by which assignment, and when. */
interface BatchInHand {
  readonly assignment: number
  readonly sinceMs: number
}

/** What a member does with its records. */
class ReadingLife {
  consumer!: Reader
  readonly #world: ClientWorld
  readonly #settings: GroupSettings
  readonly #name: string
  /** Whose the partitions are: the member's, whichever process it is now. */
  readonly #owner: string
  readonly #commits: Commits
  /** Where the next record of a partition is, by the history; an assignment begins anywhere. */
  readonly #next = new Map<string, number>()
  readonly #assignments = new Map<string, number>()
  readonly #detours: Detours
  /** Records that are worked on now, and since when. */
  readonly #inWork = new Map<Read, number>()
  /** Whether nothing happens between the consumer's handing a record out and this program's looking at it. */
  #isCalled = false
  #generation = -1
  /** Whether a detour is heeded before the next record of its partition. */
  #mayStray = false

  constructor(
    world: ClientWorld,
    settings: GroupSettings,
    { name, owner, commits }: { readonly name: string; readonly owner: string; readonly commits: Commits },
  ) {
    this.#world = world
    this.#settings = settings
    this.#name = name
    this.#owner = owner
    this.#commits = commits
    this.#detours = new Detours(world, world.ledger(settings.group), name)
  }

  /** The consumer logs in which generation it is given partitions, before it is. */
  told({ generationId }: { readonly generationId?: number }): void {
    this.#generation = generationId ?? this.#generation
  }

  get isMember(): boolean {
    return this.#generation >= 0
  }

  assigned(partitions: readonly TopicPartition[]): void {
    this.#world.count('assigned')
    for (const one of partitions) {
      const where = `${one.topic}-${one.partition}`
      const former = this.#next.get(where)
      this.#next.delete(where)
      this.#detours.assigned(one)
      this.#world.watch.assigned(this.#name, where)
      this.#world.commits.assigned(this.#name, where)
      if (this.#mayStray) this.#detours.begin(this.consumer, one, former)
      this.#assignments.set(where, this.#assignmentOf(one) + 1)
    }
    for (const one of [...this.consumer.assignment, ...partitions]) this.#owns(one)
  }

  /** The consumer has waited for what is worked on, as long as it has to. */
  revoked(partitions: readonly TopicPartition[]): void {
    const nowMs = this.#world.clock.monotonicMs()
    for (const [{ topic, partition, offset }, sinceMs] of this.#inWork) {
      const isMeant = partitions.some(one => one.topic === topic && one.partition === partition)
      if (isMeant && nowMs - sinceMs < LEAST_POLL_INTERVAL_MS)
        this.#world.fail(`${this.#name} lets go of ${topic}-${partition} with ${offset} in hand`)
    }
  }

  async read(signal: AbortSignal): Promise<void> {
    const world = this.#world
    const way = world.oneOf(['iterate', 'batches', 'run', 'concurrent', 'by key'] as const)
    this.#isCalled = way !== 'iterate' && way !== 'batches'
    this.#mayStray = way !== 'batches' && way !== 'by key'
    if (way === 'iterate') await this.#iterate(signal)
    else if (way === 'batches') await this.#batches(signal)
    else {
      const concurrency = way === 'run' ? 1 : 3
      const order = way === 'by key' ? 'key' : 'partition'
      await this.consumer.run(record => this.#work(record, way !== 'by key'), { concurrency, order, signal })
    }
  }

  async #iterate(signal: AbortSignal): Promise<void> {
    const iterator = this.consumer[Symbol.asyncIterator]()
    const ended = aborted(signal)
    for (;;) {
      const next = await Promise.race([iterator.next(), ended])
      if (next === undefined || next.done) break
      await this.#work(next.value, true)
      if (signal.aborted) {
        // What was worked on counts when the next is asked for; a loop that is left does not ask.
        await iterator.return?.()
        break
      }
    }
  }

  async #batches(signal: AbortSignal): Promise<void> {
    const iterator = this.consumer.batches()
    const ended = aborted(signal)
    for (;;) {
      const next = await Promise.race([iterator.next(), ended])
      if (next === undefined || next.done) return
      // All of it is in hand at once, whatever becomes of its partition meanwhile.
      const inHand = { assignment: this.#assignmentOf(next.value), sinceMs: this.#world.clock.monotonicMs() }
      for (const record of next.value.records) await this.#work(record, true, inHand)
      if (signal.aborted) {
        await iterator.return()
        return
      }
    }
  }

  async #work(record: Read, isInOrder: boolean, batch?: BatchInHand): Promise<void> {
    const world = this.#world
    const assignment = batch?.assignment ?? this.#assignmentOf(record)
    // Of a batch the rest is in hand also when its partition has gone, and that is no claim to it.
    if (batch === undefined || this.#isAssigned(record)) this.#owns(record)
    if (this.#isCalled && !this.#isAssigned(record))
      world.fail(`${this.#name} is given ${record.offset} of ${record.topic}-${record.partition}, which has gone`)
    if (this.#mayStray) this.#detours.handedOut(record)
    this.#inWork.set(record, batch?.sinceMs ?? world.clock.monotonicMs())
    if (world.chance(4)) await world.sleep(world.random.below(world.chance(12) ? 2_000 : 40))
    this.#inWork.delete(record)
    world.ledger(this.#settings.group).done(record.value!)
    // What was in hand when its partition went may be done with when it is here again.
    if (isInOrder && assignment === this.#assignmentOf(record)) this.#note(record)
    // With keys side by side nobody but the consumer knows how far all of them are.
    if (this.#commits.endsWith('each') && isInOrder) {
      const { topic, partition, offset, leaderEpoch } = record
      await this.#commit([{ topic, partition, offset: offset + 1, leaderEpoch }])
    } else if (!this.#commits.startsWith('auto') && world.chance(5)) await this.#commit()
    if (this.#mayStray && assignment === this.#assignmentOf(record)) this.#detours.take(this.consumer, record)
  }

  async #commit(offsets?: Parameters<Reader['commit']>[0]): Promise<void> {
    try {
      await this.consumer.commit(offsets, { timeoutMs: 3_000 })
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#world.line(`${this.#name} cannot commit: ${error.code}`)
      this.#world.count('commit failed')
    }
  }

  #note({ topic, partition, offset, leaderEpoch, value }: Read): void {
    const { history, settings } = this.#world
    const where = `${topic}-${partition}`
    const sought = this.#detours.sought({ topic, partition })
    const before = this.#next.get(where)
    this.#next.set(where, offset + 1)
    if (before === undefined && sought === undefined && settings.durability !== 'lossy')
      this.#world.watch.begins(this.#name, where, offset)
    if (settings.durability === 'lossy') {
      // What is worked on now may have been read before the power went, and be nowhere any more: that all of what is there was worked on
      // says whether truncations are noticed.
      if (before !== undefined && sought === undefined && offset < before) this.#world.count('gone back')
      return
    }
    const { isolation } = this.#settings
    const seeks = before === undefined || sought !== undefined
    history.note(
      { kind: 'poll', consumer: this.#name, partition: where, isolation, position: sought ?? before ?? offset, seeks },
      { records: [{ offset, epoch: leaderEpoch, value: value! }], next: offset + 1 },
    )
  }

  #isAssigned({ topic, partition }: TopicPartition): boolean {
    return this.consumer.assignment.some(one => one.topic === topic && one.partition === partition)
  }

  #assignmentOf({ topic, partition }: TopicPartition): number {
    return this.#assignments.get(`${topic}-${partition}`) ?? 0
  }

  #owns({ topic, partition }: TopicPartition): void {
    // With its state a group loses the count of its generations.
    if (this.#world.settings.durability === 'lossy') return
    this.#world.ledger(this.#settings.group).owns(this.#owner, this.#generation, `${topic}-${partition}`)
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
}
