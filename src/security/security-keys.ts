import { atLeast, between, type ConfigTable, oneOf, oneOfAnyCase } from '../config/index.ts'

const tlsKeys = {
  'ssl.truststore.location': {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'File with the authorities that brokers are checked against, PEM or PKCS12; those that Node comes with when left out.',
  },
  'ssl.truststore.password': {
    type: 'password',
    default: null,
    importance: 'high',
    doc: 'Password of a PKCS12 trust store.',
  },
  'ssl.truststore.type': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'PEM or PKCS12; found out from the file when left out.',
  },
  'ssl.truststore.certificates': {
    type: 'password',
    default: null,
    importance: 'high',
    doc: 'The authorities themselves, PEM, in place of a file.',
  },
  'ssl.keystore.location': {
    type: 'string',
    default: null,
    importance: 'high',
    doc: "File with this client's private key and certificates, PEM or PKCS12, for brokers that ask for them.",
  },
  'ssl.keystore.password': {
    type: 'password',
    default: null,
    importance: 'high',
    doc: 'Password of a PKCS12 key store.',
  },
  'ssl.keystore.type': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'PEM or PKCS12; found out from the file when left out.',
  },
  'ssl.keystore.key': {
    type: 'password',
    default: null,
    importance: 'high',
    doc: "This client's private key itself, PEM (PKCS #8), in place of a file.",
  },
  'ssl.keystore.certificate.chain': {
    type: 'password',
    default: null,
    importance: 'high',
    doc: "This client's certificates themselves, PEM, in place of a file.",
  },
  'ssl.key.password': {
    type: 'password',
    default: null,
    importance: 'high',
    doc: 'What the private key is encrypted with.',
  },
  'ssl.endpoint.identification.algorithm': {
    type: 'string',
    default: 'https',
    importance: 'low',
    doc: 'https makes sure that the certificate is for the host that was connected to; empty does not.',
    valid: oneOfAnyCase('HTTPS', ''),
  },
  'ssl.enabled.protocols': {
    type: 'list',
    default: 'TLSv1.2,TLSv1.3',
    importance: 'medium',
    doc: 'Versions of TLS that are offered.',
    valid: oneOf('TLSv1.2', 'TLSv1.3'),
  },
  'ssl.cipher.suites': {
    type: 'list',
    default: null,
    importance: 'low',
    doc: "Cipher suites that are offered, by Java's or OpenSSL's names; Node's own choice when left out.",
  },
} as const satisfies ConfigTable

const saslKeys = {
  'sasl.mechanism': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'How to say who this client is: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.',
  },
  'sasl.jaas.config': {
    type: 'password',
    default: null,
    importance: 'medium',
    doc: 'Name and password as Java clients have them: ...ScramLoginModule required username="alice" password="...";',
  },
  'sasl.username': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Name for PLAIN and SCRAM, as librdkafka calls it.',
  },
  'sasl.password': {
    type: 'password',
    default: null,
    importance: 'medium',
    doc: 'Password for PLAIN and SCRAM, as librdkafka calls it.',
  },
  'sasl.oauthbearer.token.endpoint.url': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Where tokens for OAUTHBEARER are asked for, by client credentials.',
  },
  'sasl.oauthbearer.client.credentials.client.id': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'The name that tokens are asked for with (KIP-1139); clientId of sasl.jaas.config means the same.',
  },
  'sasl.oauthbearer.client.credentials.client.secret': {
    type: 'password',
    default: null,
    importance: 'medium',
    doc: 'The secret that tokens are asked for with (KIP-1139); clientSecret of sasl.jaas.config means the same.',
  },
  'sasl.oauthbearer.scope': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'What the tokens are to be good for; scope of sasl.jaas.config means the same.',
  },
  'sasl.login.refresh.window.factor': {
    type: 'double',
    default: 0.8,
    importance: 'low',
    doc: "The share of a token's life after which the next connection, or session, asks for a new one.",
    valid: between(0.5, 1),
  },
  'sasl.login.refresh.window.jitter': {
    type: 'double',
    default: 0.05,
    importance: 'low',
    doc: 'Up to so much more of its life, by chance, so that clients do not ask for tokens together.',
    valid: between(0, 0.25),
  },
  'sasl.login.refresh.min.period.seconds': {
    type: 'short',
    default: 60,
    importance: 'low',
    doc: 'A token serves for so long at least, where it lasts for that and for sasl.login.refresh.buffer.seconds.',
    valid: between(0, 900),
  },
  'sasl.login.refresh.buffer.seconds': {
    type: 'short',
    default: 300,
    importance: 'low',
    doc: 'A new token is asked for so long before the end of the old one at the latest.',
    valid: between(0, 3_600),
  },
  'sasl.login.connect.timeout.ms': {
    type: 'int',
    default: null,
    importance: 'low',
    doc: 'How long connecting to the token endpoint may take; as long as the whole question when left out.',
    valid: atLeast(1),
  },
  'sasl.login.read.timeout.ms': {
    type: 'int',
    default: null,
    importance: 'low',
    doc: 'How long the token endpoint may say nothing; as long as the whole question may take, which is socket.connection.setup.timeout.ms, when left out.',
    valid: atLeast(1),
  },
  'sasl.login.retry.backoff.ms': {
    type: 'long',
    default: 100,
    importance: 'low',
    doc: 'Pause before the token endpoint is asked again that could not be reached, or was overloaded; it doubles from try to try.',
    valid: atLeast(0),
  },
  'sasl.login.retry.backoff.max.ms': {
    type: 'long',
    default: 10_000,
    importance: 'low',
    doc: 'For how long the token endpoint is asked again.',
    valid: atLeast(0),
  },
} as const satisfies ConfigTable

/** How clients talk to brokers, with Java's names and defaults (CommonClientConfigs, SslConfigs, SaslConfigs) where it has them. */
export const clientSecurityKeys = {
  'security.protocol': {
    type: 'string',
    default: 'PLAINTEXT',
    importance: 'medium',
    doc: 'PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL: whether connections are encrypted, and whether they begin with SASL.',
    valid: oneOfAnyCase('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
  },
  ...tlsKeys,
  ...saslKeys,
} as const satisfies ConfigTable
