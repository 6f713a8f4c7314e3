/** Keys that are never in a file: set dynamically on brokers, users, clients and addresses. */
import { type ConfigTable, defineConfig } from './config-def.ts'
import { LONG_MAX } from './limits.ts'
import { atLeast } from './validators.ts'

const INT_MAX = 2 ** 31 - 1

/** Keys of a broker that can only be set dynamically. */
export const brokerQuotaConfig = defineConfig({
  'leader.replication.throttled.rate': {
    type: 'long',
    default: LONG_MAX,
    valid: atLeast(0),
    importance: 'medium',
    doc: "Most bytes a second sent to followers of the replicas that a topic's leader.replication.throttled.replicas names.",
  },
  'follower.replication.throttled.rate': {
    type: 'long',
    default: LONG_MAX,
    valid: atLeast(0),
    importance: 'medium',
    doc: "Most bytes a second fetched for the replicas that a topic's follower.replication.throttled.replicas names.",
  },
  'replica.alter.log.dirs.io.max.bytes.per.second': {
    type: 'long',
    default: LONG_MAX,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'Most bytes a second copied when replicas move between data directories of this broker.',
  },
})

const clientQuotaKeys = {
  producer_byte_rate: {
    type: 'long',
    default: LONG_MAX,
    importance: 'medium',
    doc: 'Most bytes a second that the client may produce to a broker.',
  },
  consumer_byte_rate: {
    type: 'long',
    default: LONG_MAX,
    importance: 'medium',
    doc: 'Most bytes a second that the client may consume from a broker.',
  },
  request_percentage: {
    type: 'double',
    default: INT_MAX,
    importance: 'medium',
    doc: "Per cent of one thread's time that the client's requests may take.",
  },
  controller_mutation_rate: {
    type: 'double',
    default: INT_MAX,
    importance: 'medium',
    doc: 'Partitions a second that the client may create, add or delete.',
  },
} satisfies ConfigTable

/** Keys of a client id. */
export const clientConfig = defineConfig(clientQuotaKeys)

/** Keys of a user: quotas, and credentials by SCRAM mechanism. */
export const userConfig = defineConfig({
  ...clientQuotaKeys,
  'SCRAM-SHA-256': { type: 'string', default: null, importance: 'medium', doc: 'Credentials for SCRAM-SHA-256.' },
  'SCRAM-SHA-512': { type: 'string', default: null, importance: 'medium', doc: 'Credentials for SCRAM-SHA-512.' },
})

/** Keys of an address. */
export const ipConfig = defineConfig({
  connection_creation_rate: {
    type: 'int',
    default: INT_MAX,
    valid: atLeast(0),
    importance: 'medium',
    doc: 'Most new connections a second from the address.',
  },
})

/** Whether `name` is a broker's key that no file can set. */
export function isDynamicOnlyBrokerKey(name: string): boolean {
  return brokerQuotaConfig.key(name) !== undefined
}
