import type { ConfigTable } from '../config-def.ts'
import { validMetadataVersion } from '../metadata-version.ts'
import { atLeast, oneOf } from '../validators.ts'

/** Replicas, leaders, and the talk among brokers. */
export const replicationKeys = {
  'num.replica.fetchers': {
    type: 'int',
    default: 1,
    importance: 'high',
    update: 'cluster-wide',
    doc: 'Fetchers to each leading broker; more of them replicate more in parallel.',
  },
  'num.replica.alter.log.dirs.threads': {
    type: 'int',
    default: null,
    importance: 'high',
    doc: 'Parallelism of moving replicas between data directories; unset, one for each directory.',
  },
  'replica.lag.time.max.ms': {
    type: 'long',
    default: 30000,
    importance: 'high',
    doc: "A follower that has not caught up with the leader's end for this long leaves the in-sync replicas.",
  },
  'replica.socket.timeout.ms': {
    type: 'int',
    default: 30000,
    importance: 'high',
    doc: "Time limit of a follower's request; at least replica.fetch.wait.max.ms.",
  },
  'replica.socket.receive.buffer.bytes': {
    type: 'int',
    default: 65536,
    importance: 'high',
    doc: "Receive buffer (SO_RCVBUF) of a follower's connection.",
  },
  'replica.fetch.max.bytes': {
    type: 'int',
    default: 1048576,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'Bytes that a follower asks for from each partition; a larger first batch still comes whole.',
  },
  'replica.fetch.wait.max.ms': {
    type: 'int',
    default: 500,
    importance: 'high',
    doc: "How long a leader may hold a follower's fetch that finds too little; no more than replica.lag.time.max.ms.",
  },
  'replica.fetch.min.bytes': {
    type: 'int',
    default: 1,
    importance: 'high',
    doc: "Bytes that a leader gathers before it answers a follower's fetch.",
  },
  'replica.fetch.response.max.bytes': {
    type: 'int',
    default: 10485760,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'Bytes that a follower asks for in one answer.',
  },
  'replica.fetch.backoff.ms': {
    type: 'int',
    default: 1000,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'Pause of a follower after a failed fetch of a partition.',
  },
  'replica.high.watermark.checkpoint.interval.ms': {
    type: 'long',
    default: 5000,
    importance: 'high',
    doc: 'Time between two writes of the high watermarks.',
  },
  'replica.selector.class': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc:
      'Chooses the replica a reader is sent to: org.apache.kafka.common.replica.RackAwareReplicaSelector, ' +
      'LeaderSelector, or unset for the leader.',
  },
  'min.insync.replicas': {
    type: 'int',
    default: 1,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc: 'In-sync replicas that a write with acks=all needs; with fewer it is refused.',
  },
  'unclean.leader.election.enable': {
    type: 'boolean',
    default: false,
    importance: 'high',
    update: 'cluster-wide',
    doc: 'Lets a replica that lags become leader when no other is left, at the price of lost records.',
  },
  'unclean.leader.election.interval.ms': {
    type: 'long',
    default: 300000,
    valid: atLeast(1),
    importance: 'medium',
    internal: true,
    doc: 'Time between two searches for partitions that need such an election.',
  },
  'auto.leader.rebalance.enable': {
    type: 'boolean',
    default: true,
    importance: 'high',
    doc: 'Gives leadership back to the preferred replicas from time to time.',
  },
  'leader.imbalance.check.interval.seconds': {
    type: 'long',
    default: 300,
    valid: atLeast(1),
    importance: 'high',
    doc: 'Time in seconds between two checks of the balance of leaders.',
  },
  'leader.imbalance.per.broker.percentage': {
    type: 'int',
    default: 10,
    importance: 'high',
    doc: "Per cent of a broker's partitions led elsewhere that sets off a rebalance.",
  },
  'controlled.shutdown.enable': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    doc: 'Moves leadership away before a broker stops.',
  },
  'controlled.shutdown.max.retries': {
    type: 'int',
    default: 3,
    importance: 'medium',
    doc: 'How often that is tried again before the broker stops all the same.',
  },
  'controlled.shutdown.retry.backoff.ms': {
    type: 'long',
    default: 5000,
    importance: 'medium',
    doc: 'Pause between two tries.',
  },
  'controller.socket.timeout.ms': {
    type: 'int',
    default: 30000,
    importance: 'medium',
    doc: 'Time limit of the requests of the controller to the brokers.',
  },
  'inter.broker.listener.name': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Listener over which brokers talk to each other; not together with security.inter.broker.protocol.',
  },
  'inter.broker.protocol.version': {
    type: 'string',
    default: '3.9-IV0',
    valid: validMetadataVersion,
    importance: 'medium',
    doc: 'Version of the requests among brokers, for rolling upgrades.',
  },
  'security.inter.broker.protocol': {
    type: 'string',
    default: 'PLAINTEXT',
    valid: oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
    importance: 'medium',
    doc: 'Security protocol among brokers, which also names the listener when inter.broker.listener.name is unset.',
  },
} satisfies ConfigTable
