import type { ConfigTable } from '../config-def.ts'
import { atLeast } from '../validators.ts'

/** Transactions and idempotent producers. */
export const transactionKeys = {
  'transactional.id.expiration.ms': {
    type: 'int',
    default: 604800000,
    valid: atLeast(1),
    importance: 'high',
    doc: 'How long a transactional id without transactions is remembered; its producer state goes with it.',
  },
  'transaction.max.timeout.ms': {
    type: 'int',
    default: 900000,
    valid: atLeast(1),
    importance: 'high',
    doc: 'Longest transaction timeout that a producer may ask for.',
  },
  'transaction.state.log.min.isr': {
    type: 'int',
    default: 2,
    valid: atLeast(1),
    importance: 'high',
    doc: 'In-sync replicas that a write to the transactions topic needs.',
  },
  'transaction.state.log.replication.factor': {
    type: 'short',
    default: 3,
    valid: atLeast(1),
    importance: 'high',
    doc:
      'Replicas of the transactions topic; on a broker that is alone in its cluster it is created with one, and ' +
      'the log says so.',
  },
  'transaction.state.log.num.partitions': {
    type: 'int',
    default: 50,
    valid: atLeast(1),
    importance: 'high',
    doc: 'Partitions of the transactions topic; not to be changed once it exists.',
  },
  'transaction.state.log.segment.bytes': {
    type: 'int',
    default: 104857600,
    valid: atLeast(1),
    importance: 'high',
    doc: 'Segment size of the transactions topic; small ones compact and load faster.',
  },
  'transaction.state.log.load.buffer.size': {
    type: 'int',
    default: 5242880,
    valid: atLeast(1),
    importance: 'high',
    doc: 'Bytes read at a time when transactions are loaded; a larger batch is read all the same.',
  },
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': {
    type: 'int',
    default: 10000,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Time between two searches for transactions past their timeout, which are aborted.',
  },
  'transaction.remove.expired.transaction.cleanup.interval.ms': {
    type: 'int',
    default: 3600000,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Time between two searches for transactional ids past their expiration.',
  },
  'transaction.partition.verification.enable': {
    type: 'boolean',
    default: true,
    importance: 'low',
    update: 'cluster-wide',
    doc:
      'Checks that a partition was added to the transaction before transactional records are written to it ' +
      '(KIP-890).',
  },
  'producer.id.expiration.ms': {
    type: 'int',
    default: 86400000,
    valid: atLeast(1),
    importance: 'low',
    update: 'cluster-wide',
    doc: 'How long a partition remembers a producer that has stopped writing to it.',
  },
  'producer.id.expiration.check.interval.ms': {
    type: 'int',
    default: 600000,
    valid: atLeast(1),
    importance: 'low',
    internal: true,
    doc: 'Time between two searches for producers that may be forgotten.',
  },
} satisfies ConfigTable
