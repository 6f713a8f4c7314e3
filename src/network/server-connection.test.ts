import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { MemoryNetwork, type Network, nodeNetwork, SimulatedClock, systemClock } from '../platform/index.ts'
import type { Reply } from './server-connection.ts'
import { framed, Peer, readerInParts, serve, Texts } from './socket-server.fixture.ts'
import type { SocketServer, SocketServerOptions } from './socket-server.ts'

let texts: Texts
let server: SocketServer
let port: number

async function connect(options: Partial<SocketServerOptions> = {}): Promise<Peer> {
  texts = new Texts()
  const network = options.network ?? new MemoryNetwork(systemClock)
  const served = await serve({ network, processor: texts, ...options })
  server = served.server
  port = served.port
  return new Peer(await network.connect('127.0.0.1', port, 1000))
}

beforeEach(() => {
  texts = new Texts()
})

test('requests that arrive together or in pieces are answered in order', async () => {
  const peer = await connect()
  const bytes = Buffer.concat(['one', 'two', 'three'].map(framed))
  for (const byte of bytes.subarray(0, 9)) peer.connection.write([Buffer.from([byte])])
  peer.connection.write([bytes.subarray(9)])
  await peer.until(() => peer.frames.length === 3)
  assert.deepEqual(peer.frames, ['re:one', 're:two', 're:three'])
})

test('a frame larger than one read arrives whole and in memory of its own', async () => {
  const peer = await connect()
  const text = 'x'.repeat(3 << 20)
  peer.connection.write([framed(text), framed('small')])
  await peer.until(() => peer.frames.length === 2)
  assert.equal(peer.frames[0]!.length, text.length + 3)
  assert.equal(Buffer.from(texts.frames[0]!).toString(), text)
  assert.equal(server.queuedBytes, 0)
})

test('a request waits for the answer of the one before it', async () => {
  const peer = await connect()
  let release: (reply: Reply) => void = () => {}
  texts.answer = text =>
    text === 'slow'
      ? new Promise(resolve => {
          release = resolve
        })
      : [framed(text)]
  peer.connection.write([framed('slow'), framed('next')])
  await peer.until(() => true)
  while (texts.started.length === 0) await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(texts.started, ['slow'])
  release([framed('late')])
  await peer.until(() => peer.frames.length === 2)
  assert.deepEqual(peer.frames, ['late', 'next'])
})

test('requests that may overlap start at once and are still answered in order', async () => {
  const peer = await connect()
  const releases: (() => void)[] = []
  texts.answer = text => new Promise(resolve => releases.push(() => resolve([framed(text)])))
  peer.connection.write([framed('p1'), framed('p2'), framed('other')])
  while (texts.started.length < 2) await new Promise(resolve => setImmediate(resolve))
  releases[1]!()
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual([peer.frames, texts.started], [[], ['p1', 'p2']])
  releases[0]!()
  while (texts.started.length < 3) await new Promise(resolve => setImmediate(resolve))
  releases[2]!()
  await peer.until(() => peer.frames.length === 3)
  assert.deepEqual(peer.frames, ['p1', 'p2', 'other'])
})

for (const size of [-1, 0, 2 ** 31 - 1, (4 << 20) + 1]) {
  test(`a frame that claims ${size} bytes closes its connection and holds no memory`, async () => {
    const peer = await connect()
    const prefix = Buffer.alloc(8)
    prefix.writeInt32BE(size)
    peer.connection.write([prefix])
    await peer.until(() => peer.isClosed)
    assert.deepEqual([texts.started, server.queuedBytes, server.connectionCount], [[], 0, 0])
  })
}

test('a connection that ends in the middle of a frame gives its memory back', async () => {
  const peer = await connect()
  const frame = framed('y'.repeat(2 << 20))
  peer.connection.write([frame.subarray(0, 1 << 20)])
  while (server.queuedBytes === 0) await new Promise(resolve => setImmediate(resolve))
  peer.connection.end()
  while (server.connectionCount > 0) await new Promise(resolve => setImmediate(resolve))
  assert.equal(server.queuedBytes, 0)
  assert.ok(texts.gone?.isClosed)
})

test('nothing is started that came behind a request that closes the connection', async () => {
  const peer = await connect()
  let close: (reply: Reply) => void = () => {}
  const closing = new Promise<Reply>(resolve => {
    close = resolve
  })
  texts.answer = text => (text === 'late' ? closing : [framed(`re:${text}`)])
  peer.connection.write([framed('first'), framed('late'), framed('never'), framed('never')])
  await peer.until(() => peer.frames.length === 1)
  close('close')
  await peer.until(() => peer.isClosed)
  assert.deepEqual(texts.started, ['first', 'late'])
  assert.deepEqual(peer.frames, ['re:first'])
  assert.equal(server.queuedBytes, 0)
})

