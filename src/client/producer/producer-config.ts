import { atLeast, type ConfigTable, defineConfig, oneOf } from '../../config/index.ts'
import { commonClientKeys } from '../client-config.ts'
import { PARTITIONER_NAMES, partitionerName } from './partitioner.ts'

/** Keys of a producer, with Java's names (ProducerConfig) and, where not said otherwise, its defaults. */
export const producerKeys = {
  ...commonClientKeys,
  acks: {
    type: 'string',
    default: 'all',
    valid: oneOf('all', '-1', '0', '1'),
    importance: 'low',
    doc: 'Who has to have a record before it counts as sent: all replicas in sync, the leader alone (1), or nobody (0).',
  },
  'batch.size': {
    type: 'int',
    default: 131_072,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'Bytes of a batch at most; a larger record is a batch of its own. 0 sends each record by itself. Java has 16384; here memory is taken as records come. The default alone may be exceeded: by batches that have to wait because as many requests as may be are on their way, up to 1 MiB and max.request.size.',
  },
  'linger.ms': {
    type: 'long',
    default: 0,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'How long a batch waits for more records. With 0 it takes what came in one turn of the event loop, and what comes while earlier requests are under way.',
  },
  'buffer.memory': {
    type: 'long',
    default: 33_554_432,
    valid: atLeast(0),
    importance: 'high',
    doc: 'Bytes of records that may wait to be acknowledged; beyond it, sending waits.',
  },
  'max.block.ms': {
    type: 'long',
    default: 60_000,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'How long sending waits for memory and for metadata of the topic.',
  },
  'allow.auto.create.topics': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: "Whether sending to a topic may create it, where the broker does that. Java's producer always lets it.",
  },
  'max.request.size': {
    type: 'int',
    default: 1_048_576,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'Bytes of a request, and of a record before compression, at most.',
  },
  'delivery.timeout.ms': {
    type: 'int',
    default: 120_000,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'When a record has not been acknowledged so long after it was taken, it has failed.',
  },
  retries: {
    type: 'int',
    default: 2_147_483_647,
    valid: atLeast(0),
    importance: 'high',
    doc: 'How often a batch is sent again; the time is bounded by delivery.timeout.ms.',
  },
  'max.in.flight.requests.per.connection': {
    type: 'int',
    default: 5,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Requests on their way to one broker. Idempotence allows at most 5.',
  },
  'enable.idempotence': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Each record is written once and in order, however often it had to be sent. Needs acks=all; off when other settings given do not go with it.',
  },
  'transactional.id': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'Name under which transactions are kept; a new producer of the same name fences the old one.',
  },
  'transaction.timeout.ms': {
    type: 'int',
    default: 60_000,
    valid: atLeast(1),
    importance: 'low',
    doc: 'After so long the broker aborts a transaction that was not ended.',
  },
  'compression.type': {
    type: 'string',
    default: 'none',
    valid: oneOf('none', 'gzip', 'snappy', 'lz4', 'zstd'),
    importance: 'high',
    doc: 'Codec of batches.',
  },
  'compression.gzip.level': {
    type: 'int',
    default: -1,
    importance: 'medium',
    doc: 'Level of gzip, 1 to 9; -1 for its own choice.',
  },
  'compression.lz4.level': {
    type: 'int',
    default: 9,
    importance: 'medium',
    doc: 'Taken for compatibility: LZ4 has one level here.',
  },
  'compression.zstd.level': { type: 'int', default: 3, importance: 'medium', doc: 'Level of zstd.' },
  'partitioner.class': {
    type: 'string',
    default: 'default',
    valid: {
      toString: () => `[${PARTITIONER_NAMES.join(', ')}]`,
      check: value =>
        typeof value === 'string' && partitionerName(value) !== undefined
          ? undefined
          : `there is ${PARTITIONER_NAMES.join(', ')}; give others as the option partitioner`,
    },
    importance: 'medium',
    doc: 'Who chooses the partition of a record that names none: default (by the hash of the key, as Java; without a key one partition until a batch is full), round-robin, random, hash.',
  },
  'partitioner.adaptive.partitioning.enable': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Records without a key go rather to partitions that have less waiting.',
  },
  'partitioner.ignore.keys': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'The default partitioner treats records as if they had no key.',
  },
} as const satisfies ConfigTable

/** What a producer reads its settings with. */
export const producerConfig = defineConfig(producerKeys)
