import type { ConfigTable } from '../config-def.ts'
import { LONG_MAX } from '../limits.ts'
import { atLeast } from '../validators.ts'

/** Identity of a broker, topic creation, waiting requests. */
export const serverKeys = {
  'broker.id': {
    type: 'int',
    default: -1,
    importance: 'high',
    doc:
      'Number that names this broker in the cluster; -1 takes the id in meta.properties, or a new one above ' +
      'reserved.broker.max.id.',
  },
  'node.id': {
    type: 'int',
    default: -1,
    importance: 'high',
    doc: 'Another name of broker.id, which it follows; the two may not differ.',
  },
  'broker.id.generation.enable': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    doc: 'Lets a broker without an id of its own take a generated one.',
  },
  'reserved.broker.max.id': {
    type: 'int',
    default: 1000,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'Highest id that may be chosen by hand; generated ids begin above it.',
  },
  'broker.rack': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Rack or zone of this broker, used to spread replicas and to serve readers from their own zone.',
  },
  'background.threads': {
    type: 'int',
    default: 10,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc:
      "Kafka's pool for background work; read for compatibility, since background work here shares one event " +
      'loop.',
  },
  'num.io.threads': {
    type: 'int',
    default: 8,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc:
      "Kafka's pool of request handlers; read for compatibility, since requests here are handled by one event " +
      'loop.',
  },
  'auto.create.topics.enable': {
    type: 'boolean',
    default: true,
    importance: 'high',
    doc: 'Creates a missing topic when a client that allows it asks for its metadata or produces to it.',
  },
  'delete.topic.enable': {
    type: 'boolean',
    default: true,
    importance: 'high',
    doc: 'Allows topics to be deleted; when false a request is refused, and a mark in ZooKeeper waits.',
  },
  'create.topic.policy.class.name': {
    type: 'class',
    default: null,
    importance: 'low',
    doc: 'Class that may veto new topics; Java classes cannot be loaded, so a value is refused.',
  },
  'alter.config.policy.class.name': {
    type: 'class',
    default: null,
    importance: 'low',
    doc: 'Class that may veto changes of configuration; Java classes cannot be loaded, so a value is refused.',
  },
  'request.timeout.ms': {
    type: 'int',
    default: 30000,
    importance: 'high',
    doc: 'How long this broker waits for the answer to a request of its own before it tries again or gives up.',
  },
  'fetch.max.bytes': {
    type: 'int',
    default: 57671680,
    valid: atLeast(1024),
    importance: 'medium',
    doc: 'Most bytes that one fetch answer carries; a first batch larger than this is still sent whole.',
  },
  'max.incremental.fetch.session.cache.slots': {
    type: 'int',
    default: 1000,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'How many incremental fetch sessions (KIP-227) are remembered at a time.',
  },
  'max.request.partition.size.limit': {
    type: 'int',
    default: 2000,
    valid: atLeast(1),
    importance: 'medium',
    doc: 'Most partitions that one request which lists partitions may get an answer for.',
  },
  'fetch.purgatory.purge.interval.requests': {
    type: 'int',
    default: 1000,
    importance: 'medium',
    doc: 'Finished waiting fetches that may pile up before they are swept out.',
  },
  'producer.purgatory.purge.interval.requests': {
    type: 'int',
    default: 1000,
    importance: 'medium',
    doc: 'Finished waiting produce requests that may pile up before they are swept out.',
  },
  'delete.records.purgatory.purge.interval.requests': {
    type: 'int',
    default: 1,
    importance: 'medium',
    doc: 'Finished waiting record deletions that may pile up before they are swept out.',
  },
  'server.max.startup.time.ms': {
    type: 'long',
    default: LONG_MAX,
    valid: atLeast(0),
    importance: 'medium',
    internal: true,
    doc: 'Longest time that a start may take; for tests.',
  },
  'unstable.api.versions.enable': {
    type: 'boolean',
    default: false,
    importance: 'high',
    internal: true,
    doc: 'Advertises request versions that are not final yet; for development.',
  },
  'unstable.feature.versions.enable': {
    type: 'boolean',
    default: false,
    importance: 'high',
    internal: true,
    doc: 'Allows feature versions that are not final yet; for development.',
  },
} satisfies ConfigTable
