/** What Kafka checks beyond single values when a broker starts (KafkaConfig.validateValues), and what Monedula lacks. */
import type { BrokerConfig } from './broker-config.ts'
import { ConfigError } from './config-error.ts'
import { isEveryInterface } from './listeners.ts'
import { isMetadataVersionAtLeast, metadataVersion } from './metadata-version.ts'

const MEBIBYTE = 1024 * 1024
const DEFAULT_PRINCIPAL_BUILDER = 'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder'
const REPLICA_SELECTORS: readonly string[] = ['RackAwareReplicaSelector', 'LeaderSelector'].map(
  name => `org.apache.kafka.common.replica.${name}`,
)

/** Throws {@link ConfigError} for settings that must not start; returns warnings about doubtful ones. */
export function checkBrokerConfig(config: BrokerConfig): readonly string[] {
  refuseMissingFeatures(config)
  checkIdentity(config)
  checkListeners(config)
  checkLog(config)
  checkReplication(config)
  checkConnections(config)
  checkGroups(config)
  return warningsOf(config)
}

function require(condition: boolean, reason: string): void {
  if (!condition) throw new ConfigError(reason)
}

/** Refuses what would be dangerous or misleading to pass over. */
function refuseMissingFeatures(config: BrokerConfig): void {
  const refuse = (key: Parameters<BrokerConfig['get']>[0], reason: string): never => {
    throw new ConfigError(reason, { key, value: config.text(key) })
  }
  if (config.get('process.roles').length > 0) {
    refuse(
      'process.roles',
      'KRaft mode is not supported: remove process.roles and the controller.* keys, and set broker.id; ' +
        'metadata is kept in ZooKeeper (zookeeper.connect) or, without it, in the embedded store',
    )
  }
  if ((config.get('controller.listener.names') ?? '') !== '') {
    refuse('controller.listener.names', 'It must be empty when not running in KRaft mode: remove it')
  }
  if (config.get('zookeeper.metadata.migration.enable')) {
    refuse('zookeeper.metadata.migration.enable', 'There is no KRaft mode to migrate to: remove it')
  }
  if (config.get('authorizer.class.name') !== '') {
    refuse(
      'authorizer.class.name',
      'Authorizers are not supported yet, and without one everybody may do everything: remove it to accept that',
    )
  }
  if (config.get('remote.log.storage.system.enable')) {
    refuse('remote.log.storage.system.enable', 'Tiered storage is not supported yet: set it to false')
  }
  if (config.get('principal.builder.class') !== DEFAULT_PRINCIPAL_BUILDER) {
    refuse('principal.builder.class', 'Java classes cannot be loaded: remove it')
  }
  for (const key of [
    'create.topic.policy.class.name',
    'alter.config.policy.class.name',
    'client.quota.callback.class',
  ] as const) {
    if (config.get(key) !== null) refuse(key, 'Java classes cannot be loaded: remove it')
  }
  const selector = config.get('replica.selector.class')
  if (selector !== null && !REPLICA_SELECTORS.includes(selector)) {
    refuse('replica.selector.class', `Java classes cannot be loaded; known by name are ${REPLICA_SELECTORS.join(', ')}`)
  }
}

function checkIdentity(config: BrokerConfig): void {
  const id = config.get('broker.id')
  require(config.get('node.id') === id, 'You must set `node.id` to the same value as `broker.id`.')
  if (config.get('broker.id.generation.enable')) {
    require(id >= -1 &&
      id <=
        config.get(
          'reserved.broker.max.id',
        ), `broker.id must be greater than or equal to -1 and not greater than reserved.broker.max.id, but is ${id}`)
  } else {
    require(id >= 0, `broker.id must be greater than or equal to 0, but is ${id}`)
  }
}

function checkListeners(config: BrokerConfig): void {
  for (const { listener, securityProtocol } of config.listeners) {
    if (securityProtocol !== 'PLAINTEXT') {
      throw new ConfigError(`${securityProtocol} is not supported yet (listener ${listener}); use PLAINTEXT`, {
        key: 'listeners',
        value: config.text('listeners'),
      })
    }
  }
  const names = config.listeners.map(({ listener }) => listener)
  const advertised = config.advertisedListeners.map(({ listener }) => listener)
  require(!(
    config.get('inter.broker.listener.name') !== null && config.properties.has('security.inter.broker.protocol')
  ), 'Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.')
  require(advertised.includes(
    config.interBrokerListener,
  ), 'inter.broker.listener.name must be a listener name defined in advertised.listeners, but is ' +
    `${config.interBrokerListener}. The valid options based on currently configured listeners are ${advertised.join(',')}`)
  require(advertised.every(name =>
    names.includes(name),
  ), 'advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. ' +
    `Found ${advertised.join(',')}. The valid options based on the current configuration are ${names.join(',')}`)
  if (config.get('advertised.listeners') !== null) {
    const everywhere = config.advertisedListeners.find(({ host }) => isEveryInterface(host))
    require(everywhere ===
      undefined, `advertised.listeners cannot use the nonroutable meta-address ${everywhere?.host || '0.0.0.0'}. ` +
      'Use a routable IP address, or remove advertised.listeners to tell clients the address they came in by.')
  }
  const controlPlane = config.get('control.plane.listener.name')?.toUpperCase()
  if (controlPlane !== undefined) {
    require(advertised.includes(
      controlPlane,
    ), 'control.plane.listener.name must be a listener name defined in advertised.listeners. ' +
      `The valid options based on currently configured listeners are ${advertised.join(',')}`)
    require(controlPlane !==
      config.interBrokerListener, 'control.plane.listener.name, when defined, should have a different value from the inter broker listener name. ' +
      `Currently they both have the value ${controlPlane}`)
  }
}

