import { createHash } from 'node:crypto'
import { handled, type RequestInterceptor } from '../../../src/broker/index.ts'
import { type MemoryDisk, type Random, SimulatedClock, seededRandom, sleep } from '../../../src/platform/index.ts'
import { type MessageOf, ProduceRequest, type ProduceResponse, ZERO_UUID } from '../../../src/protocol/everything.ts'
import { type HistoryEvent, HistoryRecorder } from '../../../src/testing/history/index.ts'
import { SimulatedBroker } from '../../../src/testing/simulated-broker.ts'
import { Claims } from './claims.ts'
import { checkAcknowledged, checkRecovered } from './invariants.ts'
import type { Settings } from './settings.ts'

export type Properties = Readonly<Record<string, string>>

/** Writes a history down, line by line as it comes. */
class TracedHistory extends HistoryRecorder {
  readonly #line: (text: string) => void

  constructor(line: (text: string) => void) {
    super()
    this.#line = line
  }

  override add(event: HistoryEvent): void {
    super.add(event)
    const { stage, id, ...rest } = event
    this.#line(`#${id} ${stage} ${JSON.stringify(rest)}`)
  }
}

/** Everything of a run that is drawn from its seed, and the broker in it, which dies and comes back. */
export class World<S extends Settings = Settings> {
  readonly seed: number
  readonly random: Random
  readonly clock = new SimulatedClock()
  readonly settings: S
  readonly history = new TracedHistory(text => this.line(text))
  /** What happened, each line with its time. */
  readonly lines: string[] = []
  /** What must not be, and ends the run. */
  readonly failures: string[] = []
  /** Times that each thing was done, so that a test can tell that there was something to do. */
  readonly counts = new Map<string, number>()
  /** Power cuts of which nothing was promised to survive what was not synced. */
  losses = 0
  /** Who has asked for which transactional id. */
  readonly claims = new Claims()
  /** Epochs of producers whose one transaction is over: none of its records has a marker in the same. */
  readonly endedEpochs = new Set<string>()
  readonly #topicIds = new Map<string, string>()
  readonly #sentAt = new Map<string, number>()
  readonly #producerIds = new Map<number, string>()
  #latest = 0
  /** Where partitions began when they were last looked at; in a crash they may go back to what clients know. */
  starts = new Map<string, number>()
  readonly #deletedTo = new Map<string, number>()
  /** Clients are to come to an end. */
  isEnding = false
  #broker: SimulatedBroker
  #starts = 0
  /** The process was ended, and the next one has not begun. */
  #isDown = false
  /** A fault of the disk is there or was: the broker may complain. */
  #isDiskAtFault = false
  /** The longest that bytes are under way now. */
  #delayMs: number

  constructor(seed: number, draw: (random: Random) => S) {
    this.seed = seed
    this.random = seededRandom(seed)
    this.settings = draw(this.random)
    this.#delayMs = this.settings.delayMs
    this.line(JSON.stringify(this.settings))
    this.#broker = this.#start(undefined)
  }

  get broker(): SimulatedBroker {
    return this.#broker
  }

  /** Which life of the broker's process this is. */
  get life(): number {
    return this.#starts
  }

  oneOf<T>(items: readonly T[]): T {
    return items[this.random.below(items.length)]!
  }

  /** True once in `times`. */
  chance(times: number): boolean {
    return this.random.below(times) === 0
  }

  sleep(ms: number): Promise<void> {
    return sleep(this.clock, ms)
  }

