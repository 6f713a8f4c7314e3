import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../config/index.ts'
import { silentLogger } from '../platform/index.ts'
import { addressOptions, environmentOptions } from './address.ts'
import { adminConfig } from './admin/admin-config.ts'
import { readOptions } from './client-options.ts'
import { connect } from './kafka.ts'

test('an address is a list of hosts, or a URL that names TLS, user, hosts and settings', () => {
  assert.deepEqual(addressOptions('a:1,b:2'), { bootstrapServers: 'a:1,b:2' })
  assert.deepEqual(addressOptions('kafka://a,[::1]:9093/'), {
    bootstrapServers: ['a:9092', '[::1]:9093'],
    securityProtocol: 'PLAINTEXT',
  })
  assert.deepEqual(
    addressOptions('kafka+ssl://al%40ice:p%3A%2Fw@a:1,b?ssl.truststore.location=/ca.pem&clientId=x%20y'),
    {
      bootstrapServers: ['a:1', 'b:9092'],
      securityProtocol: 'SASL_SSL',
      saslMechanism: 'PLAIN',
      saslUsername: 'al@ice',
      saslPassword: 'p:/w',
      'ssl.truststore.location': '/ca.pem',
      clientId: 'x y',
    },
  )
  const several = addressOptions('kafka+ssl://a:1,kafka+ssl://b:2')
  assert.deepEqual([several.bootstrapServers, several.securityProtocol], [['a:1', 'b:2'], 'SSL'])
})

test('a password goes without TLS only to a mechanism that was named', () => {
  assert.throws(() => connect('kafka://alice:secret@a:1').admin(), /Set sasl.mechanism/)
  const { saslMechanism } = addressOptions('kafka://alice:secret@a:1?saslMechanism=SCRAM-SHA-256')
  assert.equal(saslMechanism, 'SCRAM-SHA-256')
})

test('an address that is none is refused, and shows no password', () => {
  for (const address of [
    'kafka://alice@a:1',
    'kafka://:secret@a:1',
    'kafka+ssl://alice:sec%ret@a:1',
    'kafka://a b:1',
  ]) {
    assert.throws(
      () => connect(address).admin(),
      (error: unknown) => error instanceof ConfigError && !/sec/.test(error.message),
      address,
    )
  }
  assert.throws(() => connect('kafka://a?lingerMs=1').admin(), /Unknown configuration lingerMs/)
})

test('the environment names a cluster by MONEDULA_URL, or else KAFKA_URL', () => {
  assert.equal(environmentOptions({}), undefined)
  assert.equal(environmentOptions({ KAFKA_URL: 'b:1' })?.bootstrapServers, 'b:1')
  assert.equal(environmentOptions({ KAFKA_URL: 'b:1', MONEDULA_URL: 'a:1' })?.bootstrapServers, 'a:1')
})

test('a certificate is taken as its file was read, as text or as bytes', () => {
  for (const pem of ['-- PEM --', Buffer.from('-- PEM --')]) {
    const options = { bootstrapServers: 'a:1', sslTruststoreCertificates: pem, sslTruststoreType: 'PEM' }
    const { config } = readOptions(adminConfig, options)
    assert.equal(config.get('ssl.truststore.certificates')?.reveal(), '-- PEM --')
  }
})

test('settings given in code go over those of a file, of which what the client does not have is left alone', () => {
  const logged: unknown[] = []
  const logger = { ...silentLogger, info: (context: unknown) => logged.push(context) }
  const properties = new Map([
    ['client.id', 'file'],
    ['request.timeout.ms', '7'],
    ['linger.ms', '5'],
  ])
  const { config } = readOptions(adminConfig, {
    properties,
    logger,
    bootstrapServers: ['a:1', 'b:2'],
    clientId: 'code',
  } as object)
  const values = [config.get('client.id'), config.get('request.timeout.ms'), config.get('bootstrap.servers')]
  assert.deepEqual(values, ['code', 7, ['a:1', 'b:2']])
  assert.deepEqual(logged, [{ settings: ['linger.ms'] }])
  assert.throws(() => readOptions(adminConfig, { lingerMs: 5 } as object), /Unknown configuration lingerMs/)
})

