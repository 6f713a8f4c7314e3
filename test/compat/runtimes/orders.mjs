/**
 * What a program does with the installed package, on whatever runtime: `orders.mjs [host:port]`. Without an address it has a broker
 * inside of itself, which it also lets fail. Prints how many records of each kind it read.
 */
import assert from 'node:assert/strict'
import { subscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connect, json, string } from 'monedula'

const address = process.argv[2]
const cluster = address === undefined ? await (await import('monedula/testing')).startCluster() : undefined
const kafka = connect(address ?? cluster.bootstrapServers)
const apis = new Set()
subscribe('monedula:client:request', ({ api }) => apis.add(api))

const admin = kafka.admin()
await admin.createTopics([{ name: 'orders', partitions: 2 }])
await admin.createTopics([{ name: 'packed', partitions: 1, configs: { 'compression.type': 'gzip' } }])
await admin.close()

for (const kind of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  const producer = kafka.producer({ key: string, value: json(), compressionType: kind })
  const records = Array.from({ length: 100 }, (_, n) => ({ key: `k${n}`, value: { kind, n }, headers: { kind } }))
  await producer.sendBatch('orders', records)
  await producer.close()
}

const transactional = kafka.producer({ value: json(), transactionalId: 'orders' })
await transactional.transaction(tx => tx.send('orders', { value: { kind: 'committed' } }))
const aborted = transactional.transaction(async tx => {
  await tx.send('orders', { value: { kind: 'aborted' } })
  throw new RangeError('no')
})
await assert.rejects(aborted, RangeError)
await transactional.close()

const streaming = kafka.producer({ value: json() })
await pipeline(
  Readable.from(Array.from({ length: 50 }, () => ({ value: { kind: 'streamed' } }))),
  streaming.writable('orders'),
)
// Packed anew by the broker, in a thread.
const many = Array.from({ length: 20_000 }, (_, n) => ({ value: { kind: 'packed', n } }))
await streaming.sendBatch('packed', many)
if (cluster !== undefined) {
  cluster.failNext('Produce', 'NOT_LEADER_OR_FOLLOWER')
  await streaming.send('orders', { value: { kind: 'failed' } })
  cluster.disconnectNext('Produce')
  await streaming.send('orders', { value: { kind: 'failed' } })
  await cluster.restart('kill')
}
await streaming.close()

const waiting = kafka.producer({ lingerMs: 60_000, deliveryTimeoutMs: 120_000 })
await assert.rejects(waiting.send('orders', { value: 'x' }, { signal: AbortSignal.timeout(1) }), {
  name: 'TimeoutError',
})
await waiting.close({ timeoutMs: 0 })

const seen = {}
let left = 20_551 + (cluster === undefined ? 0 : 2)
const done = new AbortController()
const consumer = kafka.consumer({
  groupId: 'orders',
  value: json(),
  autoOffsetReset: 'earliest',
  isolationLevel: 'read_committed',
})
consumer.subscribe(['orders', 'packed'])
const count = ({ value: { kind } }) => {
  seen[kind] = (seen[kind] ?? 0) + 1
  if (--left === 0) done.abort()
}
await consumer.run(count, { concurrency: 2, signal: done.signal })
await consumer.close()
for (const api of ['CreateTopics', 'Produce', 'Fetch', 'JoinGroup', 'EndTxn']) assert.ok(apis.has(api), api)
await cluster?.stop()
console.log(JSON.stringify(seen))
