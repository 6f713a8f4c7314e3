import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Connection, MemoryNetwork, systemClock } from '../platform/index.ts'
import { serve, Texts } from './socket-server.fixture.ts'
import type { SocketServerOptions } from './socket-server.ts'

const PORTS: Readonly<Record<string, number>> = { CLIENTS: 9001, BROKERS: 9002 }

/** A server with a listener for clients and one for brokers, and a way to ask whether a connection stays. */
async function serveBoth(limits: Partial<SocketServerOptions>) {
  const network = new MemoryNetwork(systemClock)
  const addresses = Object.entries(PORTS).map(([name, port]) => ({ name, host: '127.0.0.1', port }))
  const { server } = await serve({
    network,
    processor: new Texts(),
    addresses,
    interBrokerListener: 'BROKERS',
    ...limits,
  })
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise(resolve => setImmediate(resolve))
  }
  const closed = new Set<Connection>()
  const connect = async (listener: 'CLIENTS' | 'BROKERS'): Promise<Connection> => {
    const connection = await network.connect('127.0.0.1', PORTS[listener]!, 1000)
    const closing = (): void => void closed.add(connection)
    connection.start({ target: () => new Uint8Array(64), received() {}, drained() {}, closed: closing })
    await settle()
    return connection
  }
  return { server, connect, settle, isClosed: (connection: Connection) => closed.has(connection) }
}

test('a listener has no more connections than its own limit, whatever the others have', async () => {
  const { server, connect, settle, isClosed } = await serveBoth({
    maxConnectionsOfListener: listener => (listener === 'CLIENTS' ? 2 : 10),
  })
  const [first] = [await connect('CLIENTS'), await connect('CLIENTS')]
  assert.ok(isClosed(await connect('CLIENTS')))
  for (let count = 0; count < 3; count++) assert.ok(!isClosed(await connect('BROKERS')))
  assert.equal(server.connectionCount, 5)
  first.destroy()
  await settle()
  assert.ok(!isClosed(await connect('CLIENTS')))
  await server.close()
})

test('a connection of another broker takes the place of one of a client where there are too many of all (KIP-402)', async () => {
  const { server, connect, isClosed } = await serveBoth({ maxConnections: () => 3 })
  const clients = [await connect('CLIENTS'), await connect('CLIENTS'), await connect('CLIENTS')]
  assert.ok(isClosed(await connect('CLIENTS')))
  for (let brokers = 1; brokers <= 3; brokers++) {
    assert.ok(!isClosed(await connect('BROKERS')))
    assert.equal(clients.filter(isClosed).length, brokers)
    assert.equal(server.connectionCount, 3)
  }
  assert.ok(isClosed(await connect('BROKERS')))
  await server.close()
})
