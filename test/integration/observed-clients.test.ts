/** What clients tell of themselves: to a logger of the program's, and on channels that anybody may listen to. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { pino } from 'pino'
import {
  type ClientConnectionEvent,
  type ClientRequestEvent,
  connect,
  type RebalanceEvent,
} from '../../src/client/index.ts'
import { startCluster } from '../../src/testing/index.ts'
import { freePort } from './broker-process.ts'
import { NEVER_MS } from './client-time.ts'

/** Collects what is published until disposed of. */
function listening<T = ClientRequestEvent>(
  channel = 'monedula:client:request',
): { readonly events: readonly T[] } & Disposable {
  const events: T[] = []
  const listen = (event: unknown): void => void events.push(event as T)
  subscribe(channel, listen)
  return { events, [Symbol.dispose]: () => unsubscribe(channel, listen) }
}

test('a diagnostics channel tells of the requests of producers, consumers and admins', async () => {
  await using cluster = await startCluster()
  using listener = listening()
  const kafka = connect(cluster.bootstrapServers)
  await using admin = kafka.admin({ clientId: 'admin' })
  await admin.createTopics([{ name: 'orders', partitions: 1 }])
  await using producer = kafka.producer({ clientId: 'producer' })
  await producer.send('orders', { value: 'x' })
  await using consumer = kafka.consumer({ clientId: 'consumer', groupId: 'g', autoOffsetReset: 'earliest' })
  consumer.subscribe('orders')
  for await (const _ of consumer) {
    await consumer.commit([{ topic: 'orders', partition: 0, offset: 1 }])
    break
  }
  await consumer.close()
  const { events } = listener
  const apisOf = (clientId: string): Set<string> =>
    new Set(events.filter(event => event.clientId === clientId).map(({ api }) => api))
  assert.ok(apisOf('admin').has('CreateTopics'))
  assert.ok(apisOf('producer').has('Produce'))
  for (const api of ['JoinGroup', 'SyncGroup', 'Fetch', 'OffsetCommit', 'LeaveGroup'])
    assert.ok(apisOf('consumer').has(api), api)
  const produced = events.find(({ api }) => api === 'Produce')
  const { host, port, version = 0, durationMs = -1, error } = produced ?? {}
  assert.deepEqual([`${host}:${port}`, error], [cluster.bootstrapServers, undefined])
  assert.ok(version >= 9 && durationMs >= 0)
})

test('a diagnostics channel tells why a request had no answer, and whoever asked hears it as ever', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ retryBackoffMs: 5, reconnectBackoffMs: 5 })
  await producer.send('orders', { value: '0' })
  cluster.disconnectNext('Produce')
  using listener = listening()
  assert.equal((await producer.send('orders', { value: '1' })).offset, 1)
  const errors = listener.events
    .filter(({ api }) => api === 'Produce')
    .map(({ error }) => error && 'code' in error && error.code)
  assert.deepEqual(errors, ['NETWORK_EXCEPTION', undefined])
})

test('a diagnostics channel tells of connections that are made, and that cannot be made', async () => {
  await using cluster = await startCluster()
  using listener = listening<ClientConnectionEvent>('monedula:client:connection')
  const nobody = `127.0.0.1:${await freePort()}`
  await using admin = connect([nobody, cluster.bootstrapServers]).admin({ clientId: 'admin' })
  await admin.listTopics()
  const told = listener.events.map(({ clientId, host, port, error }) => [clientId, `${host}:${port}`, error?.message])
  assert.deepEqual(told, [
    ['admin', nobody, `connect to ${nobody}: ECONNREFUSED`],
    ['admin', cluster.bootstrapServers, undefined],
  ])
  assert.ok(listener.events.every(({ durationMs }) => durationMs >= 0))
})

test('a consumer counts what it was given, fetched and committed', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer()
  await producer.sendBatch('orders', [{ value: 'a' }, { value: 'b' }, { value: 'c' }])
  await using consumer = kafka.consumer({
    ...{ groupId: 'g', autoOffsetReset: 'earliest', retryBackoffMs: 5, autoCommitIntervalMs: NEVER_MS },
  })
  assert.ok(Object.values(consumer.metrics).every(figure => figure === 0))
  consumer.subscribe('orders')
  cluster.failNext('OffsetCommit', 'COORDINATOR_LOAD_IN_PROGRESS')
  cluster.failNext('OffsetCommit', 'OFFSET_METADATA_TOO_LARGE')
  for await (const { offset } of consumer) if (offset === 2) break
  const offsets = [{ topic: 'orders', partition: 0, offset: 2 }]
  await assert.rejects(consumer.commit(offsets), { code: 'OFFSET_METADATA_TOO_LARGE' })
  await consumer.commit(offsets)
  const { fetchMs, commitMs, bytesFetched, fetches, retries, bufferBytes, ...counts } = consumer.metrics
  assert.deepEqual(counts, { recordsConsumed: 3, rebalances: 1, commits: 1, commitsFailed: 1, fetchesFailed: 0 })
  assert.ok(fetches >= 1 && fetchMs > 0 && commitMs > 0 && bytesFetched >= 61 && retries >= 1, `${retries}`)
  assert.equal(bufferBytes, 0)
})

test('a diagnostics channel tells what groups give to consumers, and take from them', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  using listener = listening<RebalanceEvent>('monedula:consumer:rebalance')
  const kafka = connect(cluster.bootstrapServers)
  await using consumer = kafka.consumer({ clientId: 'c', groupId: 'g', autoOffsetReset: 'earliest' })
  consumer.subscribe('orders')
  await using producer = kafka.producer()
  await producer.send('orders', { value: 'a' })
  for await (const _ of consumer) break
  await consumer.close()
  const who = { clientId: 'c', groupId: 'g', partitions: [{ topic: 'orders', partition: 0 }] }
  assert.deepEqual(listener.events, [
    { ...who, kind: 'assigned' },
    { ...who, kind: 'revoked' },
  ])
})

test('a pino logger takes what clients log, at its level and with its own fields', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const lines: string[] = []
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }).child({
    service: 'billing',
  })
  const kafka = connect({ bootstrapServers: cluster.bootstrapServers, logger })
  await using producer = kafka.producer()
  await producer.send('orders', { value: 'x' })
  await using consumer = kafka.consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
  consumer.subscribe('orders')
  for await (const _ of consumer) break
  const logged = lines.map(line => JSON.parse(line))
  const assigned = logged.find(({ msg }) => msg === 'partitions assigned')
  assert.deepEqual([assigned?.groupId, assigned?.service, assigned?.partitions], ['g', 'billing', ['orders:0']])
  assert.ok(logged.every(({ level }) => level >= 30))
})
