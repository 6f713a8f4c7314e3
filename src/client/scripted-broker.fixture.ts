import { type Connection, MemoryNetwork, type SimulatedClock } from '../platform/index.ts'
import {
  ByteReader,
  ByteWriter,
  decodeMessage,
  encoderOf,
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  type Schema,
} from '../protocol/index.ts'
import { MetadataRequest, MetadataResponse } from '../protocol/messages/03-metadata.ts'
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../protocol/messages/10-find-coordinator.ts'
import { HeartbeatRequest, HeartbeatResponse } from '../protocol/messages/12-heartbeat.ts'
import { SaslHandshakeRequest, SaslHandshakeResponse } from '../protocol/messages/17-sasl-handshake.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/18-api-versions.ts'
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from '../protocol/messages/36-sasl-authenticate.ts'
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '../protocol/messages/45-alter-partition-reassignments.ts'
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from '../protocol/messages/46-list-partition-reassignments.ts'

const APIS: readonly (readonly [request: Schema, response: Schema])[] = [
  [MetadataRequest, MetadataResponse],
  [FindCoordinatorRequest, FindCoordinatorResponse],
  [HeartbeatRequest, HeartbeatResponse],
  [SaslHandshakeRequest, SaslHandshakeResponse],
  [ApiVersionsRequest, ApiVersionsResponse],
  [SaslAuthenticateRequest, SaslAuthenticateResponse],
  [AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse],
  [ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse],
]

/** What the script answers: fields of the response, or the end of the connection. */
export type Script = (request: { readonly name: string; readonly body: Record<string, unknown> }) => object | 'close'

/** A broker that hears requests and answers what a script says, in a network in memory. */
export class ScriptedBroker {
  readonly network: MemoryNetwork
  /** Names of the requests, in the order of their coming, with the group of a Heartbeat. */
  readonly heard: string[] = []
  connections = 0
  port = 0
  readonly #script: Script

  private constructor(clock: SimulatedClock, script: Script) {
    this.network = new MemoryNetwork(clock)
    this.#script = script
  }

  static async start(clock: SimulatedClock, script: Script): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(clock, script)
    const { port } = await broker.network.listen('broker', 0, connection => broker.#accept(connection))
    broker.port = port
    return broker
  }

  #accept(connection: Connection): void {
    this.connections += 1
    const target = Buffer.alloc(4096)
    let bytes = Buffer.alloc(0)
    connection.start({
      target: () => target,
      drained() {},
      closed() {},
      received: length => {
        bytes = Buffer.concat([bytes, target.subarray(0, length)])
        while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
          const end = 4 + bytes.readInt32BE(0)
          this.#answer(connection, bytes.subarray(4, end))
          bytes = bytes.subarray(end)
        }
      },
    })
  }

  #answer(connection: Connection, frame: Buffer): void {
    const apiKey = frame.readInt16BE(0)
    const version = frame.readInt16BE(2)
    const [request, response] = APIS.find(([{ apiKey: key }]) => key === apiKey)!
    const reader = new ByteReader(frame)
    const { correlationId } = decodeMessage(RequestHeader, requestHeaderVersion(request, version), reader)
    const body = decodeMessage(request, version, reader) as Record<string, unknown>
    this.heard.push(request === HeartbeatRequest ? `Heartbeat ${body.groupId}` : request.name)
    const apiKeys = APIS.map(([{ versions, apiKey: key }]) => ({
      apiKey: key,
      minVersion: versions.min,
      maxVersion: versions.max,
    }))
    const answer = request === ApiVersionsRequest ? { apiKeys } : this.#script({ name: request.name, body })
    if (answer === 'close') {
      connection.end()
      return
    }
    const writer = new ByteWriter()
    writer.int32(0)
    encoderOf(ResponseHeader, responseHeaderVersion(response, version))(writer, { correlationId })
    encoderOf(response, version)(writer, answer)
    const whole = Buffer.from(writer.finish())
    whole.writeInt32BE(whole.length - 4, 0)
    connection.write([whole])
  }
}