function checkLog(config: BrokerConfig): void {
  const retention = config.logRetentionMs
  require(config.logRollMs >= 1, 'log.roll.ms must be greater than or equal to 1')
  require(config.logRollJitterMs >= 0, 'log.roll.jitter.ms must be greater than or equal to 0')
  require(retention === -1 || retention >= 1, 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1')
  require(config.logDirs.length > 0, 'At least one log directory must be defined via log.dirs or log.dir.')
  require(new Set(config.logDirs).size ===
    config.logDirs.length, `log.dirs names a directory twice: ${config.logDirs.join(',')}`)
  const cleaners = config.get('log.cleaner.threads')
  require(cleaners >= 1, 'log.cleaner.threads must be at least 1; log.cleaner.enable=false switches the cleaner off')
  require(Math.trunc(config.get('log.cleaner.dedupe.buffer.size') / cleaners) >
    MEBIBYTE, 'log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.')
  const [least, most] = [
    config.get('log.cleaner.min.compaction.lag.ms'),
    config.get('log.cleaner.max.compaction.lag.ms'),
  ]
  require(least <=
    most, `log.cleaner.min.compaction.lag.ms (${least}) must not be greater than log.cleaner.max.compaction.lag.ms (${most})`)
}

function checkReplication(config: BrokerConfig): void {
  const wait = config.get('replica.fetch.wait.max.ms')
  require(wait <=
    config.get(
      'replica.socket.timeout.ms',
    ), 'replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts')
  require(wait <=
    config.get(
      'replica.lag.time.max.ms',
    ), 'replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent ' +
    'changes in ISR')
}

function checkConnections(config: BrokerConfig): void {
  const queued = config.get('queued.max.request.bytes')
  require(queued <= 0 ||
    queued >=
      config.get(
        'socket.request.max.bytes',
      ), 'queued.max.request.bytes must be larger or equal to socket.request.max.bytes')
  const overrides = config.maxConnectionsPerIpOverrides
  require(config.get('max.connections.per.ip') > 0 ||
    overrides.size >
      0, 'max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.')
  const invalid = [...overrides.keys()].filter(host => !/^[0-9a-zA-Z\-%._:]+$/.test(host))
  require(invalid.length === 0, `max.connections.per.ip.overrides contains invalid addresses : ${invalid.join(',')}`)
  const [delay, idle] = [config.get('connection.failed.authentication.delay.ms'), config.get('connections.max.idle.ms')]
  require(idle < 0 ||
    delay <
      idle, `connection.failed.authentication.delay.ms=${delay} should always be less than connections.max.idle.ms=${idle} ` +
    'to prevent failed authentication responses from timing out')
}

function checkGroups(config: BrokerConfig): void {
  const acks = config.get('offsets.commit.required.acks')
  require(acks >= -1 &&
    acks <=
      config.get(
        'offsets.topic.replication.factor',
      ), 'offsets.commit.required.acks must be greater or equal to -1 and less or equal to offsets.topic.replication.factor')
  const codec = config.get('offsets.topic.compression.codec')
  require(codec >= 0 && codec <= 4, `Unknown compression type id: ${codec} (offsets.topic.compression.codec; 0 to 4)`)
  require(config.get('group.min.session.timeout.ms') <=
    config.get(
      'group.max.session.timeout.ms',
    ), 'group.max.session.timeout.ms must be greater than or equals to group.min.session.timeout.ms')
  for (const kind of ['consumer', 'share'] as const) {
    for (const what of ['heartbeat.interval.ms', 'session.timeout.ms'] as const) {
      const value = config.get(`group.${kind}.${what}`)
      const [low, high] = [config.get(`group.${kind}.min.${what}`), config.get(`group.${kind}.max.${what}`)]
      const key = `group.${kind}`
      require(high >= low, `${key}.max.${what} must be greater than or equals to ${key}.min.${what}`)
      require(value >= low, `${key}.${what} must be greater than or equals to ${key}.min.${what}`)
      require(value <= high, `${key}.${what} must be less than or equals to ${key}.max.${what}`)
    }
  }
}

function warningsOf(config: BrokerConfig): readonly string[] {
  const warnings: string[] = []
  const [message, request] = [config.get('message.max.bytes'), config.get('socket.request.max.bytes')]
  if (message > request) {
    warnings.push(
      `message.max.bytes=${message} can never be used up: a request may have only socket.request.max.bytes=${request}`,
    )
  }
  const version = metadataVersion(config.get('inter.broker.protocol.version')) ?? ''
  if (!config.isDefault('log.message.format.version') && isMetadataVersionAtLeast(version, '3.0-IV0')) {
    warnings.push(
      `log.message.format.version=${config.text('log.message.format.version')} is ignored, because ` +
        'inter.broker.protocol.version is 3.0 or later',
    )
  }
  if (config.properties.has('offsets.commit.required.acks')) {
    warnings.push('offsets.commit.required.acks is deprecated; leave it at -1')
  }
  if (!config.get('log.cleaner.enable')) {
    warnings.push('log.cleaner.enable=false lets compacted topics grow for ever, __consumer_offsets among them')
  }
  const others = config.get('group.coordinator.rebalance.protocols').filter(protocol => protocol !== 'classic')
  if (others.length > 0) {
    warnings.push(`group.coordinator.rebalance.protocols: only classic is served, not ${others.join(',')}`)
  }
  return warnings
}
