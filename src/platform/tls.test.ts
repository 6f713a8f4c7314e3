import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { MemoryNetwork, type NetworkError, nodeNetwork, SimulatedClock, TlsContext, TlsError } from './index.ts'

/** A TCP server that does so with each connection; resolves to what connecting to it over TLS comes to. */
async function handshakeWith(accept: (socket: Socket) => void, timeoutMs: number): Promise<NetworkError> {
  const sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => {})
    accept(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    await nodeNetwork.connect('127.0.0.1', port, timeoutMs, new TlsContext({}))
    throw new Error('there is a connection')
  } catch (error) {
    return error as NetworkError
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

test('a server that says nothing in the handshake is given up when the time for connecting is over', async ({
  mock,
}) => {
  const deadlines: (() => void)[] = []
  mock.method(globalThis, 'setTimeout', (callback: () => void) => void deadlines.push(callback))
  // The handshake has begun when something of it arrives.
  const error = await handshakeWith(socket => socket.once('data', () => deadlines.pop()?.()), 10_000)
  assert.deepEqual([error instanceof TlsError, error.code], [false, 'ETIMEDOUT'])
  assert.match(error.message, /^TLS handshake with 127.0.0.1:\d+: ETIMEDOUT$/)
})

test('a server that speaks something else is told from one that is gone', async () => {
  const other = await handshakeWith(socket => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), 10_000)
  assert.ok(other instanceof TlsError, other.message)
  // Which of a stranger's bytes it stumbles over differs between versions of OpenSSL.
  assert.match(other.code, /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/)
  const gone = await handshakeWith(socket => socket.end(), 10_000)
  assert.deepEqual([gone instanceof TlsError, gone.code], [false, 'ECONNRESET'])
})

test('keys and ciphers that cannot be used are refused before anything is connected', () => {
  const unusable = { name: 'NetworkError', code: 'ERR_TLS_OPTIONS' }
  assert.throws(() => new TlsContext({ key: 'no key', cert: 'no certificate' }), unusable)
  assert.throws(() => new TlsContext({ pfx: Buffer.from('no store') }), unusable)
  assert.throws(() => new TlsContext({ ciphers: 'NONE-SUCH' }), unusable)
})

test('a network in memory has no TLS', async () => {
  const network = new MemoryNetwork(new SimulatedClock())
  const { port } = await network.listen('127.0.0.1', 0, () => {})
  await assert.rejects(network.connect('127.0.0.1', port, 100, new TlsContext({})), { code: 'ENOTSUP' })
})

test('failures of TLS are told from those of what is below it by their code', () => {
  for (const code of ['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_SSL_WRONG_VERSION_NUMBER', 'EPROTO']) {
    assert.ok(TlsError.isCode(code), code)
  }
  for (const code of ['ECONNRESET', 'EPIPE', 'EAI_AGAIN', 'ENOTFOUND', 'ERR_STREAM_DESTROYED', 'EIO']) {
    assert.ok(!TlsError.isCode(code), code)
  }
})
