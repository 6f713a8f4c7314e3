import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetworkError, SimulatedClock, seededRandom, silentLogger, TlsContext } from '../platform/index.ts'
import { HeartbeatRequest, HeartbeatResponse } from '../protocol/messages/12-heartbeat.ts'
import type { SaslMechanism } from '../security/index.ts'
import { BrokerNode, type NodeSettings } from './broker-node.ts'
import { Patient } from './deadline.ts'
import { type Script, ScriptedBroker } from './scripted-broker.fixture.ts'

const HEARTBEAT = { request: HeartbeatRequest, response: HeartbeatResponse }
const LIFETIME_MS = 10_000
const REFUSED = { errorCode: 58, errorMessage: 'who are you?' }

const SETTINGS = {
  clientId: 'test',
  random: seededRandom(1),
  logger: silentLogger,
  requestTimeoutMs: 1_000,
  connectTimeoutMs: 1_000,
  reconnectBackoffMs: 100,
  reconnectBackoffMaxMs: 100,
  maxIdleMs: 0,
}

/** Says one word twice, and is done. */
const twoSteps: SaslMechanism = {
  name: 'TWO-STEPS',
  authenticate: async exchange => {
    await exchange(Buffer.from('one'))
    await exchange(Buffer.from('two'))
  },
}

async function connected(script: Script, sasl: SaslMechanism | null = twoSteps, settings: Partial<NodeSettings> = {}) {
  const clock = new SimulatedClock()
  const broker = await ScriptedBroker.start(clock, script)
  const node = new BrokerNode(
    { host: 'broker', port: broker.port },
    {
      ...SETTINGS,
      ...settings,
      network: broker.network,
      clock,
      security: { tls: undefined, sasl: sasl ?? undefined },
    },
  )
  const beat = (groupId: string, patience?: Patient): Promise<unknown> =>
    node.request(HEARTBEAT, { groupId }, patience && { patience })
  /** What each request comes to, while time moves on a little. */
  const outcomes = async (...requests: Promise<unknown>[]): Promise<string[]> => {
    const settled = Promise.allSettled(requests)
    await clock.advance(10)
    return (await settled).map(one =>
      one.status === 'fulfilled' ? 'done' : `${one.reason.code}: ${one.reason.message}`,
    )
  }
  return { clock, broker, node, beat, outcomes }
}

const accepting: Script = () => ({ sessionLifetimeMs: LIFETIME_MS })

test('a connection begins with what is served, the mechanism, and its exchange', async () => {
  const { broker, beat, outcomes } = await connected(() => ({}))
  assert.deepEqual(await outcomes(beat('a')), ['done'])
  assert.deepEqual(broker.heard, [
    'ApiVersions',
    'SaslHandshake',
    'SaslAuthenticate',
    'SaslAuthenticate',
    'Heartbeat a',
  ])
})

test('requests wait in their order while a session is renewed, and none comes in between', async () => {
  const { clock, broker, beat, outcomes } = await connected(accepting)
  await outcomes(beat('a'))
  await clock.advance(0.84 * LIFETIME_MS)
  await outcomes(beat('b'))
  assert.equal(broker.heard.at(-1), 'Heartbeat b')
  await clock.advance(0.12 * LIFETIME_MS)
  broker.heard.length = 0
  assert.deepEqual(await outcomes(beat('c'), beat('d'), beat('e')), ['done', 'done', 'done'])
  const renewal = ['SaslHandshake', 'SaslAuthenticate', 'SaslAuthenticate']
  assert.deepEqual(broker.heard, [...renewal, 'Heartbeat c', 'Heartbeat d', 'Heartbeat e'])
  assert.equal(broker.connections, 1)
})

test('what waits for a renewal is not sent when nobody waits for it any more', async () => {
  const { clock, broker, beat, outcomes } = await connected(accepting)
  await outcomes(beat('a'))
  await clock.advance(0.96 * LIFETIME_MS)
  const ending = new AbortController()
  const late = beat('b', new Patient(clock, { timeoutMs: LIFETIME_MS, signal: ending.signal }))
  ending.abort(Object.assign(new Error('enough'), { code: 'ENOUGH' }))
  assert.deepEqual(await outcomes(late, beat('c')), ['ENOUGH: enough', 'done'])
  assert.deepEqual(broker.heard.slice(-2), ['SaslAuthenticate', 'Heartbeat c'])
})

test('a connection that is closed leaves no timer behind', async () => {
  const { clock, node, beat, outcomes } = await connected(accepting, null, { maxIdleMs: 540_000 })
  await outcomes(beat('a'))
  node.close()
  assert.equal(clock.pendingTimers, 0)
})

test('a session that has no end is not renewed', async () => {
  const { clock, broker, beat, outcomes } = await connected(() => ({}))
  await outcomes(beat('a'))
  await clock.advance(10_000_000)
  await outcomes(beat('b'))
  assert.equal(broker.heard.at(-2), 'Heartbeat a')
})

test('who is refused at a renewal hears why, as do all who waited, and nobody comes again at once', async () => {
  let isKnown = true
  const { clock, broker, beat, outcomes } = await connected(({ name }) =>
    isKnown || name !== 'SaslAuthenticate' ? accepting({ name, body: {} }) : REFUSED,
  )
  await outcomes(beat('a'))
  isKnown = false
  await clock.advance(LIFETIME_MS)
  const reason = `SASL_AUTHENTICATION_FAILED: broker:${broker.port} refuses TWO-STEPS: who are you?`
  assert.deepEqual(await outcomes(beat('b'), beat('c')), [reason, reason])
  assert.deepEqual(await outcomes(beat('d')), [reason])
  assert.equal(broker.connections, 2)
  assert.deepEqual(await outcomes(beat('e'), beat('f')), [reason, reason])
  assert.equal(broker.connections, 2)
  isKnown = true
  await clock.advance(200)
  assert.deepEqual(await outcomes(beat('g')), ['done'])
})

test('a mechanism that the broker does not offer is named with those that it does', async () => {
  const { broker, beat, outcomes } = await connected(() => ({ errorCode: 33, mechanisms: ['PLAIN', 'GSSAPI'] }))
  const reason = `UNSUPPORTED_SASL_MECHANISM: broker:${broker.port} does not offer TWO-STEPS, but PLAIN, GSSAPI`
  assert.deepEqual(await outcomes(beat('a')), [reason])
})

test('a broker that hangs up on the first request of somebody unknown is asked whether it wants SASL', async () => {
  const { clock, beat } = await connected(() => 'close', null)
  const refused = assert.rejects(beat('a'), { code: 'NETWORK_EXCEPTION', message: /does this listener want SASL\?/ })
  await clock.advance(10)
  await refused
})

test('a listener that hangs up on the beginning of TLS is asked whether it wants it', async () => {
  const clock = new SimulatedClock()
  const connect = () => Promise.reject(new NetworkError('ECONNRESET', 'TLS handshake with broker:1'))
  const node = new BrokerNode(
    { host: 'broker', port: 1 },
    {
      ...SETTINGS,
      network: { connect, listen: connect, hostName: () => 'test' },
      clock,
      security: { tls: new TlsContext({}), sasl: undefined },
    },
  )
  const message = 'TLS handshake with broker:1: ECONNRESET; does this listener want TLS? (security.protocol)'
  await assert.rejects(node.request(HEARTBEAT, { groupId: 'a' }), { code: 'NETWORK_EXCEPTION', message })
})
