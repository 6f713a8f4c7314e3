/** Clients that were given the address of something else than a broker, and of something that is not there yet. */
import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { test } from 'node:test'
import { type Consumer, connect, KafkaError } from '../../src/client/index.ts'
import { startCluster } from '../../src/testing/index.ts'
import { PATIENCE_MS } from '../compat/process.ts'
import { freePort } from './broker-process.ts'

/** A server of another protocol, by its address. */
async function listening(server: Server): Promise<{ readonly address: string } & AsyncDisposable> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> => new Promise(resolve => server.close(() => resolve()))
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: close }
}

/** Says something to whoever connects, and hangs up when he does. */
const saying = (bytes: string | Buffer): Server =>
  createServer(socket => {
    socket.on('error', () => {})
    socket.resume().write(bytes)
  })

/** What a consumer reads first; nothing when that takes too long. */
async function firstOf(consumer: Consumer): Promise<unknown> {
  const limit = setTimeout(() => void consumer.close(), PATIENCE_MS)
  try {
    return await consumer[Symbol.asyncIterator]().next()
  } finally {
    clearTimeout(limit)
  }
}

const strangers: readonly [name: string, server: () => Server, message: RegExp][] = [
  ['an HTTP server', () => createHttpServer(), /is no Kafka broker: its answer begins with "HTTP", as HTTP does$/],
  ['an SSH server', () => saying('SSH-2.0-OpenSSH_9.2\r\n'), /its answer begins with "SSH-", as SSH does$/],
  ['a database', () => saying(Buffer.from('4a0000000a382e30', 'hex')), /its answer begins with the bytes 4a000000$/],
  ['a TLS listener', () => saying(Buffer.from('15030100020246', 'hex')), /does it want TLS\? \(security\.protocol\)$/],
]

for (const [name, server, message] of strangers) {
  test(`what is no broker is named at once, and not asked again: ${name}`, async () => {
    await using stranger = await listening(server())
    await using admin = connect(stranger.address).admin({ defaultApiTimeoutMs: 30_000 })
    const error = await admin.listTopics().catch((thrown: unknown) => thrown)
    assert.ok(error instanceof KafkaError)
    assert.deepEqual([error.code, error.retriable, error.fatal], ['INVALID_REQUEST', false, true])
    assert.match(error.message, message)
    assert.ok(error.message.startsWith(stranger.address), error.message)
  })
}

test('a broker beside something that is none is found', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using stranger = await listening(saying('SSH-2.0-OpenSSH_9.2\r\n'))
  await using admin = connect([stranger.address, cluster.bootstrapServers]).admin()
  assert.deepEqual(
    (await admin.listTopics()).map(({ name }) => name),
    ['orders'],
  )
})

test('a client that no broker answers for bootstrap.timeout.ms fails, however much time its calls have', async () => {
  const nobody = `127.0.0.1:${await freePort()}`
  const kafka = connect({ bootstrapServers: nobody, bootstrapTimeoutMs: 0 })
  const refused = { code: 'BROKER_NOT_AVAILABLE', fatal: true, message: new RegExp(`${nobody}.*ECONNREFUSED`) }
  await using admin = kafka.admin({ defaultApiTimeoutMs: 30_000 })
  await assert.rejects(admin.listTopics(), refused)
  await using producer = kafka.producer({ maxBlockMs: 30_000 })
  await assert.rejects(producer.send('orders', { value: 'lost' }), refused)
  await using consumer = kafka.consumer({ groupId: 'billing' })
  consumer.subscribe('orders')
  await assert.rejects(firstOf(consumer), refused)
  await using reader = kafka.consumer()
  reader.assign([{ topic: 'orders', partition: 0 }])
  await assert.rejects(firstOf(reader), refused)
})

test('a client that has been answered once outlasts bootstrap.timeout.ms', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect({ bootstrapServers: cluster.bootstrapServers, bootstrapTimeoutMs: 0, retryBackoffMs: 5 })
  await using producer = kafka.producer({ reconnectBackoffMs: 5 })
  await producer.send('orders', { value: '0' })
  const restarted = cluster.restart('kill')
  const sent = producer.send('orders', { value: '1' })
  await restarted
  assert.equal((await sent).offset, 1)
})
