/** A client that knows frames and nothing else: it sends what it is told to and collects what comes back. */
import type { Connection } from '../../src/platform/index.ts'
import {
  ByteReader,
  ByteWriter,
  decodeMessage,
  encoderOf,
  type MessageInput,
  type MessageOf,
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  type Schema,
} from '../../src/protocol/index.ts'

/** A request and its response. */
export type Exchange<Q extends Schema = Schema, S extends Schema = Schema> = readonly [request: Q, response: S]

/** Lets some time pass: real time, or a step of a simulated clock. `turn` counts from 0 in each wait. */
export type PassTime = (turn: number) => Promise<void>

/** After so many turns nobody waits any longer. */
const MAX_TURNS = 3_000

export class WireClient {
  readonly #connection: Connection
  readonly #passTime: PassTime
  /** Answers that nobody took yet, without their sizes. */
  readonly frames: Buffer[] = []
  isClosed = false
  #unframed: Buffer = Buffer.alloc(0)
  #correlationId = 1_000_000

  constructor(connection: Connection, passTime: PassTime) {
    this.#connection = connection
    this.#passTime = passTime
    const target = Buffer.alloc(1 << 16)
    connection.start({
      target: () => target,
      received: length => this.#received(target.subarray(0, length)),
      drained() {},
      closed: () => {
        this.isClosed = true
      },
    })
  }

  /** Bytes that the other end has not taken. */
  get pendingBytes(): number {
    return this.#connection.pendingBytes
  }

  /** Stops reading: answers pile up at the other end. */
  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    this.#connection.resume()
  }

  write(bytes: Uint8Array): void {
    this.#connection.write([bytes])
  }

  /** Sends a request that has no size yet. */
  send(frame: Uint8Array): void {
    this.write(framed(frame))
  }

  close(): void {
    this.#connection.end()
  }

  /** Goes at once, also with answers unread. */
  abort(): void {
    this.#connection.destroy()
  }

  /** Waits for something to become true; rejects when it does not, however long one waits. */
  async until(condition: () => boolean, what: string): Promise<void> {
    for (let turn = 0; !condition(); turn++) {
      if (turn > MAX_TURNS) throw new Error(`waited in vain for ${what}`)
      await this.#passTime(turn)
    }
  }

  /** Sends a request and waits for its answer. */
  async call<Q extends Schema, S extends Schema>(
    [request, response]: Exchange<Q, S>,
    version: number,
    body: MessageInput<Q>,
  ): Promise<MessageOf<S>> {
    this.#correlationId += 1
    const correlationId = this.#correlationId
    this.send(requestFrame(request, version, { body, correlationId }))
    const what = `the answer to ${request.name} v${version}`
    await this.until(() => this.frames.length > 0 || this.isClosed, what)
    const frame = this.frames.shift()
    if (!frame) throw new Error(`the connection was closed instead of ${what}`)
    return readAnswer(frame, { schema: response, version, correlationId }) as MessageOf<S>
  }

  #received(bytes: Uint8Array): void {
    this.#unframed = Buffer.concat([this.#unframed, bytes])
    while (this.#unframed.length >= 4 && this.#unframed.length >= 4 + this.#unframed.readInt32BE()) {
      const end = 4 + this.#unframed.readInt32BE()
      this.frames.push(this.#unframed.subarray(4, end))
      this.#unframed = this.#unframed.subarray(end)
    }
  }
}

/** A request with its size before it. */
export function framed(request: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(request.length)
  return Buffer.concat([size, request])
}

/** Header and body of a request, without a size. */
export function requestFrame<Q extends Schema>(
  schema: Q,
  version: number,
  { body, correlationId = 1, clientId = 'test' }: { body: MessageInput<Q>; correlationId?: number; clientId?: string },
): Buffer {
  const writer = new ByteWriter()
  const header = { requestApiKey: schema.apiKey, requestApiVersion: version, correlationId, clientId }
  encoderOf(RequestHeader, requestHeaderVersion(schema, version))(writer, header)
  encoderOf(schema, version)(writer, body)
  return Buffer.from(writer.finish())
}

/** What an answer should be. */
export interface ExpectedAnswer {
  readonly schema: Schema
  readonly version: number
  readonly correlationId: number
}

/** Decodes a response frame; throws when it is for another request or not what its version says. */
export function readAnswer(frame: Uint8Array, { schema, version, correlationId }: ExpectedAnswer): object {
  const reader = new ByteReader(frame)
  const header = decodeMessage(ResponseHeader, responseHeaderVersion(schema, version), reader)
  if (header.correlationId !== correlationId) {
    throw new Error(`answer to request ${header.correlationId} and not to ${correlationId}`)
  }
  const message = decodeMessage(schema, version, reader)
  if (reader.remaining > 0) throw new Error(`${reader.remaining} bytes after the answer`)
  return message
}