test('a peer that stays although it was sent away is closed by the next sweep', async () => {
  const clock = new SimulatedClock()
  const deaf = new MemoryNetwork(clock)
  const network: Network = {
    hostName: () => 'localhost',
    connect: deaf.connect.bind(deaf),
    listen: (host, port, accept) =>
      deaf.listen(host, port, connection => {
        const end = connection.end.bind(connection)
        let isFirst = true
        // The goodbye is not answered; only what closes for good does.
        connection.end = () => {
          if (isFirst) isFirst = false
          else end()
        }
        accept(connection)
      }),
  }
  const peer = await connect({ network, clock })
  texts.answer = () => 'close'
  peer.connection.write([framed('go')])
  await clock.advance(1_000)
  assert.equal(peer.isClosed, false)
  peer.connection.write([framed('more'), Buffer.from([0])])
  await clock.advance(10_000)
  assert.equal(peer.isClosed, true)
  assert.equal(server.connectionCount, 0)
  assert.equal(server.queuedBytes, 0)
})

test('connections beyond max.connections are closed, whatever it is by then', async () => {
  const network = new MemoryNetwork(systemClock)
  let maxConnections = 1
  await connect({ network, maxConnections: () => maxConnections })
  const second = new Peer(await network.connect('127.0.0.1', port, 1000))
  await second.until(() => second.isClosed)
  assert.equal(server.connectionCount, 1)
  maxConnections = 2
  const third = new Peer(await network.connect('127.0.0.1', port, 1000))
  third.connection.write([framed('hello')])
  await third.until(() => third.frames.length === 1)
  assert.equal(server.connectionCount, 2)
})

test('connections of one address beyond max.connections.per.ip are closed', async () => {
  const network = new MemoryNetwork(systemClock)
  await connect({ network, maxConnectionsOf: () => 1 })
  const second = new Peer(await network.connect('127.0.0.1', 40_000, 1000))
  await second.until(() => second.isClosed)
  assert.equal(server.connectionCount, 1)
})

/** Two listeners of a server whose rates, a second, these are; the broker's own under '', that of an address under `ip`. */
async function limited(clock: SimulatedClock, rates: Readonly<Record<string, number>>) {
  const network = new MemoryNetwork(clock)
  await connect({
    network,
    clock,
    addresses: ['INTERNAL', 'EXTERNAL'].map(name => ({ name, host: '127.0.0.1', port: 0 })),
    maxConnections: () => 5_000,
    maxConnectionsOf: () => 5_000,
    creationRateOf: listener => ({ perSecond: rates[listener ?? ''] ?? 2 ** 31 - 1, windowMs: 1_000 }),
    creationRateOfIp: () => ({ perSecond: rates.ip ?? 2 ** 31 - 1, windowMs: 1_000 }),
    interBrokerListener: 'INTERNAL',
  })
  return async (port: number): Promise<Peer> => {
    const peer = new Peer(await network.connect('127.0.0.1', port, 1_000))
    peer.connection.write([framed('hello')])
    return peer
  }
}

const [INTERNAL, EXTERNAL] = [40_000, 40_001]

test('connections beyond max.connection.creation.rate are served at the rate, not refused', async () => {
  const clock = new SimulatedClock()
  const arrive = await limited(clock, { EXTERNAL: 2 })
  const peers: Peer[] = []
  for (let count = 0; count < 5; count++) peers.push(await arrive(EXTERNAL))
  const served = (): number => peers.filter(({ frames }) => frames.length > 0).length
  await clock.advance(10)
  assert.equal(served(), 2)
  await clock.advance(500)
  assert.equal(served(), 3)
  await clock.advance(1_000)
  assert.equal(served(), 5)
})

test('the rate of the broker does not hold for the listener of other brokers, a rate of its own does', async () => {
  const clock = new SimulatedClock()
  const arrive = await limited(clock, { '': 1, INTERNAL: 3 })
  await arrive(EXTERNAL)
  const outside = await arrive(EXTERNAL)
  const inside: Peer[] = []
  for (let count = 0; count < 3; count++) inside.push(await arrive(INTERNAL))
  await clock.advance(10)
  assert.equal(outside.frames.length, 0)
  // `connect` made the first of the three that the rate allows.
  assert.deepEqual(
    inside.map(({ frames }) => frames.length),
    [1, 1, 0],
  )
})