  line(text: string): void {
    this.lines.push(`${this.clock.monotonicMs()} ${text}`)
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  fail(what: string): void {
    this.line(`FAILED: ${what}`)
    this.failures.push(what)
  }

  /** The id of a topic that is never deleted. */
  topicId(name: string): string {
    return this.#topicIds.get(name) ?? ZERO_UUID
  }

  topicMade(name: string, id: string): void {
    this.#topicIds.set(name, id)
  }

  /** A record is encoded with a timestamp. */
  sentAt(value: string, timestamp: number): void {
    this.#sentAt.set(value, timestamp)
  }

  /** Whether a record may have been deleted that is older than some time. */
  wasOlderThan(value: string, ms: number): boolean {
    this.lookAtClock()
    return this.#latest - (this.#sentAt.get(value) ?? 0) > ms
  }

  /** Notes how late it is, before somebody sets the clock back. */
  lookAtClock(): void {
    this.#latest = Math.max(this.#latest, this.clock.now())
  }

  /** A client was told that what is below an offset is deleted, which it stays. */
  deletedTo(partition: string, offset: number): void {
    this.#deletedTo.set(partition, Math.max(offset, this.#deletedTo.get(partition) ?? 0))
  }

  /** Nobody else ever gets the id of a producer without a transactional id, whatever is lost. */
  producerIdGiven(producerId: number, who: string): void {
    const other = this.#producerIds.get(producerId)
    if (other !== undefined) this.fail(`producer id ${producerId} of ${other} is given to ${who}`)
    this.#producerIds.set(producerId, who)
  }

  /** Two runs of a seed have the same. */
  get hash(): string {
    return createHash('sha256').update(this.lines.join('\n')).digest('hex')
  }

  /** Lets bytes be under way for so long, at the most. */
  slowDown(delayMs = this.settings.delayMs): void {
    this.#delayMs = delayMs
  }

  /** A fault is placed in the disk, of which the broker may die. */
  hurtDisk(hurt: (disk: MemoryDisk) => void): void {
    this.#isDiskAtFault = true
    hurt(this.#broker.disk)
  }

  /** The disk has all its space, and no faults to come. */
  healDisk(): void {
    this.#broker.disk.clearFaults()
    this.#broker.disk.setCapacity(Number.POSITIVE_INFINITY)
  }

  /** Ends the broker's process now, and starts the next after a while. */
  async crash(downMs: number): Promise<void> {
    if (this.#broker.isOver) return
    const { durability } = this.settings
    const how = durability === 'kill' || this.chance(4) ? 'kill' : 'power'
    this.count(how)
    this.healDisk()
    const disk = this.#broker.end(how)
    this.#isDown = true
    this.starts = new Map(this.#deletedTo)
    if (durability === 'lossy' && how === 'power') this.losses += 1
    // Who has got an answer before gets to write it down.
    await new Promise<void>(resolve => this.clock.soon(resolve))
    this.history.note({ kind: 'crash', isLossy: how === 'power' })
    await this.sleep(downMs)
    this.#broker = this.#start(disk)
  }

  /** Stops the broker as an operator does. */
  async restart(): Promise<void> {
    const stopping = this.#broker
    if (stopping.server === undefined) return
    this.count('stop')
    this.line('the broker is stopped')
    const disk = await stopping.stop().catch(error => this.fail(`the broker does not stop: ${error.stack}`))
    // The process may have been ended meanwhile.
    if (stopping !== this.#broker || this.#isDown || !disk) return
    this.#broker = this.#start(disk)
  }

  /** Stands before the handlers of the broker. */
  protected intercept(...[handler, request, context]: Parameters<RequestInterceptor>): ReturnType<RequestInterceptor> {
    const answer = handled(handler, request, context)
    if (handler.apiKey !== ProduceRequest.apiKey) return answer
    const check = (produced: object | undefined): object | undefined => {
      if (produced !== undefined)
        checkAcknowledged(this, produced as MessageOf<typeof ProduceResponse>, context.services)
      return produced
    }
    return answer instanceof Promise ? answer.then(check) : check(answer)
  }

  #start(disk: MemoryDisk | undefined): SimulatedBroker {
    this.#starts += 1
    this.#isDown = false
    this.#isDiskAtFault = false
    this.line(`start ${this.#starts} of the broker`)
    const broker = new SimulatedBroker({
      clock: this.clock,
      random: this.random,
      properties: this.settings.properties,
      delayMs: () => (this.#delayMs === 0 ? 0 : this.random.below(this.#delayMs)),
      syncMs: () => (this.settings.syncMs === 0 ? 0 : this.random.below(this.settings.syncMs)),
      onError: line => this.#complained(line),
      onHalt: () => this.#gaveUp('the broker halts'),
      ...(disk ? { disk } : {}),
      interceptor: (handler, request, context) => this.intercept(handler, request, context),
    })
    const failed = (error: Error): void => {
      if (broker.isOver) return
      this.#gaveUp(`the broker does not start: ${error.stack}`)
    }
    broker.ready.then(() => checkRecovered(this, broker), failed)
    return broker
  }

  #complained(line: string): void {
    // A coordinator that lost a later epoch of its producer with the power is refused by who has it still.
    const isForgetful = this.losses > 0 && line.startsWith('Could not end the transaction')
    // Static members that faults hold up for longer than a rebalance may take: Apache Kafka says the same, and waits on.
    const isWaiting = line.endsWith('because no members rejoined')
    if (!this.#isDiskAtFault && !isForgetful && !isWaiting) this.fail(`the broker complains: ${line}`)
  }

  /** The broker cannot go on, which it may not with a disk that is well. */
  #gaveUp(why: string): void {
    this.line(why)
    if (!this.#isDiskAtFault) this.fail(why)
    void this.crash(this.random.below(1_000))
  }
}
