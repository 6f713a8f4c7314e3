import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryNetwork, SimulatedClock } from '../platform/index.ts'
import { HeartbeatRequest, HeartbeatResponse } from '../protocol/messages/12-heartbeat.ts'
import { ClientConnection } from './client-connection.ts'

const HEARTBEAT = { request: HeartbeatRequest, response: HeartbeatResponse }
const BODY = { groupId: 'g', generationId: 1, memberId: 'm' }

/** A connection to somebody who reads nothing and answers nothing. */
async function connectToNobody(network: MemoryNetwork, clock: SimulatedClock): Promise<ClientConnection> {
  const { port } = await network.listen('127.0.0.1', 0, () => {})
  return new ClientConnection({
    connection: await network.connect('127.0.0.1', port, 1_000),
    clock,
    clientId: 'c',
    maxResponseBytes: 1_000,
    onClosed: () => {},
  })
}

test('a request without an answer in time is told apart from those that lose the connection with it', async () => {
  const clock = new SimulatedClock()
  const network = new MemoryNetwork(clock)
  const connection = await connectToNobody(network, clock)
  const codes: string[] = []
  const send = (timeoutMs: number) =>
    connection.send(HEARTBEAT, BODY, { version: 0, timeoutMs }).catch(error => codes.push(error.code))
  const sent = [send(100), send(5_000)]
  await clock.advance(200)
  await Promise.all(sent)
  assert.deepEqual(codes, ['REQUEST_TIMED_OUT', 'NETWORK_EXCEPTION'])
})

test('a request that nobody answers fails when it has not left in time, or its connection ends before', async () => {
  const clock = new SimulatedClock()
  const network = new MemoryNetwork(clock)
  const codes: string[] = []
  for (const end of [() => clock.advance(200), () => network.cut()]) {
    const connection = await connectToNobody(network, clock)
    const sent = connection.send(HEARTBEAT, BODY, { version: 0, timeoutMs: 100, isOneWay: true })
    const failed = sent.catch(error => codes.push(error.code))
    assert.equal(connection.inFlight, 1)
    await end()
    await clock.advance(1)
    await failed
    assert.equal(connection.inFlight, 0)
  }
  assert.deepEqual(codes, ['REQUEST_TIMED_OUT', 'NETWORK_EXCEPTION'])
})
