import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, defineConfig } from '../config/index.ts'
import { MemoryDisk, SimulatedClock, seededRandom, TlsError, type TlsOptions } from '../platform/index.ts'
import { cipherNames } from './cipher-names.ts'
import { type ClientSecurity, clientSecurity, type SecurityParts } from './client-security.ts'
import { parseJaas } from './jaas.ts'
import { pemBlocks } from './key-store.ts'
import { clientSecurityKeys } from './security-keys.ts'
import { tlsFailure } from './tls-failure.ts'

const definition = defineConfig(clientSecurityKeys)
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="s3";'

function write(disk: MemoryDisk, path: string, content: string | Uint8Array): void {
  const file = disk.open(path, { create: true })
  file.write([Buffer.from(content)], 0)
  file.close()
}

function security(
  properties: Record<string, string>,
  parts: SecurityParts = {},
  disk = new MemoryDisk(),
): ClientSecurity {
  const machine = { disk, random: seededRandom(1), clock: new SimulatedClock(), timeoutMs: 1_000 }
  return clientSecurity(definition.parse(properties), parts, machine)
}

const refused =
  (reason: RegExp, key?: string) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof ConfigError, String(error))
    assert.match(error.message, reason)
    assert.ok(!/s3|secret/.test(error.message.replace('clientSecret', '')), 'a secret is shown')
    if (key !== undefined) assert.equal(error.key, key)
    return true
  }

/** What PLAIN says. */
async function plainMessage({ sasl }: ClientSecurity): Promise<string> {
  let said = ''
  await sasl?.authenticate(async message => {
    said = Buffer.from(message).toString()
    return new Uint8Array()
  })
  return said
}

test('security.protocol decides over TLS and SASL, and objects need none', () => {
  const user = { 'sasl.mechanism': 'PLAIN', 'sasl.username': 'a', 'sasl.password': 'b' }
  const kinds = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'sasl_ssl'].map(protocol => {
    const { tls, sasl } = security({ ...user, 'security.protocol': protocol })
    return [tls !== undefined, sasl?.name]
  })
  assert.deepEqual(kinds, [
    [false, undefined],
    [true, undefined],
    [false, 'PLAIN'],
    [true, 'PLAIN'],
  ])
  const sasl = { mechanism: 'scram-sha-512', username: 'a', password: 'b' } as const
  const { tls, sasl: mechanism } = security({}, { tls: true, sasl })
  assert.deepEqual([tls !== undefined, mechanism?.name], [true, 'SCRAM-SHA-512'])
  assert.throws(() => security({ 'security.protocol': 'PLAINTEXT' }, { tls: true }), refused(/tls is given/))
  assert.throws(() => security({ 'security.protocol': 'SSL' }, { sasl }), refused(/sasl is given/))
})

test('names and passwords come from sasl.jaas.config as Java has it, or from librdkafka’s settings', async () => {
  const settings = { 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'PLAIN' }
  assert.equal(await plainMessage(security({ ...settings, 'sasl.jaas.config': PLAIN })), '\0alice\0s3')
  const named = { ...settings, 'sasl.username': 'bob', 'sasl.password': 'p' }
  assert.equal(await plainMessage(security(named)), '\0bob\0p')
})

test('a token serves for the share of its life that sasl.login.refresh.window.factor says', async () => {
  const clock = new SimulatedClock()
  const machine = { disk: new MemoryDisk(), random: seededRandom(1), clock, timeoutMs: 1_000 }
  let asked = 0
  const token = () => ({ value: `t${++asked}`, expiresAtMs: clock.now() + 10_000 })
  const config = definition.parse({
    'sasl.login.refresh.window.factor': '0.5',
    'sasl.login.refresh.window.jitter': '0',
  })
  const { sasl } = clientSecurity(config, { sasl: { mechanism: 'OAUTHBEARER', token } }, machine)
  const connect = () => sasl?.authenticate(async () => new Uint8Array())
  await connect()
  await clock.advance(4_000)
  await connect()
  assert.equal(asked, 1)
  await clock.advance(2_000)
  await connect()
  assert.equal(asked, 2)
  assert.throws(() => security({ 'sasl.login.refresh.window.factor': '0.4' }), ConfigError)
})

