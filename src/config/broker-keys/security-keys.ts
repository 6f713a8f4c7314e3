import type { ConfigTable } from '../config-def.ts'
import { atLeast, nonNull } from '../validators.ts'

/** Authorization, delegation tokens, encryption of stored passwords. */
export const securityKeys = {
  'authorizer.class.name': {
    type: 'string',
    default: '',
    valid: nonNull,
    importance: 'low',
    doc: 'Class that decides who may do what; there is no authorizer yet, so a value is refused rather than ignored.',
  },
  'principal.builder.class': {
    type: 'class',
    default: 'org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder',
    importance: 'medium',
    update: 'per-broker',
    doc: "Class that turns a connection's identity into a principal; only the default is available.",
  },
  'security.providers': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'Java security providers; without effect.',
  },
  'connections.max.reauth.ms': {
    type: 'long',
    default: 0,
    importance: 'medium',
    doc: 'Longest session after a SASL login before the client must log in again; 0 is no limit.',
  },
  'delegation.token.master.key': {
    type: 'password',
    default: null,
    importance: 'medium',
    doc: 'Old name of delegation.token.secret.key.',
  },
  'delegation.token.secret.key': {
    type: 'password',
    default: null,
    importance: 'medium',
    doc: 'Secret that signs delegation tokens, the same on all brokers; unset, there are no tokens.',
  },
  'delegation.token.max.lifetime.ms': {
    type: 'long',
    default: 604800000,
    valid: atLeast(1),
    importance: 'medium',
    doc: 'Longest life of a delegation token, renewals included.',
  },
  'delegation.token.expiry.time.ms': {
    type: 'long',
    default: 86400000,
    valid: atLeast(1),
    importance: 'medium',
    doc: 'How long a delegation token lives between renewals.',
  },
  'delegation.token.expiry.check.interval.ms': {
    type: 'long',
    default: 3600000,
    valid: atLeast(1),
    importance: 'low',
    doc: 'Time between two searches for delegation tokens past their end.',
  },
  'password.encoder.secret': {
    type: 'password',
    default: null,
    importance: 'medium',
    doc: 'Secret that encrypts passwords set dynamically on this broker.',
  },
  'password.encoder.old.secret': {
    type: 'password',
    default: null,
    importance: 'medium',
    doc: 'Former secret, to read passwords encrypted before the secret was changed.',
  },
  'password.encoder.keyfactory.algorithm': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'Algorithm that makes a key of that secret.',
  },
  'password.encoder.cipher.algorithm': {
    type: 'string',
    default: 'AES/CBC/PKCS5Padding',
    importance: 'low',
    doc: 'Cipher for passwords set dynamically.',
  },
  'password.encoder.key.length': {
    type: 'int',
    default: 128,
    valid: atLeast(8),
    importance: 'low',
    doc: 'Key length in bits for that cipher.',
  },
  'password.encoder.iterations': {
    type: 'int',
    default: 4096,
    valid: atLeast(1024),
    importance: 'low',
    doc: 'Iterations of the algorithm that makes the key.',
  },
} satisfies ConfigTable
