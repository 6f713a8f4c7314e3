import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerConfig } from './broker-config.ts'
import { ConfigError } from './config-error.ts'

const refusal = (properties: Record<string, string>): string => {
  try {
    BrokerConfig.load(properties)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.ok(!error.message.includes('\n'))
    return error.message
  }
  return assert.fail('accepted')
}

test('an empty file is a broker on the loopback address', () => {
  const config = BrokerConfig.load({})
  assert.deepEqual(config.listeners, [
    { listener: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 9092 },
  ])
  assert.deepEqual(config.advertisedListeners, config.listeners)
  assert.equal(config.interBrokerListener, 'PLAINTEXT')
  assert.deepEqual(config.logDirs, ['/tmp/kafka-logs'])
  assert.equal(config.get('broker.id'), -1)
  assert.deepEqual(config.warnings, [])
})

test('several listeners, named as one likes', () => {
  const config = BrokerConfig.load({
    listeners: 'internal://[::1]:0 , EXTERNAL://:9093',
    'advertised.listeners': 'INTERNAL://10.0.0.1:9092,EXTERNAL://kafka.example.org:9092',
    'listener.security.protocol.map': 'INTERNAL:PLAINTEXT,external:PLAINTEXT',
    'inter.broker.listener.name': 'internal',
    'listener.name.external.max.connections': '10',
  })
  assert.deepEqual(
    config.listeners.map(({ listener, host, port }) => `${listener} ${host} ${port}`),
    ['INTERNAL ::1 0', 'EXTERNAL  9093'],
  )
  assert.equal(config.advertisedListeners[1]?.host, 'kafka.example.org')
  assert.equal(config.interBrokerListener, 'INTERNAL')
  assert.equal(config.getForListener('EXTERNAL', 'max.connections'), 10)
  assert.equal(config.getForListener('INTERNAL', 'max.connections'), 2 ** 31 - 1)
  assert.deepEqual(config.unknownKeys(), [])
})