test('what is missing for SASL is said, and no secret is shown', () => {
  const settings = { 'security.protocol': 'SASL_SSL' }
  assert.throws(() => security(settings), refused(/Set sasl.mechanism/))
  const plain = { ...settings, 'sasl.mechanism': 'PLAIN' }
  assert.throws(() => security(plain), refused(/PLAIN needs a name and a password/))
  assert.throws(
    () => security({ ...plain, 'sasl.jaas.config': PLAIN.slice(0, -1) }),
    refused(/ends with ;/, 'sasl.jaas.config'),
  )
  const kerberos = { ...settings, 'sasl.mechanism': 'GSSAPI', 'sasl.jaas.config': PLAIN }
  assert.throws(() => security(kerberos), refused(/there are PLAIN, SCRAM-SHA-256/, 'sasl.mechanism'))
  const oauth = { ...settings, 'sasl.mechanism': 'OAUTHBEARER' }
  assert.throws(() => security(oauth), refused(/OAUTHBEARER needs tokens/))
  const endpoint = {
    ...oauth,
    'sasl.oauthbearer.token.endpoint.url': 'file:///etc/passwd',
    'sasl.jaas.config': 'OAuthBearerLoginModule required clientId="c" clientSecret="s3";',
  }
  assert.throws(() => security(endpoint), refused(/no https: address/, 'sasl.oauthbearer.token.endpoint.url'))
})

test('an object in place of sasl.* that is not enough, or of another mechanism, says what is needed', () => {
  const refusal = (sasl: object, message: RegExp) =>
    assert.throws(() => security({}, { sasl: sasl as never }), refused(message))
  refusal(
    { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: 't' }) },
    /give sasl\.token, a function/,
  )
  refusal({ mechanism: 'OAUTHBEARER', token: 't' }, /give sasl\.token, a function/)
  assert.throws(
    () => security({}, { sasl: { mechanism: 'aws', accessKeyId: 'k', secretAccessKey: 's3' } as never }),
    refused(/there are PLAIN, .*OAUTHBEARER/, 'sasl.mechanism'),
  )
})

test('JAAS is read with quotation marks, escapes and words', () => {
  const { module, options } = parseJaas(`a.b.C required user="a\\"b;c=d" other='x' debug=true;`)
  assert.deepEqual([module, ...options], ['a.b.C', ['user', 'a"b;c=d'], ['other', 'x'], ['debug', 'true']])
  for (const wrong of [
    '',
    'a.b.C',
    'a.b.C maybe;',
    'a required x="1"',
    'a required x;',
    'a required x="1',
    `${PLAIN}${PLAIN}`,
  ]) {
    assert.throws(() => parseJaas(wrong), refused(/./, 'sasl.jaas.config'))
  }
})

test('stores that cannot be used are refused with the way out', () => {
  const disk = new MemoryDisk()
  write(disk, '/a.jks', Buffer.from('feedfeed00000002', 'hex'))
  write(disk, '/a.txt', 'hello')
  write(disk, '/a.p12', Buffer.from('30820a00', 'hex'))
  write(disk, '/empty.pem', '-----BEGIN NOTHING-----\nAAAA\n-----END NOTHING-----\n')
  const at = (path: string, more = {}) =>
    security({ 'security.protocol': 'SSL', 'ssl.truststore.location': path, ...more }, {}, disk)
  const key = 'ssl.truststore.location'
  assert.throws(() => at('/none'), refused(/ENOENT/, key))
  assert.throws(() => at('/a.jks'), refused(/keytool -importkeystore -srckeystore \/a.jks/, key))
  assert.throws(() => at('/a.txt'), refused(/no PEM or PKCS12 file/, key))
  assert.throws(() => at('/a.p12', { 'ssl.truststore.type': 'PEM' }), refused(/no PEM file/, key))
  assert.throws(() => at('/empty.pem'), refused(/no certificate in it/, key))
  const keyStore = { 'security.protocol': 'SSL', 'ssl.keystore.location': '/empty.pem' }
  assert.throws(() => security(keyStore, {}, disk), refused(/no private key in it/, 'ssl.keystore.location'))
  const twice = { 'ssl.truststore.certificates': 'x' }
  assert.throws(() => at('/empty.pem', twice), refused(/both given/))
})

