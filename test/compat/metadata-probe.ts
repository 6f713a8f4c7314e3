/** The smallest possible Kafka client: asks for Metadata until a broker answers. */
import { connect, createServer, type Socket } from 'node:net'
import { sleep } from './process.ts'

/** Metadata v1 for no topics, as a whole frame with correlation id 7. */
function metadataRequest(): Buffer {
  const clientId = Buffer.from('probe')
  const frame = Buffer.alloc(4 + 10 + clientId.length + 4)
  frame.writeInt32BE(frame.length - 4, 0)
  frame.writeInt16BE(3, 4)
  frame.writeInt16BE(1, 6)
  frame.writeInt32BE(7, 8)
  frame.writeInt16BE(clientId.length, 12)
  clientId.copy(frame, 14)
  frame.writeInt32BE(0, 14 + clientId.length)
  return frame
}

/** Resolves with the number of brokers that Metadata names, or undefined when nothing answers. */
export function askMetadata(port: number, timeoutMs = 10_000): Promise<number | undefined> {
  return new Promise(resolve => {
    const socket: Socket = connect({ port, host: '127.0.0.1' })
    let received = Buffer.alloc(0)
    const finish = (answer: number | undefined): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(timeoutMs, () => finish(undefined))
    socket.on('error', () => finish(undefined))
    socket.on('close', () => finish(undefined))
    socket.on('connect', () => socket.write(metadataRequest()))
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      if (received.length >= 12 && received.length >= 4 + received.readInt32BE(0)) finish(received.readInt32BE(8))
    })
  })
}

/** Waits until a broker answers Metadata naming itself; `alive` ends the wait early with an error. */
export async function untilMetadata(port: number, timeoutMs: number, alive: () => boolean): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const brokers = await askMetadata(port)
    if (brokers !== undefined && brokers > 0) return
    if (!alive()) throw new Error('the broker ended before it answered')
    if (Date.now() > deadline) throw new Error(`no answer from port ${port} within ${timeoutMs} ms`)
    await sleep(5)
  }
}

/** Below those that systems give to whoever asks for any port: nobody gets one of these while its broker is down. */
const PORTS = { first: 10_000, count: 20_000 }

/** A TCP port of the loopback address that nothing listens on, and that nobody is given by chance. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
