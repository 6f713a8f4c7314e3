import { atLeast, type ConfigTable, defineConfig, oneOf } from '../config/index.ts'
import { clientSecurityKeys } from '../security/index.ts'

const MAX_INT = 2 ** 31 - 1

/** Keys that every client has, with Java's names and defaults (CommonClientConfigs). */
export const commonClientKeys = {
  'bootstrap.servers': {
    type: 'list',
    importance: 'high',
    doc: 'Brokers to begin with, host:port separated by commas; the rest of the cluster is learned from them.',
  },
  'bootstrap.timeout.ms': {
    type: 'int',
    default: MAX_INT,
    importance: 'low',
    doc: "A client that no broker has answered for so long since it was first asked for something fails with BROKER_NOT_AVAILABLE, and tries no more; by default a call's own time is all that ends it.",
    valid: atLeast(0),
  },
  'client.id': {
    type: 'string',
    default: 'monedula',
    importance: 'medium',
    doc: 'A name that the broker puts into its logs and metrics.',
  },
  'client.rack': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Where this client is; a consumer reads from a replica of the same rack where the broker offers one.',
  },
  'request.timeout.ms': {
    type: 'int',
    default: 30_000,
    importance: 'medium',
    doc: 'How long one request waits for its answer.',
  },
  'retry.backoff.ms': {
    type: 'long',
    default: 100,
    importance: 'low',
    doc: 'Pause before the first time that something is tried again; it doubles from try to try.',
  },
  'retry.backoff.max.ms': {
    type: 'long',
    default: 1_000,
    importance: 'low',
    doc: 'Longest pause between two tries.',
  },
  'reconnect.backoff.ms': {
    type: 'long',
    default: 50,
    importance: 'low',
    doc: 'Pause after a connection that could not be made; it doubles from failure to failure.',
  },
  'reconnect.backoff.max.ms': {
    type: 'long',
    default: 1_000,
    importance: 'low',
    doc: 'Longest pause between two tries to connect to a broker.',
  },
  'connections.max.idle.ms': {
    type: 'long',
    default: 540_000,
    importance: 'medium',
    doc: 'A connection that was not used for so long is closed.',
  },
  'socket.connection.setup.timeout.ms': {
    type: 'long',
    default: 10_000,
    importance: 'medium',
    doc: 'How long a connection may take to be made.',
  },
  'metadata.max.age.ms': {
    type: 'long',
    default: 300_000,
    importance: 'low',
    doc: 'Age at which the picture of the cluster is renewed even if nothing seems to have changed.',
  },
  'metadata.recovery.strategy': {
    type: 'string',
    default: 'rebootstrap',
    importance: 'low',
    doc: 'rebootstrap asks bootstrap.servers again when no broker that is known answers (KIP-899); none does not.',
    valid: oneOf('none', 'rebootstrap'),
  },
  'metadata.recovery.rebootstrap.trigger.ms': {
    type: 'long',
    default: 300_000,
    importance: 'low',
    doc: 'When metadata could not be had for so long, all known brokers are forgotten and bootstrap.servers asked (KIP-1102).',
    valid: atLeast(0),
  },
  ...clientSecurityKeys,
} as const satisfies ConfigTable

/** What a connection needs, whatever is done over it. */
export const commonClientConfig = defineConfig(commonClientKeys)
