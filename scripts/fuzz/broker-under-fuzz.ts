/** A whole broker in memory, on simulated time, with an eye on everything that must not happen. */
import type { KafkaServer } from '../../src/broker/index.ts'
import { type MemoryNetwork, SimulatedClock, seededRandom } from '../../src/platform/index.ts'
import * as p from '../../src/protocol/everything.ts'
import { driven, SimulatedBroker } from '../../src/testing/simulated-broker.ts'
import { FUZZ_TOPICS, PROBE_TOPIC } from './plausible-message.ts'
import { WireClient } from './wire-client.ts'

const API_VERSIONS = [p.ApiVersionsRequest, p.ApiVersionsResponse] as const
const FIND_COORDINATOR = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const PRODUCE = [p.ProduceRequest, p.ProduceResponse] as const
const FETCH = [p.FetchRequest, p.FetchResponse] as const

/** How many records before its own a probe reads again. */
const PROBES_READ_AGAIN = 6

const CREATED: readonly number[] = [p.ErrorCode.NONE, p.ErrorCode.TOPIC_ALREADY_EXISTS]

const PROPERTIES = { 'socket.request.max.bytes': '4194304' }

const TOPIC_CONFIGS: Readonly<Record<string, readonly { name: string; value: string }[]>> = {
  compacted: [{ name: 'cleanup.policy', value: 'compact' }],
  stamped: [{ name: 'message.timestamp.type', value: 'LogAppendTime' }],
  checked: [
    { name: 'compression.type', value: 'gzip' },
    { name: 'max.message.bytes', value: '2000' },
  ],
}

export class BrokerUnderFuzz {
  readonly clock: SimulatedClock
  readonly network: MemoryNetwork
  readonly server: KafkaServer
  /** Lines at level error, and a halt: a broker under fuzz has no reason for either. */
  readonly complaints: string[]
  #probe: WireClient | undefined
  #probeOffset = 0

  private constructor(parts: {
    clock: SimulatedClock
    network: MemoryNetwork
    server: KafkaServer
    complaints: string[]
  }) {
    this.clock = parts.clock
    this.network = parts.network
    this.server = parts.server
    this.complaints = parts.complaints
  }

  static async start(seed: number): Promise<BrokerUnderFuzz> {
    const clock = new SimulatedClock()
    const complaints: string[] = []
    const { ready, network } = new SimulatedBroker({
      clock,
      random: seededRandom(seed),
      properties: PROPERTIES,
      onError: line => complaints.push(line),
      onHalt: () => complaints.push('halt'),
    })
    const server = await driven(clock, ready)
    const broker = new BrokerUnderFuzz({ clock, network, server, complaints })
    await broker.#createTopics()
    await broker.#createCoordinator()
    return broker
  }

  get port(): number {
    return this.server.listeners[0]!.port
  }

  async connect(): Promise<WireClient> {
    const connection = await this.network.connect('127.0.0.1', this.port, 1000)
    return new WireClient(connection, turn => this.clock.advance(turn === 0 ? 0 : 50))
  }

  /** What ApiVersions says, with the schemas. */
  async advertised(): Promise<{ request: p.Schema; response: p.Schema; min: number; max: number }[]> {
    const client = await this.#prober()
    const { apiKeys } = await client.call(API_VERSIONS, 0, {})
    return apiKeys.map(({ apiKey, minVersion, maxVersion }) => {
      const api = p.apiOfKey(apiKey)
      if (!api) throw new Error(`API ${apiKey} is advertised and has no schema`)
      return { request: api.request, response: api.response, min: minVersion, max: maxVersion }
    })
  }

