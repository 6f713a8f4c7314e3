import { atLeast, type ConfigTable, defineConfig, oneOf } from '../../config/index.ts'
import { commonClientKeys } from '../client-config.ts'
import { offsetReset } from './offset-reset.ts'

/** Keys of a consumer, with Java's names and defaults (ConsumerConfig). */
export const consumerKeys = {
  ...commonClientKeys,
  'group.id': {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'The group whose members share the partitions; without it only assign() works, and nothing is committed.',
  },
  'group.instance.id': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Makes this a static member: it keeps its partitions over a restart within the session timeout.',
  },
  'group.protocol': {
    type: 'string',
    default: 'classic',
    importance: 'high',
    doc: 'How the group shares partitions: classic, by its members, or consumer, by the broker (KIP-848, Kafka 4.0 and up).',
    valid: oneOf('classic', 'consumer'),
  },
  'group.remote.assignor': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: "The broker's assignor, uniform or range, with group.protocol=consumer; the broker's choice when left out.",
  },
  'partition.assignment.strategy': {
    type: 'list',
    default: 'range,cooperative-sticky',
    importance: 'medium',
    doc: 'Assignors in order of preference: range, roundrobin, sticky, cooperative-sticky, or RoundRobinAssigner, which kafkajs has; Java class names are understood.',
  },
  'session.timeout.ms': {
    type: 'int',
    default: 45_000,
    importance: 'high',
    doc: 'Without a heartbeat for so long, a member is put out of the group.',
    valid: atLeast(1),
  },
  'heartbeat.interval.ms': {
    type: 'int',
    default: 3_000,
    importance: 'high',
    doc: 'Time between heartbeats; they are sent in the background, whatever the program does.',
    valid: atLeast(1),
  },
  'max.poll.interval.ms': {
    type: 'int',
    default: 300_000,
    importance: 'medium',
    doc: 'How long the program may work on what it was given before the others get its partitions.',
    valid: atLeast(1),
  },
  'enable.auto.commit': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    doc: 'Whether what was worked on is committed in the background, before partitions go, and at close.',
  },
  'auto.commit.interval.ms': {
    type: 'int',
    default: 5_000,
    importance: 'low',
    doc: 'Time between commits in the background.',
    valid: atLeast(1),
  },
  'auto.offset.reset': {
    type: 'string',
    default: 'latest',
    importance: 'medium',
    doc: 'Where to begin without a committed offset, or when it is gone: earliest, latest, by_duration:PT1H for records of the last hour, or none for an error.',
    valid: offsetReset,
  },
  'isolation.level': {
    type: 'string',
    default: 'read_uncommitted',
    importance: 'medium',
    doc: 'read_committed passes over records of aborted transactions and waits for open ones.',
    valid: oneOf('read_uncommitted', 'read_committed'),
  },
  'fetch.min.bytes': {
    type: 'int',
    default: 1,
    importance: 'high',
    doc: 'The broker waits for so many bytes before it answers, at most fetch.max.wait.ms.',
  },
  'fetch.max.wait.ms': {
    type: 'int',
    default: 500,
    importance: 'low',
    doc: 'How long the broker waits for fetch.min.bytes.',
  },
  'fetch.max.bytes': {
    type: 'int',
    default: 50 * 1024 * 1024,
    importance: 'medium',
    doc: 'Bytes of one answer at most, but for the first batch.',
  },
  'max.partition.fetch.bytes': {
    type: 'int',
    default: 1024 * 1024,
    importance: 'high',
    doc: 'Bytes of one partition in an answer at most, but for the first batch.',
  },
  'prefetch.max.bytes': {
    type: 'int',
    default: 16 * 1024 * 1024,
    importance: 'medium',
    doc: 'Fetched bytes that wait for the program at most, of all partitions together; no more is fetched above it. Paused partitions may hold half of it while others are read; what goes is fetched again.',
    valid: atLeast(1),
  },
  'check.crcs': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether the checksum of each batch is looked at.',
  },
  'allow.auto.create.topics': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    doc: 'Whether subscribing to a topic may create it, where the broker does that.',
  },
  'exclude.internal.topics': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    doc: "Whether a pattern passes over the cluster's own topics.",
  },
} as const satisfies ConfigTable

export const consumerConfig = defineConfig(consumerKeys)
