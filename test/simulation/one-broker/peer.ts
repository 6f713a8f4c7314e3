import { framed, readAnswer, requestFrame } from '../../../scripts/fuzz/wire-client.ts'
import type { Connection } from '../../../src/platform/index.ts'
import type { MessageInput, MessageOf, Schema } from '../../../src/protocol/everything.ts'
import type { Api } from './apis.ts'
import type { World } from './world.ts'

/** Nobody answered: the broker is away, or the connection or its patience was lost. What was asked may have been done. */
export class Unavailable extends Error {}

interface Waiting {
  readonly api: Api
  readonly version: number
  readonly resolve: (answer: object) => void
  readonly reject: (error: Error) => void
}

/** Delivery is one at a time and taken at once, so that all connections can share the memory. */
const target = Buffer.alloc(1 << 16)

const PATIENCE_MS = 1_500

/** A client's end of a connection, which is made when there is none; requests are pipelined. */
export class Peer {
  readonly name: string
  readonly #world: World
  readonly #waiting = new Map<number, Waiting>()
  #connection: Connection | undefined
  #unframed: Buffer = Buffer.alloc(0)
  #correlationId = 0
  /** How new a client this is: 0 speaks the oldest version of everything, 1 the newest. */
  readonly #age: number

  constructor(world: World, name: string, age = world.chance(2) ? 1 : world.random.next()) {
    this.#world = world
    this.name = name
    this.#age = age
  }

  /** The version in which it speaks. */
  version([, , oldest, newest]: readonly [unknown, unknown, oldest: number, newest: number]): number {
    return Math.min(newest, oldest + Math.floor(this.#age * (newest - oldest + 1)))
  }

  /**
   * Sends a request and waits for its answer.
   * @throws Unavailable
   */
  async call<Q extends Schema, S extends Schema>(
    api: Api<Q, S>,
    body: MessageInput<Q>,
    patienceMs = PATIENCE_MS,
  ): Promise<MessageOf<S>> {
    const [request] = api
    const version = this.version(api)
    const connection = await this.#connected()
    this.#correlationId += 1
    const correlationId = this.#correlationId
    const answer = new Promise<object>((resolve, reject) => {
      this.#waiting.set(correlationId, { api: api as unknown as Api, version, resolve, reject })
    })
    const timer = this.#world.clock.schedule(patienceMs, () => this.#cut(connection, `${request.name} took too long`))
    connection.write([framed(requestFrame(request, version, { body, correlationId, clientId: this.name }))])
    try {
      return (await answer) as MessageOf<S>
    } finally {
      timer.cancel()
    }
  }

  /** Sends a request that gets no answer. */
  async tell<Q extends Schema, S extends Schema>(api: Api<Q, S>, body: MessageInput<Q>): Promise<void> {
    const connection = await this.#connected()
    this.#correlationId += 1
    const header = { body, correlationId: this.#correlationId, clientId: this.name }
    connection.write([framed(requestFrame(api[0], this.version(api), header))])
  }

  close(): void {
    this.#connection?.end()
    this.#lost('closed')
  }

  async #connected(): Promise<Connection> {
    if (this.#connection !== undefined) return this.#connection
    let connection: Connection
    try {
      connection = await this.#world.broker.connect()
    } catch {
      throw new Unavailable('nobody listens')
    }
    // Another call of this client may have been faster.
    if (this.#connection !== undefined) {
      connection.end()
      return this.#connection
    }
    this.#connection = connection
    this.#unframed = Buffer.alloc(0)
    connection.start({
      target: () => target,
      received: length => this.#connection === connection && this.#received(target.subarray(0, length)),
      drained() {},
      closed: () => this.#connection === connection && this.#lost('the connection is closed'),
    })
    return connection
  }

  /** Gives a connection up; nothing that was under way on it arrives any more. */
  #cut(connection: Connection, why: string): void {
    const { localPort } = connection
    if (this.#connection !== connection) return
    this.#world.broker.network.cut(port => port === localPort)
    this.#lost(why)
  }

  #lost(why: string): void {
    this.#connection = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(new Unavailable(why))
  }

  #received(bytes: Uint8Array): void {
    this.#unframed = Buffer.concat([this.#unframed, bytes])
    while (this.#unframed.length >= 4 && this.#unframed.length >= 4 + this.#unframed.readInt32BE()) {
      const end = 4 + this.#unframed.readInt32BE()
      this.#answered(this.#unframed.subarray(4, end))
      this.#unframed = this.#unframed.subarray(end)
    }
  }

  /** Answers come in the order of the requests. */
  #answered(frame: Buffer): void {
    const [next] = this.#waiting
    if (next === undefined) throw new Error(`${this.name} got an answer that it did not ask for`)
    const [correlationId, { api, version, resolve }] = next
    this.#waiting.delete(correlationId)
    const [request, schema] = api
    this.#world.line(`${this.name} ${request.name} v${version}: ${frame.length} bytes`)
    resolve(readAnswer(frame, { schema, version, correlationId }))
  }
}
