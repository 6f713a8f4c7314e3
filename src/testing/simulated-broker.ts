import { KafkaServer, type RequestInterceptor } from '../broker/index.ts'
import {
  type Connection,
  type Logger,
  MemoryDisk,
  MemoryNetwork,
  NetworkError,
  ProcessClock,
  type Random,
  type SimulatedClock,
  sleep,
} from '../platform/index.ts'

/** The machine that a {@link SimulatedBroker} runs on. */
export interface SimulatedMachine {
  readonly clock: SimulatedClock
  readonly random: Random
  /** Default: an empty one. */
  readonly disk?: MemoryDisk
  /** Milliseconds that a sync of the disk takes, where {@link disk} is not given; default none. */
  readonly syncMs?: () => number
  /** Keys of `server.properties`, beside those that keep a broker small. */
  readonly properties?: Readonly<Record<string, string>>
  /** Milliseconds that bytes are under way; default none. */
  readonly delayMs?: () => number
  /** Stands before every handler; default none. */
  readonly interceptor?: RequestInterceptor
  /** Hears of each error that the broker logs while it lives. */
  readonly onError: (line: string) => void
  /** The broker can serve nothing more, and its process would end now. */
  readonly onHalt: () => void
}

const PORT = 9092

const SMALL: Readonly<Record<string, string>> = {
  'broker.id': '0',
  listeners: `PLAINTEXT://127.0.0.1:${PORT}`,
  'log.dirs': '/data',
  'offsets.topic.num.partitions': '2',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '2',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'log.index.size.max.bytes': '4096',
}

/**
 * One life of a broker's process, on simulated time, disk and network. It begins with the construction and lasts until it is
 * {@link stop}ped or {@link end}s; what is left of the disk makes the next life.
 */
export class SimulatedBroker {
  readonly disk: MemoryDisk
  readonly network: MemoryNetwork
  /** The broker, when it answers; rejected when it does not start. Time has to move for it, as {@link driven} does. */
  readonly ready: Promise<KafkaServer>
  readonly #machine: SimulatedMachine
  readonly #processClock: ProcessClock
  #server: KafkaServer | undefined
  #isOver = false

  constructor(machine: SimulatedMachine) {
    const { clock, random, delayMs, syncMs, interceptor, onHalt } = machine
    this.#machine = machine
    const sleepFor = (ms: number): Promise<void> => (ms < 1 ? Promise.resolve() : sleep(clock, ms))
    this.disk =
      machine.disk ?? new MemoryDisk({ now: () => clock.now(), ...(syncMs && { syncDelay: () => sleepFor(syncMs()) }) })
    this.network = new MemoryNetwork(clock, delayMs ? { delayMs } : {})
    this.#processClock = new ProcessClock(clock)
    const starting = KafkaServer.start({
      properties: new Map(Object.entries({ ...SMALL, ...machine.properties })),
      disk: this.disk,
      network: this.network,
      clock: this.#processClock,
      random,
      logger: this.#logger(),
      isVerbose: false,
      ...(interceptor ? { interceptor } : {}),
      onHalt: () => this.#isOver || onHalt(),
    })
    this.ready = starting.then(server => {
      this.#server = server
      return server
    })
    this.ready.catch(() => undefined)
  }

  /** Undefined until it is {@link ready}, and after its end. */
  get server(): KafkaServer | undefined {
    return this.#isOver ? undefined : this.#server
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** @throws NetworkError ECONNREFUSED while nobody listens */
  async connect(): Promise<Connection> {
    // The listener of a dead process is still there in this one.
    if (this.#isOver) throw new NetworkError('ECONNREFUSED', 'connect to a broker whose process has ended')
    return this.network.connect('127.0.0.1', PORT, 1000)
  }

  /**
   * Ends the process in this moment, whatever it does: `kill` leaves all that it gave to the system, `power` what was synced
   * and by chance more, or garbage. Returns the disk with what is left.
   */
  end(how: 'kill' | 'power'): MemoryDisk {
    const { random } = this.#machine
    this.#isOver = true
    this.#processClock.end()
    this.network.cut()
    return how === 'kill' ? this.disk.kill() : this.disk.crash({ random, garbage: random.below(4) === 0 ? 0.5 : 0 })
  }

  /** Stops the broker cleanly. Time has to move for it. */
  async stop(): Promise<MemoryDisk> {
    await (await this.ready).stop()
    this.#isOver = true
    return this.disk
  }

  #logger(): Logger {
    const logger: Logger = {
      debug() {},
      info() {},
      warn() {},
      error: (fields, message) => {
        // What is left of a dead process in this one finds its disk gone.
        if (this.#isOver) return
        const cause = 'err' in fields && fields.err instanceof Error ? `: ${fields.err.stack}` : ''
        this.#machine.onError(`${message}${cause}`)
      },
      child: () => logger,
    }
    return logger
  }
}

/** Moves simulated time on until a promise is settled. */
export async function driven<T>(clock: SimulatedClock, promise: Promise<T>): Promise<T> {
  let isSettled = false
  const watched = promise.finally(() => {
    isSettled = true
  })
  watched.catch(() => undefined)
  for (let turns = 0; !isSettled && turns < 10_000; turns++) await clock.advance(turns < 10 ? 0 : 10)
  if (!isSettled) throw new Error('it takes more than 100 s of simulated time')
  return watched
}