test('a setting that is given by both of its names with different values is refused, with both of them', () => {
  const twice = { requestTimeoutMs: 5, 'request.timeout.ms': 6 }
  const message = 'requestTimeoutMs and request.timeout.ms are one setting, and have different values: give one of them'
  const kafka = connect('a:1')
  assert.throws(() => kafka.admin(twice), { name: 'ConfigError', message })
  assert.throws(() => kafka.producer(twice), { name: 'ConfigError', message })
  assert.throws(() => kafka.consumer(twice), { name: 'ConfigError', message })
  kafka.admin({ requestTimeoutMs: 5, 'request.timeout.ms': '5' })
})

test('a setting of a client goes over that of its cluster, by whichever of its names each is given', () => {
  const kafka = connect({ bootstrapServers: 'a:1', 'request.timeout.ms': 0.5 })
  assert.throws(() => kafka.admin(), /request\.timeout\.ms/)
  kafka.admin({ requestTimeoutMs: 5 })
  connect('kafka://a:1?security.protocol=SSL').admin()
})

test('a setting that there is not is refused with what was probably meant, also in the words of other clients', () => {
  const probably = {
    brokers: 'bootstrapServers',
    'metadata.broker.list': 'bootstrapServers',
    'message.send.max.retries': 'retries',
    'queue.buffering.max.messages': 'bufferMemory',
    'queue.buffering.max.ms': 'lingerMs',
    'ssl.ca.location': 'ssl.truststore.location',
    'key.deserializer': 'key',
    dr_cb: 'the promise of send()',
    debug: 'logger',
    ssl: 'tls',
    logLevel: 'logger',
    client_id: 'client.id',
    clientid: 'client.id',
    clinetId: 'client.id',
    requestTimeout: 'request.timeout.ms',
    connectionTimeout: 'socket.connection.setup.timeout.ms',
  }
  for (const [given, name] of Object.entries(probably)) {
    const refusal = { name: 'ConfigError', message: `Unknown configuration ${given}: did you mean ${name}?` }
    assert.throws(() => connect({ bootstrapServers: 'a:1', [given]: 1 } as object).admin(), refusal)
  }
  assert.throws(() => connect({ bootstrapServers: 'a:1', zzz: 1 } as object).admin(), /there are .*client\.id/)
})

test('a password that can be read on its way, and certificates that nobody checks, are warned of', () => {
  const warnings: unknown[] = []
  const logger = { ...silentLogger, warn: (_: unknown, message: string) => warnings.push(message) }
  const user = { username: 'a', password: 'b' } as const
  const bootstrapServers = 'a:1'
  connect({ bootstrapServers, logger, tls: true, sasl: { mechanism: 'PLAIN', ...user } }).admin()
  connect({ bootstrapServers, logger, sasl: { mechanism: 'SCRAM-SHA-256', ...user } }).admin()
  assert.deepEqual(warnings, [])
  connect({ bootstrapServers, logger, sasl: { mechanism: 'PLAIN', ...user } }).admin()
  connect({ bootstrapServers, logger, tls: { rejectUnauthorized: false } }).admin()
  assert.deepEqual(warnings, [
    'PLAIN without TLS: the password or token can be read on its way',
    'certificates of brokers are not checked (tls.rejectUnauthorized): anybody may be in between',
  ])
})

test('console is a logger, and what cannot be logged to is refused when the client is made', () => {
  connect({ bootstrapServers: 'a:1', logger: console }).admin()
  for (const logger of [() => {}, { log: () => {} }, null]) {
    const refusal = { name: 'ConfigError', message: /^logger: .*console/ }
    assert.throws(() => connect({ bootstrapServers: 'a:1', logger: logger as never }).admin(), refusal)
  }
})
