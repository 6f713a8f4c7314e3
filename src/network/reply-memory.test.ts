import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, type Connection, MemoryNetwork, SimulatedClock, systemClock } from '../platform/index.ts'
import { FrameBudget } from './frame-budget.ts'
import type { Reply, ServerConnection } from './server-connection.ts'
import { framed, readerInParts, serve, Texts } from './socket-server.fixture.ts'

/** A server with so much room for replies, two peers, and a look at the room that is left when all has settled. */
async function serveWithin(maxUnsentBytes: number, clock: Clock = systemClock) {
  const network = new MemoryNetwork(systemClock)
  const texts = new Texts()
  const { server, port } = await serve({ network, clock, processor: texts, maxUnsentBytes })
  const connect = (): Promise<Connection> => network.connect('127.0.0.1', port, 1000)
  const peers = [await connect(), await connect()] as const
  const room = async (): Promise<number> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise(resolve => setImmediate(resolve))
    return server.replyRoomBytes
  }
  return { server, texts, connect, peers, room }
}

test('large replies count until they are read, or their connection is gone', async () => {
  const { server, texts, peers, room } = await serveWithin(3 << 20)
  texts.answer = () => [Buffer.alloc(2 << 20)]
  const [reader, deaf] = peers
  const readOn = readerInParts(reader)
  assert.equal(await room(), 3 << 20)
  reader.write([framed('one')])
  assert.equal(await room(), 1 << 20)
  deaf.write([framed('two')])
  assert.equal(await room(), 0)
  await readOn(2 << 20)
  assert.equal(await room(), 1 << 20)
  deaf.destroy()
  assert.equal(await room(), 3 << 20)
  await server.close()
})

test('small replies count where the ones in front of them are not read', async () => {
  const { server, texts, peers, room } = await serveWithin(1 << 20)
  texts.answer = () => [Buffer.alloc(30_000)]
  const [deaf] = peers
  deaf.write([framed('one')])
  assert.equal(await room(), 1 << 20)
  deaf.write([framed('two'), framed('three')])
  assert.equal(await room(), (1 << 20) - 60_000)
  await server.close()
})

test('a peer that reads nothing is closed when it is idle for too long', async () => {
  const clock = new SimulatedClock()
  const { server, texts, peers, room } = await serveWithin(1 << 30, clock)
  texts.answer = () => [Buffer.alloc(2 << 20)]
  peers[0].write([framed('one')])
  await room()
  await clock.advance(590_000)
  await room()
  assert.equal(server.connectionCount, 2)
  await clock.advance(20_000)
  await room()
  assert.equal(server.connectionCount, 0)
  await server.close()
})

test('a peer that reads nothing is closed soon where memory for replies is scarce, whatever it sends meanwhile', async () => {
  const clock = new SimulatedClock()
  const { server, texts, peers, room } = await serveWithin(1 << 20, clock)
  texts.answer = () => [Buffer.alloc(2 << 20)]
  const [deaf] = peers
  deaf.write([framed('one'), framed('x'.repeat(1 << 20)).subarray(0, 100)])
  for (let tenSeconds = 0; tenSeconds < 4; tenSeconds++) {
    await room()
    assert.equal(server.connectionCount, 2)
    deaf.write([Buffer.alloc(2_000)])
    await room()
    await clock.advance(10_000)
  }
  await room()
  assert.equal(server.connectionCount, 1)
  await server.close()
})

test('where memory for replies is scarce a peer must read a part of what is held for it, and elsewhere as it likes', async () => {
  for (const [maxUnsentBytes, isClosed] of [
    [1 << 20, true],
    [1 << 30, false],
  ] as const) {
    const clock = new SimulatedClock()
    const { server, texts, peers, room } = await serveWithin(maxUnsentBytes, clock)
    texts.answer = () => [Buffer.alloc(2 << 20)]
    const [slow, steady] = peers
    const [slowly, steadily] = [readerInParts(slow), readerInParts(steady)]
    slow.write([framed('one')])
    for (let tenSeconds = 0; tenSeconds < 5; tenSeconds++) {
      await room()
      await slowly(4_096)
      await room()
      await clock.advance(10_000)
    }
    await room()
    assert.equal(server.connectionCount, isClosed ? 1 : 2)
    steady.write([framed('two')])
    for (let tenSeconds = 0; tenSeconds < 5; tenSeconds++) {
      await room()
      await steadily(1 << 17)
      await room()
      await clock.advance(10_000)
    }
    assert.equal(server.connectionCount, isClosed ? 1 : 2)
    await server.close()
  }
})

