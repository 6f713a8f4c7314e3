import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock, seededRandom } from '../platform/index.ts'
import { jwtExpiryMs, oauthBearer, type TokenProvider } from './oauth-bearer.ts'
import { plain } from './plain.ts'
import type { SaslMechanism } from './sasl-mechanism.ts'
import { scram } from './scram.ts'

const TIMEOUT_MS = 2_000

/** What a mechanism says, if it hears these answers. */
async function said(mechanism: SaslMechanism, answers: readonly string[] = ['']): Promise<string[]> {
  const messages: string[] = []
  const left = [...answers]
  await mechanism.authenticate(async message => {
    messages.push(Buffer.from(message).toString())
    return Buffer.from(left.shift() ?? '')
  })
  return messages
}

const jwt = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`

test('PLAIN says name and password at once, and names nobody to act as', async () => {
  assert.deepEqual(await said(plain('älice', 'sécret')), ['\0älice\0sécret'])
})

test('each SCRAM exchange has a nonce of its own, of more than 128 bits', async () => {
  const mechanism = scram('SCRAM-SHA-512', { username: 'user', password: 'p' }, seededRandom(1))
  const nonces = new Set<string>()
  for (let count = 0; count < 3; count++) {
    await assert.rejects(
      mechanism.authenticate(async message => {
        nonces.add(/^n,,n=user,r=([\w-]{32})$/.exec(Buffer.from(message).toString())?.[1] ?? 'wrong')
        return Buffer.from('')
      }),
      { code: 'SASL_AUTHENTICATION_FAILED' },
    )
  }
  assert.equal(nonces.size, 3)
})

test('a token goes with its extensions, as RFC 7628 has them', async () => {
  const token = { value: 'abc', extensions: { logicalCluster: 'lkc-1' } }
  assert.deepEqual(await said(oauthBearer(() => token, new SimulatedClock(), TIMEOUT_MS)), [
    'n,,\u0001auth=Bearer abc\u0001logicalCluster=lkc-1\u0001\u0001',
  ])
})

test('a token serves until most of its life is over, for all connections', async () => {
  const clock = new SimulatedClock()
  let count = 0
  const provider: TokenProvider = async () => ({ value: `t${++count}`, expiresAtMs: clock.now() + 1_000 })
  const mechanism = oauthBearer(provider, clock, TIMEOUT_MS)
  await Promise.all([said(mechanism), said(mechanism)])
  await clock.advance(799)
  assert.match((await said(mechanism))[0]!, /Bearer t1/)
  await clock.advance(1)
  assert.match((await said(mechanism))[0]!, /Bearer t2/)
})

test('a token of unknown life is asked for each time, and one that was refused is not used again', async () => {
  const clock = new SimulatedClock()
  let count = 0
  const opaque = oauthBearer(() => `t${++count}`, clock, TIMEOUT_MS)
  await said(opaque)
  assert.match((await said(opaque))[0]!, /Bearer t2/)
  const lasting = oauthBearer(() => ({ value: `t${++count}`, expiresAtMs: clock.now() + 1_000 }), clock, TIMEOUT_MS)
  await assert.rejects(said(lasting, ['{"status":"invalid_token"}']), /refuses the token: \{"status":"invalid_token"\}/)
  assert.match((await said(lasting))[0]!, /Bearer t4/)
})

test('what is no token, or would be more than one, is not sent', async () => {
  const clock = new SimulatedClock()
  const wrong: readonly Awaited<ReturnType<TokenProvider>>[] = [
    '',
    'a b',
    'a\u0001auth=Bearer b',
    { value: 'a', extensions: { auth: 'x' } },
    { value: 'a', extensions: { ab: 'x\u0001y' } },
  ]
  for (const token of wrong) {
    await assert.rejects(said(oauthBearer(() => token, clock, TIMEOUT_MS)), { code: 'SASL_AUTHENTICATION_FAILED' })
  }
  const failing = oauthBearer(() => Promise.reject(new Error('no network')), clock, TIMEOUT_MS)
  await assert.rejects(said(failing), {
    code: 'SASL_AUTHENTICATION_FAILED',
    message: 'OAUTHBEARER: no token: no network',
  })
})

test('a provider that does not answer is given up in time, and asked again', async () => {
  const clock = new SimulatedClock()
  let count = 0
  const provider: TokenProvider = () => (++count === 1 ? new Promise(() => {}) : 'abc')
  const mechanism = oauthBearer(provider, clock, TIMEOUT_MS)
  const waiting = assert.rejects(said(mechanism), {
    code: 'REQUEST_TIMED_OUT',
    message: 'OAUTHBEARER: the provider gave no token within 2000 ms',
  })
  await clock.advance(TIMEOUT_MS)
  await waiting
  assert.match((await said(mechanism))[0]!, /Bearer abc/)
})

test('a token that still lasts serves on where the provider has none to follow it', async () => {
  const clock = new SimulatedClock()
  let [count, isDown] = [0, false]
  const provider: TokenProvider = () => {
    if (isDown) throw new Error('no network')
    return { value: `t${++count}`, expiresAtMs: clock.now() + 100_000 }
  }
  const mechanism = oauthBearer(provider, clock, TIMEOUT_MS)
  assert.match((await said(mechanism))[0]!, /Bearer t1/)
  isDown = true
  await clock.advance(85_000)
  assert.match((await said(mechanism))[0]!, /Bearer t1/)
  isDown = false
  await clock.advance(5_000)
  assert.match((await said(mechanism))[0]!, /Bearer t1/)
  await clock.advance(5_000)
  assert.match((await said(mechanism))[0]!, /Bearer t2/)
  isDown = true
  await clock.advance(100_000)
  await assert.rejects(said(mechanism), { code: 'SASL_AUTHENTICATION_FAILED' })
})

test('when a JSON Web Token ends is read from it, and other tokens have no end', () => {
  assert.equal(jwtExpiryMs(jwt({ exp: 1_700_000_000 })), 1_700_000_000_000)
  for (const other of ['opaque', 'a.b.c', jwt({ exp: '1' }), jwt({})]) assert.equal(jwtExpiryMs(other), undefined)
})
