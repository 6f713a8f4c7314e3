/** Waits until a broker says that partitions have leaders. */
import { connect } from 'node:net'
import {
  ByteReader,
  decodeMessage,
  encodeMessageBytes,
  MetadataRequest,
  MetadataResponse,
  RequestHeader,
  requestHeaderVersion,
} from '../../src/protocol/everything.ts'
import { sleep } from '../../test/compat/process.ts'

const METADATA_VERSION = 1
const POLL_MS = 20

/** Resolves when Metadata names a leader for `count` partitions; throws after `timeoutMs`. */
export async function untilLeaders(port: number, count: number, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const led = await partitionsWithLeader(port)
    if (led >= count) return
    if (Date.now() > deadline) throw new Error(`${led} of ${count} partitions have a leader after ${timeoutMs} ms`)
    await sleep(POLL_MS)
  }
}

/** How many partitions have a leader, 0 when the broker does not answer. */
function partitionsWithLeader(port: number): Promise<number> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(requestFrame()))
    const chunks: Buffer[] = []
    let received = 0
    socket.setTimeout(10_000, () => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(0))
    socket.on('data', chunk => {
      chunks.push(chunk)
      received += chunk.length
      const first = chunks[0]
      if (first === undefined || received < 8) return
      const all = received < 4 + Buffer.concat(chunks).readInt32BE(0) ? undefined : Buffer.concat(chunks)
      if (all === undefined) return
      resolve(countLeaders(all))
      socket.destroy()
    })
  })
}

function countLeaders(frame: Buffer): number {
  const { topics } = decodeMessage(MetadataResponse, METADATA_VERSION, new ByteReader(frame, 8))
  return topics.flatMap(({ partitions }) => partitions).filter(({ leaderId }) => leaderId >= 0).length
}

function requestFrame(): Buffer {
  const header = encodeMessageBytes(RequestHeader, requestHeaderVersion(MetadataRequest, METADATA_VERSION), {
    requestApiKey: MetadataRequest.apiKey,
    requestApiVersion: METADATA_VERSION,
    correlationId: 1,
    clientId: 'leaders',
  })
  const body = encodeMessageBytes(MetadataRequest, METADATA_VERSION, { topics: null })
  const length = Buffer.alloc(4)
  length.writeInt32BE(header.length + body.length)
  return Buffer.concat([length, header, body])
}