  /** A well-behaved client asks for the versions, publishes a record and reads it back; throws when any of it fails. */
  async probe(): Promise<void> {
    const client = await this.#prober()
    await client.call(API_VERSIONS, 0, {})
    const offset = this.#probeOffset
    const records = p.encodeBatch({ records: [{ value: probeValue(offset), timestamp: this.clock.now() }] })
    const produced = await client.call(PRODUCE, 9, {
      acks: 1,
      timeoutMs: 1000,
      topicData: [{ name: PROBE_TOPIC, partitionData: [{ index: 0, records }] }],
    })
    const stored = produced.responses[0]?.partitionResponses[0]
    expectEqual('Produce', [stored?.errorCode, stored?.baseOffset], [0, offset])
    this.#probeOffset += 1
    await this.#readBack(client, Math.max(0, offset - PROBES_READ_AGAIN))
    // Requests delete topics, and without any they would soon all end the same way.
    await this.#createTopics()
  }

  /** Whatever has happened since, what was published before is still what it was. */
  async #readBack(client: WireClient, fetchOffset: number): Promise<void> {
    const fetched = await client.call(FETCH, 11, {
      maxWaitMs: 100,
      minBytes: 1,
      topics: [{ topic: PROBE_TOPIC, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 16 << 20 }] }],
    })
    const read = fetched.responses[0]?.partitions[0]
    expectEqual('Fetch', [read?.errorCode], [0])
    let offset = fetchOffset
    for (const header of p.batches(read?.records ?? new Uint8Array(0))) {
      if (!p.batchCrcValid(read!.records!, header)) throw new Error(`batch ${header.baseOffset} is not what it was`)
      for (const record of p.decodeRecords(read!.records!, header, { maxBytes: 1 << 20 })) {
        const isSame = record.offset === offset && probeValue(offset).equals(record.value ?? new Uint8Array(0))
        if (!isSame) throw new Error(`record ${offset} is not what was published`)
        offset += 1
      }
    }
    expectEqual('the end of what was read', [offset], [this.#probeOffset])
  }

  /** Stops the broker, and throws when memory of requests is still held with every client gone. */
  async stop(): Promise<void> {
    this.#probe?.close()
    await this.clock.advance(1000)
    expectEqual('bytes of requests held', [this.server.queuedBytes], [0])
    await driven(this.clock, this.server.stop())
  }

  async #prober(): Promise<WireClient> {
    if (!this.#probe || this.#probe.isClosed) this.#probe = await this.connect()
    return this.#probe
  }

  async #createTopics(): Promise<void> {
    const topics = [...FUZZ_TOPICS, PROBE_TOPIC].map(name => ({
      name,
      numPartitions: name === PROBE_TOPIC ? 1 : 2,
      replicationFactor: 1,
      assignments: [],
      configs: TOPIC_CONFIGS[name] ?? [],
    }))
    const created = await driven(this.clock, this.server.services.controller.createTopics(topics))
    const failed = created.filter(({ errorCode }) => !CREATED.includes(errorCode))
    expectEqual(
      'topics that cannot be created',
      failed.map(({ name, errorCode }) => `${name}: ${errorCode}`),
      [],
    )
  }

  /** The topic of groups and offsets is made when somebody first asks for a coordinator. */
  async #createCoordinator(): Promise<void> {
    const client = await this.#prober()
    for (let attempt = 0; attempt < 100; attempt++) {
      const { errorCode } = await client.call(FIND_COORDINATOR, 1, { key: 'group-a', keyType: 0 })
      if (errorCode === 0) return
      await this.clock.advance(100)
    }
    throw new Error('no coordinator')
  }
}

/** What the probe publishes at an offset: mostly a few bytes, now and then as many as come in buffers of their own. */
function probeValue(offset: number): Buffer {
  return Buffer.alloc(offset % 4 === 3 ? 150_000 : 20, `probe ${offset} `)
}

function expectEqual(what: string, actual: readonly unknown[], expected: readonly unknown[]): void {
  if (actual.length === expected.length && actual.every((value, index) => value === expected[index])) return
  throw new Error(`${what}: ${JSON.stringify(actual)} and not ${JSON.stringify(expected)}`)
}
