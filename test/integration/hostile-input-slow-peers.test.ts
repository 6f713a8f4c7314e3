/** Clients that are slow on purpose: each is given up on within its deadline, on simulated time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerUnderFuzz } from '../../scripts/fuzz/broker-under-fuzz.ts'
import { framed, requestFrame } from '../../scripts/fuzz/wire-client.ts'
import { ApiVersionsRequest } from '../../src/protocol/everything.ts'

const request = framed(requestFrame(ApiVersionsRequest, 0, { body: {} }))

test('a client that sends a byte every ten seconds loses its connection within a minute', async () => {
  const broker = await BrokerUnderFuzz.start(1)
  const slow = await broker.connect()
  for (let second = 0; second < 60 && !slow.isClosed; second += 10) {
    slow.write(request.subarray(second / 10, second / 10 + 1))
    await broker.clock.advance(10_000)
  }
  assert.equal(slow.isClosed, true)
  await broker.probe()
  await broker.stop()
})

test('a client that stops in the middle of a large frame loses its connection, and the memory is free again', async () => {
  const broker = await BrokerUnderFuzz.start(2)
  const client = await broker.connect()
  const size = Buffer.alloc(4)
  size.writeInt32BE(4_000_000)
  client.write(Buffer.concat([size, Buffer.alloc(100_000)]))
  await broker.clock.advance(1_000)
  assert.ok(broker.server.queuedBytes > 0)
  await broker.clock.advance(60_000)
  assert.equal(client.isClosed, true)
  assert.equal(broker.server.queuedBytes, 0)
  await broker.stop()
})

test('a client that never reads its answers stays until connections.max.idle.ms, and no longer', async () => {
  const broker = await BrokerUnderFuzz.start(3)
  const client = await broker.connect()
  client.pause()
  for (let count = 0; count < 2_000; count++) client.write(request)
  await broker.clock.advance(1_000)
  const atFirst = broker.server.connectionCount
  await broker.clock.advance(590_000)
  assert.equal(broker.server.connectionCount, atFirst)
  await broker.clock.advance(20_000)
  assert.equal(broker.server.connectionCount, 0)
  await broker.stop()
})

test('a client that does nothing stays until connections.max.idle.ms, and no longer', async () => {
  const broker = await BrokerUnderFuzz.start(4)
  const client = await broker.connect()
  await broker.clock.advance(590_000)
  assert.equal(client.isClosed, false)
  await broker.clock.advance(20_000)
  assert.equal(client.isClosed, true)
  await broker.stop()
})