test('where replies hold twice their memory, who has read nothing for longest is disconnected, and who reads is not', async () => {
  const { server, texts, connect, room } = await serveWithin(2 << 20)
  const asked = new Map<string, ServerConnection>()
  texts.answer = (name, connection) => {
    asked.set(name, connection)
    return [Buffer.alloc(1 << 20)]
  }
  const ask = async (name: string): Promise<(bytes: number) => Promise<number>> => {
    const peer = await connect()
    peer.write([framed(name)])
    await room()
    return readerInParts(peer)
  }
  const readOn = await ask('slow')
  for (const name of ['deaf 1', 'deaf 2', 'deaf 3']) await ask(name)
  assert.equal(server.connectionCount, 6)
  for (const name of ['late 1', 'late 2']) {
    await readOn(1_000)
    await ask(name)
  }
  const gone = [...asked].filter(([, { isClosed }]) => isClosed).map(([name]) => name)
  assert.deepEqual(gone, ['deaf 1', 'deaf 2'])
  await server.close()
})

test('a reply larger than all memory for replies is sent, in place of those that nobody reads', async () => {
  const { server, texts, peers, room } = await serveWithin(1 << 20)
  texts.answer = text => [Buffer.alloc(text === 'small' ? 1 << 18 : 3 << 20)]
  const [deaf, greedy] = peers
  deaf.write([framed('small')])
  await room()
  greedy.write([framed('large')])
  const readOn = readerInParts(greedy)
  assert.equal(await room(), 0)
  assert.equal(server.connectionCount, 1)
  await readOn(3 << 20)
  assert.equal(await room(), 1 << 20)
  await server.close()
})

test('an answer that grows past all memory for replies is given up, and costs nobody who reads the connection', async () => {
  const { server, texts, peers, room } = await serveWithin(2 << 20)
  const [steady, greedy] = peers
  const asked = new Map<string, ServerConnection>()
  texts.answer = (name, connection) => {
    asked.set(name, connection)
    if (name === 'steady') return [Buffer.alloc(1 << 20)]
    while (!connection.isReplyMemorySpent) connection.hold(1 << 16)
    return 'close'
  }
  steady.write([framed('steady')])
  await room()
  await readerInParts(steady)(1_000)
  greedy.write([framed('greedy')])
  await room()
  assert.equal(asked.get('greedy')!.isEnding, true)
  assert.equal(asked.get('steady')!.isClosed, false)
  await server.close()
})

test('what is held for an answer counts until it is made, also when its connection is gone before', async () => {
  const { server, texts, peers, room } = await serveWithin(10_000)
  const answers: ((reply: Reply) => void)[] = []
  texts.answer = (_, connection) => {
    connection.hold(4_000)
    return new Promise(resolve => answers.push(resolve))
  }
  const [stayer, leaver] = peers
  stayer.write([framed('one')])
  leaver.write([framed('two')])
  assert.equal(await room(), 2_000)
  leaver.destroy()
  assert.equal(await room(), 2_000)
  answers[0]!([framed('done')])
  assert.equal(await room(), 6_000)
  answers[1]!([framed('done')])
  assert.equal(await room(), 10_000)
  await server.close()
})

test('a budget resumes each waiter once', () => {
  const budget = new FrameBudget(10)
  budget.reserve(10)
  let resumed = 0
  budget.whenAvailable(() => {
    resumed += 1
  })
  budget.release(1)
  budget.release(1)
  assert.equal(resumed, 1)
})