test('a part of tls that is undefined leaves what the settings say of it in force', () => {
  const broken = (what: string): string => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----`
  const settings = {
    'security.protocol': 'SSL',
    'ssl.keystore.key': broken('PRIVATE KEY'),
    'ssl.keystore.certificate.chain': broken('CERTIFICATE'),
  }
  const nothing = { ca: undefined, key: undefined, cert: undefined } as unknown as TlsOptions
  for (const tls of [{}, nothing]) assert.throws(() => security(settings, { tls }), refused(/TLS cannot be set up/))
})

test('versions of TLS that are not safe, and ciphers that nobody knows, are refused', () => {
  const settings = { 'security.protocol': 'SSL' }
  assert.throws(() => security({ ...settings, 'ssl.enabled.protocols': 'TLSv1.1' }), refused(/TLSv1.2, TLSv1.3/))
  const wrong = { ...settings, 'ssl.cipher.suites': 'TLS_NO_WITH_SUCH' }
  assert.throws(() => security(wrong), refused(/OpenSSL knows none/, 'ssl.cipher.suites'))
  assert.ok(security({ ...settings, 'ssl.cipher.suites': 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' }).tls)
})

test('cipher suites of Java have OpenSSL’s names', () => {
  const names = {
    TLS_AES_128_GCM_SHA256: 'TLS_AES_128_GCM_SHA256',
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
    TLS_DHE_RSA_WITH_AES_128_CBC_SHA256: 'DHE-RSA-AES128-SHA256',
    TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256': 'ECDHE-RSA-AES128-GCM-SHA256',
  }
  assert.equal(cipherNames(Object.keys(names)), Object.values(names).join(':'))
})

test('PEM that a properties file made one line of is cut into lines again', () => {
  const body = 'A'.repeat(70)
  const line = `-----BEGIN CERTIFICATE----- ${body} -----END CERTIFICATE----- -----BEGIN EC PRIVATE KEY----- QQ== -----END EC PRIVATE KEY-----`
  const cert = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(64)}\nAAAAAA\n-----END CERTIFICATE-----\n`
  assert.equal(pemBlocks(line, 'CERTIFICATE'), cert)
  assert.equal(pemBlocks(line, 'PRIVATE KEY'), '-----BEGIN EC PRIVATE KEY-----\nQQ==\n-----END EC PRIVATE KEY-----\n')
  assert.equal(pemBlocks(cert + cert, 'CERTIFICATE'), cert + cert)
})

test('a failed handshake is one line that names host, reason and code', () => {
  const failure = (code: string, cause: object = new Error(code)) =>
    tlsFailure('b1', 9093, new TlsError(code, 'TLS handshake', cause))
  const { code, fatal, message } = failure('CERT_HAS_EXPIRED')
  assert.deepEqual([code, fatal], ['SSL_AUTHENTICATION_FAILED', true])
  assert.equal(message, 'TLS with b1:9093 failed: its certificate has expired (CERT_HAS_EXPIRED)')
  const other = failure(
    'ERR_TLS_CERT_ALTNAME_INVALID',
    Object.assign(new Error('no'), { cert: { subject: { CN: 'b2' } } }),
  )
  assert.match(other.message, /its certificate is for b2, not for b1/)
  assert.match(failure('ERR_SSL_NEW', new Error('something\nlong')).message, /failed: something \(ERR_SSL_NEW\)$/)
})
