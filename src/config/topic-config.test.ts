import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerConfig } from './broker-config.ts'
import { ConfigError } from './config-error.ts'
import { checkTopicOverrides, LogConfig, topicConfig } from './topic-config.ts'

const broker = BrokerConfig.load({})

test("a topic takes a broker's defaults as the table has them", () => {
  const fromBroker = LogConfig.of(broker)
  const alone = LogConfig.standalone()
  for (const name of topicConfig.names() as (keyof typeof topicConfig.keys)[]) {
    assert.equal(fromBroker.text(name), alone.text(name), name)
  }
})

test("a topic's own setting comes before the broker's, whatever unit that is in", () => {
  const hourly = BrokerConfig.load({
    'log.retention.hours': '1',
    'log.roll.hours': '2',
    'log.flush.scheduler.interval.ms': '500',
    'message.max.bytes': '2000',
    'log.cleanup.policy': 'compact,delete',
  })
  const config = LogConfig.of(hourly, { 'max.message.bytes': '3000' })
  assert.equal(config.get('retention.ms'), 3_600_000)
  assert.equal(config.get('segment.ms'), 7_200_000)
  assert.equal(config.get('flush.ms'), 500)
  assert.equal(config.maxMessageBytes, 3000)
  assert.equal(LogConfig.of(hourly).maxMessageBytes, 2000)
  assert.deepEqual([config.isCompacted, config.isDeleted], [true, true])
  assert.deepEqual([...config.overrides], [['max.message.bytes', '3000']])
})

test('topics without settings of their own share one object until the broker changes', () => {
  assert.equal(LogConfig.of(broker), LogConfig.of(broker, {}))
  assert.notEqual(LogConfig.of(broker), LogConfig.of(BrokerConfig.load({})))
})

test('the old bound of record times counts until a newer one is set', () => {
  const old = LogConfig.of(broker, { 'message.timestamp.difference.max.ms': '10' })
  assert.deepEqual([old.timestampBeforeMaxMs, old.timestampAfterMaxMs], [10, 10])
  const newer = LogConfig.of(broker, {
    'message.timestamp.difference.max.ms': '10',
    'message.timestamp.after.max.ms': '20',
  })
  assert.deepEqual([newer.timestampBeforeMaxMs, newer.timestampAfterMaxMs], [10, 20])
})

test('compaction lag shortens the age of segments of compacted topics only', () => {
  const lag = { 'max.compaction.lag.ms': '5' }
  assert.equal(LogConfig.of(broker, { ...lag, 'cleanup.policy': 'compact' }).maxSegmentMs, 5)
  assert.equal(LogConfig.of(broker, lag).maxSegmentMs, 604_800_000)
})

test('the codec comes with its level', () => {
  assert.equal(LogConfig.of(broker).compression, undefined)
  const gzip = LogConfig.of(broker, { 'compression.type': 'gzip', 'compression.gzip.level': '9' })
  assert.deepEqual([gzip.compression, gzip.compressionLevel], ['gzip', 9])
  assert.equal(LogConfig.of(broker, { 'compression.type': 'snappy' }).compressionLevel, undefined)
})

test("what a topic may not set is refused in Kafka's words", () => {
  const refusal = (name: string, value: string): [string, boolean] => {
    try {
      checkTopicOverrides(broker, { [name]: value })
    } catch (error) {
      assert.ok(error instanceof ConfigError)
      return [error.message, error.standsAlone]
    }
    return assert.fail('accepted')
  }
  assert.deepEqual(refusal('nosuch', '1'), ['Unknown topic config name: nosuch', true])
  assert.deepEqual(refusal('retention.ms', '-2'), [
    'Invalid value -2 for configuration retention.ms: Value must be at least -1',
    false,
  ])
  assert.deepEqual(refusal('compression.type', 'foo'), [
    'Invalid value foo for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, ' +
      'gzip, producer',
    false,
  ])
  assert.deepEqual(refusal('compression.gzip.level', '0'), [
    'Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1',
    false,
  ])
  assert.deepEqual(refusal('message.format.version', '9.9'), [
    'Invalid value 9.9 for configuration message.format.version: Version 9.9 is not a valid version',
    false,
  ])
  assert.deepEqual(refusal('leader.replication.throttled.replicas', 'a'), [
    'Invalid value [a] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas ' +
      "must be the literal '*' or a list of replicas in the following format: " +
      '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
    false,
  ])
  assert.match(refusal('remote.storage.enable', 'true')[0], /^Tiered Storage functionality is disabled in the broker\./)
  assert.match(refusal('remote.log.copy.disable', 'true')[0], /under Zookeeper's mode/)
})

test('compaction lags must not contradict each other', () => {
  const lags = { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' }
  assert.throws(
    () => checkTopicOverrides(broker, lags),
    /^ConfigError: conflict topic config setting min\.compaction\.lag\.ms \(10\) > max\.compaction\.lag\.ms \(5\)$/,
  )
  checkTopicOverrides(broker, { 'min.compaction.lag.ms': '9223372036854775807', 'cleanup.policy': '' })
})

test('the message format is that of message.format.version only below inter.broker.protocol.version 3.0', () => {
  const formatOf = (properties: Record<string, string>, own: Record<string, string> = {}): number =>
    LogConfig.of(BrokerConfig.load(properties), own).messageFormat
  const old = { 'inter.broker.protocol.version': '2.8' }
  assert.equal(formatOf({}, { 'message.format.version': '0.9.0' }), 2)
  assert.equal(formatOf({ 'inter.broker.protocol.version': '3.0' }, { 'message.format.version': '0.9.0' }), 2)
  assert.equal(formatOf(old), 2)
  assert.equal(formatOf(old, { 'message.format.version': '0.9.0' }), 0)
  assert.equal(formatOf(old, { 'message.format.version': '0.10.2' }), 1)
  assert.equal(formatOf(old, { 'message.format.version': '0.11.0' }), 2)
  assert.equal(formatOf({ ...old, 'log.message.format.version': '0.10.0' }), 1)
  assert.equal(formatOf({ ...old, 'log.message.format.version': '0.10.0' }, { 'segment.bytes': '1000' }), 1)
  // A format newer than the broker is passed over.
  assert.equal(formatOf({ ...old, 'log.message.format.version': '0.10.0' }, { 'message.format.version': '3.0' }), 1)
})