test('connections of an address beyond its rate are closed, but not before others would be let in', async () => {
  const clock = new SimulatedClock()
  const arrive = await limited(clock, { ip: 2 })
  // `connect` made the first of the two that the rate allows.
  const second = await arrive(EXTERNAL)
  const third = await arrive(EXTERNAL)
  await clock.advance(10)
  assert.equal(second.frames.length, 1)
  assert.deepEqual([third.frames.length, third.isClosed, server.connectionCount], [0, false, 2])
  await clock.advance(490)
  assert.equal(third.isClosed, true)
  assert.equal(third.frames.length, 0)
  const fourth = await arrive(EXTERNAL)
  await clock.advance(10)
  assert.equal(fourth.frames.length, 1)
})

test('who is refused for the rate of his address takes nothing of the rate of others', async () => {
  const clock = new SimulatedClock()
  const rates: Record<string, number> = { ip: 1, EXTERNAL: 2 }
  const arrive = await limited(clock, rates)
  const refused = await arrive(EXTERNAL)
  await clock.advance(100)
  rates.ip = 100
  const next = [await arrive(EXTERNAL), await arrive(EXTERNAL)]
  await clock.advance(10)
  assert.equal(refused.frames.length, 0)
  assert.deepEqual(
    next.map(({ frames }) => frames.length),
    [1, 1],
  )
})

test('a server that closes takes those with it that it holds', async () => {
  const clock = new SimulatedClock()
  const arrive = await limited(clock, { ip: 1 })
  const held = await arrive(EXTERNAL)
  await clock.advance(10)
  assert.equal(held.isClosed, false)
  await server.close()
  await clock.advance(0)
  assert.equal(held.isClosed, true)
})

test('a flood of connections is refused where a thousand wait already', async () => {
  const clock = new SimulatedClock()
  const arrive = await limited(clock, { EXTERNAL: 1 })
  const peers: Peer[] = []
  for (let count = 0; count < 1_100; count++) peers.push(await arrive(EXTERNAL))
  await clock.advance(10)
  assert.equal(peers.filter(({ isClosed }) => isClosed).length, 1_100 - 1 - 1_024)
})

test('a full budget lets nobody begin a frame until memory is released', async () => {
  const peer = await connect({ maxQueuedBytes: 10 })
  let release: (reply: Reply) => void = () => {}
  texts.answer = text =>
    text.startsWith('p-large')
      ? new Promise(resolve => {
          release = resolve
        })
      : [framed(text)]
  peer.connection.write([framed('p-large-request')])
  while (texts.started.length < 1) await new Promise(resolve => setImmediate(resolve))
  peer.connection.write([framed('p-more')])
  for (let turn = 0; turn < 5; turn += 1) await new Promise(resolve => setImmediate(resolve))
  assert.equal(texts.started.length, 1)
  release([framed('done')])
  await peer.until(() => peer.frames.length === 2)
  assert.deepEqual(peer.frames, ['done', 'p-more'])
})

test('a peer that reads one large reply for longer than it may stand still keeps its connection, and loses it once it stops', async () => {
  const clock = new SimulatedClock()
  const { connection } = await connect({ network: nodeNetwork, clock, maxUnsentBytes: 16 << 20, maxIdleMs: -1 })
  connection.destroy()
  texts.answer = () => [Buffer.alloc(64 << 20)]
  const slow = await nodeNetwork.connect('127.0.0.1', port, 1000)
  const readOn = readerInParts(slow)
  slow.write([framed('large')])
  for (let tenSeconds = 0; tenSeconds < 9; tenSeconds++) {
    const readBytes = await readOn(4 << 20)
    await clock.advance(10_000)
    assert.equal(server.connectionCount, 1, `after ${readBytes} bytes`)
  }
  // The system's buffers may still fill, and closing takes turns of the event loop.
  for (let turn = 0; turn < 1_000 && server.connectionCount > 0; turn++) {
    await clock.advance(10_000)
    await new Promise(resolve => setImmediate(resolve))
  }
  assert.equal(server.connectionCount, 0)
  slow.destroy()
  await server.close()
})

test('a peer that reads reply after reply slowly keeps its connection, however much of the next is unread', async () => {
  const clock = new SimulatedClock()
  const network = new MemoryNetwork(systemClock)
  const { connection } = await connect({ network, clock, maxUnsentBytes: 1 << 20 })
  connection.destroy()
  texts.answer = () => [Buffer.alloc(16 << 20)]
  const slow = await network.connect('127.0.0.1', port, 1000)
  const readOn = readerInParts(slow)
  slow.write(['one', 'two', 'three'].map(framed))
  await readOn(15 << 20)
  await clock.advance(10_000)
  for (let tenSeconds = 0; tenSeconds < 16; tenSeconds++) {
    const readBytes = await readOn(2 << 20)
    await clock.advance(10_000)
    assert.equal(server.connectionCount, 1, `after ${readBytes} bytes`)
  }
  await server.close()
})
