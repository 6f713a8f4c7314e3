import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerConfig } from './broker-config.ts'
import { ConfigError } from './config-error.ts'
import { DynamicBrokerConfig, type DynamicScope } from './dynamic-config.ts'

const started = (properties: Record<string, string> = {}): DynamicBrokerConfig =>
  new DynamicBrokerConfig(BrokerConfig.load(properties))

const refusal = (scope: DynamicScope, overrides: Record<string, string>): string => {
  const config = started({ 'log.cleaner.threads': '2' })
  try {
    config.validate(scope, overrides)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.message
  }
  return assert.fail('accepted')
}

test("this broker's settings come before the cluster's, and those before the file's", () => {
  const config = started({ 'message.max.bytes': '1' })
  assert.equal(config.get('message.max.bytes'), 1)
  assert.deepEqual(config.apply('broker', { 'message.max.bytes': '3' }), [])
  assert.deepEqual(config.apply('cluster', { 'message.max.bytes': '2' }), [])
  assert.equal(config.get('message.max.bytes'), 3)
  config.apply('broker', {})
  assert.equal(config.get('message.max.bytes'), 2)
  config.apply('cluster', {})
  assert.equal(config.get('message.max.bytes'), 1)
})

test('a dynamic setting takes the place of the same setting in other units', () => {
  const config = started({ 'log.retention.minutes': '5', 'log.roll.hours': '1' })
  config.apply('cluster', { 'log.retention.ms': '1000' })
  assert.equal(config.current.logRetentionMs, 1000)
  assert.equal(config.get('log.retention.minutes'), null)
  assert.equal(config.current.logRollMs, 3_600_000)
})

test('subscribers hear of a change after it counts, and may refuse one before', () => {
  const config = started()
  const heard: [number, number][] = []
  const end = config.subscribe({
    check: next => {
      if (next.get('num.io.threads') === 9) throw new ConfigError('not nine')
    },
    changed: (current, previous) => heard.push([previous.get('num.io.threads'), current.get('num.io.threads')]),
  })
  config.apply('broker', { 'num.io.threads': '16' })
  assert.throws(() => config.validate('broker', { 'num.io.threads': '9' }), /not nine/)
  end()
  config.apply('broker', {})
  assert.deepEqual(heard, [[8, 16]])
})

test("what cannot be changed is refused in Kafka's words", () => {
  assert.equal(refusal('broker', { 'log.dirs': '/x' }), 'Cannot update these configs dynamically: Set(log.dirs)')
  assert.equal(
    refusal('cluster', { listeners: 'PLAINTEXT://:1' }),
    'Cannot update these configs at default cluster level, broker id must be specified: Set(listeners)',
  )
  assert.equal(
    refusal('broker', { 'ssl.keystore.location': 'x' }),
    'These security configs can be dynamically updated only per-listener using the listener prefix: ' +
      'Set(ssl.keystore.location)',
  )
  assert.match(refusal('cluster', { 'listener.name.a.ssl.keystore.location': 'x' }), /broker id must be specified/)
  assert.equal(
    refusal('broker', { 'log.cleaner.threads': 'abc' }),
    'Invalid value abc for configuration log.cleaner.threads: Not a number of type INT',
  )
  assert.match(refusal('broker', { 'leader.replication.throttled.rate': '-1' }), /Value must be at least 0$/)
  assert.match(refusal('broker', { 'listener.name.x.max.connections': '-1' }), /Value must be at least 0$/)
  assert.match(refusal('broker', { 'log.cleaner.threads': '5' }), /more than double the current value 2$/)
  assert.match(
    refusal('broker', { 'num.io.threads': '1000' }),
    /num\.io\.threads=1000, value should not be greater than double the current value 8$/,
  )
  assert.match(refusal('broker', { 'num.network.threads': '0' }), /Value must be at least 1$/)
  assert.match(refusal('broker', { 'advertised.listeners': 'PLAINTEXT://0.0.0.0:1' }), /nonroutable meta-address/)
  assert.match(refusal('broker', { 'listener.name.x.ssl.key.password': 'p' }), /Password encoder secret not configured/)
})

test('names that mean nothing, listener limits and throttles are accepted', () => {
  const config = started()
  const overrides = {
    'my.own': 'x',
    'listener.name.plaintext.max.connections': '5',
    'follower.replication.throttled.rate': '1000',
  }
  config.validate('broker', overrides)
  assert.deepEqual(config.apply('broker', overrides), [])
  assert.equal(config.current.getForListener('PLAINTEXT', 'max.connections'), 5)
  config.validate('cluster', { 'max.connections': '5', 'listener.name.a.max.connections': '5' })
})

test('what is stored and wrong is left out and named, and the rest takes effect', () => {
  const config = started()
  const problems = config.apply('cluster', { 'log.dirs': '/x', 'message.max.bytes': 'y', 'min.insync.replicas': '2' })
  assert.equal(problems.length, 2)
  assert.match(problems[0] ?? '', /^log\.dirs is ignored: Cannot update/)
  assert.match(problems[1] ?? '', /^message\.max\.bytes is ignored: Invalid value y/)
  assert.equal(config.get('min.insync.replicas'), 2)
  const together = config.apply('cluster', {
    'log.cleaner.min.compaction.lag.ms': '9',
    'log.cleaner.max.compaction.lag.ms': '1',
  })
  assert.match(together[0] ?? '', /cannot be applied together/)
  assert.equal(config.get('min.insync.replicas'), 2)
})