test('listeners that cannot be are refused with the reason', () => {
  assert.match(refusal({ listeners: 'localhost:9092' }), /'localhost:9092' is not NAME:\/\/host:port/)
  assert.match(refusal({ listeners: 'PLAINTEXT://:70000' }), /Port 70000 is not between 0 and 65535/)
  assert.match(refusal({ listeners: 'A://:1' }), /No security protocol is defined for listener A/)
  assert.match(refusal({ listeners: '' }), /At least one listener is needed/)
  assert.match(refusal({ listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' }), /different name/)
  const map = { 'listener.security.protocol.map': 'A:PLAINTEXT,B:PLAINTEXT', 'inter.broker.listener.name': 'A' }
  assert.match(refusal({ ...map, listeners: 'A://:1,B://:1' }), /different port/)
  assert.equal(BrokerConfig.load({ ...map, listeners: 'A://127.0.0.1:1,B://[::1]:1' }).listeners.length, 2)
  assert.match(refusal({ 'listener.security.protocol.map': 'A:HTTP' }), /Invalid security protocol `HTTP`/)
  assert.match(refusal({ 'listener.security.protocol.map': 'PLAINTEXT' }), /is not NAME:PROTOCOL/)
  assert.match(refusal({ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:9092' }), /nonroutable meta-address 0\.0\.0\.0/)
  assert.match(refusal({ ...map, listeners: 'B://:1' }), /inter\.broker\.listener\.name must be a listener name/)
})

test('listening everywhere without an advertised address is fine', () => {
  assert.equal(BrokerConfig.load({ listeners: 'PLAINTEXT://0.0.0.0:9092' }).advertisedListeners[0]?.host, '0.0.0.0')
})

test('what does not exist yet is refused by name, never passed over', () => {
  assert.equal(
    refusal({ listeners: 'PLAINTEXT://:9092,SSL://:9093' }),
    'Invalid value PLAINTEXT://:9092,SSL://:9093 for configuration listeners: SSL is not supported yet (listener SSL); ' +
      'use PLAINTEXT',
  )
  assert.match(refusal({ listeners: 'SASL_PLAINTEXT://:9092' }), /SASL_PLAINTEXT is not supported yet/)
  assert.match(refusal({ 'process.roles': 'broker,controller', 'node.id': '1' }), /KRaft mode is not supported/)
  assert.match(
    refusal({ 'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer' }),
    /Authorizers are not supported yet/,
  )
  assert.match(refusal({ 'create.topic.policy.class.name': 'a.B' }), /Java classes cannot be loaded/)
  assert.match(refusal({ 'remote.log.storage.system.enable': 'true' }), /Tiered storage is not supported yet/)
})

test('values that contradict each other are refused', () => {
  assert.match(refusal({ 'broker.id': '1001' }), /reserved\.broker\.max\.id, but is 1001/)
  assert.match(refusal({ 'broker.id': '-1', 'broker.id.generation.enable': 'false' }), /greater than or equal to 0/)
  assert.match(refusal({ 'broker.id': '1', 'node.id': '2' }), /`node\.id` to the same value as `broker\.id`/)
  assert.match(refusal({ 'log.retention.ms': '0' }), /must be unlimited \(-1\)/)
  assert.match(refusal({ 'log.dirs': ' , ' }), /At least one log directory/)
  assert.match(refusal({ 'log.dirs': '/a,/b,/a' }), /names a directory twice/)
  assert.match(refusal({ 'log.cleaner.threads': '128' }), /at least 1MB per cleaner thread/)
  assert.match(refusal({ 'replica.fetch.wait.max.ms': '40000' }), /replica\.socket\.timeout\.ms should always/)
  assert.match(refusal({ 'queued.max.request.bytes': '1000' }), /queued\.max\.request\.bytes must be larger/)
  assert.match(refusal({ 'max.connections.per.ip': '0' }), /can be set to zero only if/)
  assert.match(refusal({ 'offsets.topic.compression.codec': '9' }), /Unknown compression type id: 9/)
  assert.match(
    refusal({ 'listener.name.plaintext.max.connections': 'x' }),
    /listener\.name\.plaintext\.max\.connections: Not a number/,
  )
})

test('a comment behind a value is named also where one of several words is expected', () => {
  assert.match(
    refusal({ 'log.cleanup.policy': 'delete ## or compact' }),
    /String must be one of: compact, delete; .* move '## or compact' to a line of its own$/,
  )
})

test('durations come from the finest key that is set', () => {
  assert.equal(BrokerConfig.load({}).logRetentionMs, 168 * 3_600_000)
  assert.equal(BrokerConfig.load({ 'log.retention.hours': '1', 'log.retention.minutes': '2' }).logRetentionMs, 120_000)
  assert.equal(BrokerConfig.load({ 'log.retention.minutes': '2', 'log.retention.ms': '3' }).logRetentionMs, 3)
  assert.equal(BrokerConfig.load({ 'log.retention.hours': '-5' }).logRetentionMs, -1)
  assert.equal(BrokerConfig.load({ 'log.roll.hours': '2' }).logRollMs, 7_200_000)
  assert.equal(BrokerConfig.load({}).logFlushIntervalMs, Number.MAX_SAFE_INTEGER)
})

test('the file of the tutorials is understood to the last key', () => {
  const config = BrokerConfig.load({
    'broker.id': '11',
    listeners: 'PLAINTEXT://:9092',
    'num.network.threads': '3',
    'log.dirs': '/data/a,/data/b',
    'delete.topic.enable': 'true',
    'zookeeper.connect': 'h1:2181,h2:2181,h3:2181/kafka',
    'max.connections.per.ip.overrides': 'localhost:5, ::1:6',
    colour: 'red',
  })
  assert.equal(config.get('node.id'), 11)
  assert.deepEqual(config.logDirs, ['/data/a', '/data/b'])
  assert.deepEqual(Object.fromEntries(config.maxConnectionsPerIpOverrides), { localhost: 5, '::1': 6 })
  assert.deepEqual(config.unknownKeys(), ['colour'])
})
