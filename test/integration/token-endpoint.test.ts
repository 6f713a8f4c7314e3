/** Where tokens of OAUTHBEARER come from, and how it is asked: `sasl.login.*`. */
import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { test } from 'node:test'
import { defineConfig } from '../../src/config/index.ts'
import { nodeDisk, type Random, SimulatedClock, systemClock, systemRandom } from '../../src/platform/index.ts'
import { clientSecurity, clientSecurityKeys } from '../../src/security/index.ts'

const CREDENTIALS = { mechanism: 'OAUTHBEARER', clientId: 'c', clientSecret: 's' } as const
const definition = defineConfig(clientSecurityKeys)

/** A server on 127.0.0.1, by its port. */
async function listening(server: Server): Promise<{ readonly port: number } & AsyncDisposable> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const close = (): Promise<void> => new Promise(resolve => server.close(() => resolve()))
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close }
}

/** Answers each request by the next of these, then by the last of them, and counts them. */
function answering(...answers: readonly RequestListener[]): { readonly server: Server; readonly asked: () => number } {
  let count = 0
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('connection', 'close')
    answers[Math.min(count++, answers.length - 1)]!(request, response)
  })
  return { server, asked: () => count }
}

const status =
  (code: number): RequestListener =>
  (_, response) =>
    response.writeHead(code).end()

const token: RequestListener = (_, response) => response.end(JSON.stringify({ access_token: 'abc' }))

/** Authenticates once with a token of an endpoint; resolves to what was said first. */
async function firstMessage(
  port: number,
  settings: Readonly<Record<string, string>> = {},
  scheme = 'http',
): Promise<string> {
  const config = definition.parse({ 'sasl.login.retry.backoff.ms': '1', ...settings })
  const sasl = { ...CREDENTIALS, tokenEndpointUrl: `${scheme}://127.0.0.1:${port}/token` }
  const machine = { disk: nodeDisk, random: systemRandom, clock: systemClock, timeoutMs: 30_000 }
  const said: string[] = []
  await clientSecurity(config, { sasl }, machine).sasl!.authenticate(async bytes => {
    said.push(Buffer.from(bytes).toString())
    return new Uint8Array()
  })
  return said[0]!
}

test('a token endpoint that cannot answer now is asked again', async () => {
  const { server, asked } = answering(status(503), status(429), token)
  await using endpoint = await listening(server)
  assert.match(await firstMessage(endpoint.port), /auth=Bearer abc/)
  assert.equal(asked(), 3)
})

test('a token endpoint is asked again for sasl.login.retry.backoff.max.ms, and not when it refuses', async () => {
  const { server, asked } = answering(status(503), status(401))
  await using endpoint = await listening(server)
  const once = { 'sasl.login.retry.backoff.max.ms': '0' }
  await assert.rejects(firstMessage(endpoint.port, once), { code: 'NETWORK_EXCEPTION', message: /answers 503/ })
  await assert.rejects(firstMessage(endpoint.port), { code: 'SASL_AUTHENTICATION_FAILED', message: /answers 401/ })
  assert.equal(asked(), 2)
})

test('a token endpoint that says nothing is given up after sasl.login.read.timeout.ms', async () => {
  await using silent = await listening(createTcpServer(socket => void socket.resume().on('error', () => {})))
  const settings = { 'sasl.login.read.timeout.ms': '50', 'sasl.login.retry.backoff.max.ms': '0' }
  await assert.rejects(firstMessage(silent.port, settings), { code: 'NETWORK_EXCEPTION', message: /ETIMEDOUT/ })
})

test('a token endpoint that TLS does not come about with is given up after sasl.login.connect.timeout.ms', async () => {
  await using silent = await listening(createTcpServer(socket => void socket.resume().on('error', () => {})))
  const settings = { 'sasl.login.connect.timeout.ms': '50', 'sasl.login.retry.backoff.max.ms': '0' }
  const late = { code: 'NETWORK_EXCEPTION', message: /ETIMEDOUT/ }
  await assert.rejects(firstMessage(silent.port, settings, 'https'), late)
})

/** When the second token is asked for, in seconds, of tokens that last so long. */
async function secondAsked(lifeSeconds: number, settings: Readonly<Record<string, string>>, chance: number) {
  const clock = new SimulatedClock()
  const asked: number[] = []
  const provider = () => {
    asked.push(clock.now() / 1_000)
    return { value: 'abc', expiresAtMs: clock.now() + lifeSeconds * 1_000 }
  }
  const random = { next: () => chance } as Random
  const machine = { disk: nodeDisk, random, clock, timeoutMs: 30_000 }
  const sasl = { mechanism: 'OAUTHBEARER', token: provider } as const
  const mechanism = clientSecurity(definition.parse(settings), { sasl }, machine).sasl!
  for (let second = 0; second < lifeSeconds && asked.length < 2; second++) {
    await mechanism.authenticate(async () => new Uint8Array())
    await clock.advance(1_000)
  }
  return asked[1]! - asked[0]!
}

test('a token is followed by another at the time that sasl.login.refresh.* says', async () => {
  assert.equal(await secondAsked(4_000, {}, 0), 3_200)
  assert.equal(await secondAsked(4_000, {}, 1), 3_400)
  assert.equal(await secondAsked(4_000, { 'sasl.login.refresh.window.jitter': '0' }, 1), 3_200)
  assert.equal(await secondAsked(1_000, {}, 0), 700)
  assert.equal(await secondAsked(1_000, { 'sasl.login.refresh.buffer.seconds': '100' }, 0), 800)
  const rare = { 'sasl.login.refresh.min.period.seconds': '900', 'sasl.login.refresh.window.factor': '0.5' }
  assert.equal(await secondAsked(1_500, rare, 0), 900)
  assert.equal(await secondAsked(1_000, rare, 0), 500)
})
