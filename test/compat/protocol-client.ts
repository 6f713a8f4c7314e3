/** Sends requests by their message tables, in any version, and gives the decoded responses: a client without opinions. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  ByteReader,
  decodeMessage,
  encodeMessageBytes,
  type MessageInput,
  type MessageOf,
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  type Schema,
} from '../../src/protocol/index.ts'

interface Waiting {
  readonly resolve: (frame: Uint8Array) => void
  readonly reject: (error: Error) => void
}

const CLIENT_ID = 'client'

/** One connection; requests may be under way at once. */
export class ProtocolClient {
  readonly #socket: Socket
  readonly #clientId: string
  readonly #waiting = new Map<number, Waiting>()
  #received = Buffer.alloc(0)
  #correlationId = 0

  private constructor(socket: Socket, clientId: string) {
    this.#socket = socket
    this.#clientId = clientId
    socket.on('data', bytes => this.#take(bytes))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the broker closed the connection'))
    })
  }

  static async open(port: number, clientId = CLIENT_ID): Promise<ProtocolClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new ProtocolClient(socket, clientId)
  }

  async ask<Q extends Schema, S extends Schema>(
    [request, response]: readonly [Q, S],
    version: number,
    body: MessageInput<Q>,
  ): Promise<MessageOf<S>> {
    if (this.#socket.destroyed) throw new Error('the broker closed the connection')
    const correlationId = ++this.#correlationId
    const header = encodeMessageBytes(RequestHeader, requestHeaderVersion(request, version), {
      requestApiKey: request.apiKey,
      requestApiVersion: version,
      correlationId,
      clientId: this.#clientId,
    })
    const encoded = encodeMessageBytes(request, version, body)
    const size = Buffer.alloc(4)
    size.writeInt32BE(header.length + encoded.length)
    const frame = await new Promise<Uint8Array>((resolve, reject) => {
      this.#waiting.set(correlationId, { resolve, reject })
      this.#socket.write(Buffer.concat([size, header, encoded]))
    })
    const reader = new ByteReader(frame)
    decodeMessage(ResponseHeader, responseHeaderVersion(response, version), reader)
    return decodeMessage(response, version, reader)
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(bytes: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, bytes])
    while (this.#received.length >= 8) {
      const end = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < end) return
      const frame = this.#received.subarray(4, end)
      this.#received = this.#received.subarray(end)
      const correlationId = frame.readInt32BE(0)
      this.#waiting.get(correlationId)?.resolve(frame)
      this.#waiting.delete(correlationId)
    }
  }
}
