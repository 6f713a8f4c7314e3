/** A broker in memory on simulated time, which can lose its process or its power and start again on what is left. */
import { WireClient } from '../../scripts/fuzz/wire-client.ts'
import { KafkaServer } from '../../src/broker/index.ts'
import { type Logger, MemoryDisk, MemoryNetwork, type Random, SimulatedClock } from '../../src/platform/index.ts'

export type Properties = Readonly<Record<string, string>>

const DEFAULTS: Properties = {
  'broker.id': '0',
  listeners: 'PLAINTEXT://127.0.0.1:0',
  'log.dirs': '/data',
  'offsets.topic.num.partitions': '2',
  'transaction.state.log.num.partitions': '2',
  'group.initial.rebalance.delay.ms': '0',
  'log.index.size.max.bytes': '4096',
}

interface Life {
  isOver: boolean
}

/** One life of the broker's process. */
export class BrokerIncarnation {
  readonly clock: SimulatedClock
  readonly server: KafkaServer
  readonly #network: MemoryNetwork
  readonly #disk: MemoryDisk
  readonly #random: Random
  readonly #properties: Properties
  readonly #complaints: string[]
  readonly #life: Life

  constructor(parts: {
    life: Life
    clock: SimulatedClock
    server: KafkaServer
    network: MemoryNetwork
    disk: MemoryDisk
    random: Random
    properties: Properties
    complaints: string[]
  }) {
    this.clock = parts.clock
    this.server = parts.server
    this.#network = parts.network
    this.#disk = parts.disk
    this.#random = parts.random
    this.#properties = parts.properties
    this.#complaints = parts.complaints
    this.#life = parts.life
  }

  /** Starts a broker for the first time. `complaints` gets what it logs as errors. */
  static first(random: Random, properties: Properties, complaints: string[]): Promise<BrokerIncarnation> {
    const clock = new SimulatedClock()
    return start({ clock, disk: new MemoryDisk(), random, properties, complaints })
  }

  async connect(): Promise<WireClient> {
    const connection = await this.#network.connect('127.0.0.1', this.server.listeners[0]!.port, 1000)
    return new WireClient(connection, turn => {
      if (this.#life.isOver) throw new Error('the broker is dead')
      return this.clock.advance(turn === 0 ? 0 : 20)
    })
  }

  /** Ends the process in this moment: `kill` leaves what it gave to the system, `power` only what was synced and by chance more. */
  end(how: 'kill' | 'power'): Promise<BrokerIncarnation> {
    this.#life.isOver = true
    const random = this.#random
    const disk = this.#disk.crash(how === 'kill' ? { random, keep: 1 } : { random })
    const clock = new SimulatedClock(this.clock.now() + random.below(1_000))
    return start({ clock, disk, random, properties: this.#properties, complaints: this.#complaints })
  }
}

async function start(parts: {
  clock: SimulatedClock
  disk: MemoryDisk
  random: Random
  properties: Properties
  complaints: string[]
}): Promise<BrokerIncarnation> {
  const { clock, disk, random, properties, complaints } = parts
  const network = new MemoryNetwork(clock)
  const life = { isOver: false }
  const starting = KafkaServer.start({
    properties: new Map(Object.entries({ ...DEFAULTS, ...properties })),
    disk,
    network,
    clock,
    random,
    logger: complainingLogger(complaints, life),
    isVerbose: false,
    onHalt: () => life.isOver || complaints.push('halt'),
  })
  const server = await driven(clock, starting)
  return new BrokerIncarnation({ ...parts, network, server, life })
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

function complainingLogger(complaints: string[], life: Life): Logger {
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (fields, message) => {
      // What is left of a dead process in this one finds its disk gone.
      if (life.isOver) return
      const cause = 'err' in fields && fields.err instanceof Error ? `: ${fields.err.stack}` : ''
      complaints.push(`${message}${cause}`)
    },
    child: () => logger,
  }
  return logger
}
