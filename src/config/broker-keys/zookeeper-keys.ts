import type { ConfigTable } from '../config-def.ts'
import { atLeast } from '../validators.ts'

/** The connection to ZooKeeper. */
export const zookeeperKeys = {
  'zookeeper.connect': {
    type: 'string',
    default: null,
    importance: 'high',
    doc:
      'ZooKeeper servers as host:port separated by commas, with an optional path below which all is kept; ' +
      'without it Monedula keeps its metadata in an embedded store.',
  },
  'zookeeper.session.timeout.ms': {
    type: 'int',
    default: 18000,
    importance: 'high',
    doc: 'Session timeout with ZooKeeper; a broker silent for longer counts as dead.',
  },
  'zookeeper.connection.timeout.ms': {
    type: 'int',
    default: null,
    importance: 'high',
    doc: 'How long the first connection to ZooKeeper may take; unset, as the session timeout.',
  },
  'zookeeper.max.in.flight.requests': {
    type: 'int',
    default: 10,
    valid: atLeast(1),
    importance: 'high',
    doc: 'Requests that may be under way to ZooKeeper before the next waits.',
  },
  'zookeeper.set.acl': {
    type: 'boolean',
    default: false,
    importance: 'high',
    doc: "Protects the broker's nodes in ZooKeeper by ACLs.",
  },
  'zookeeper.clientCnxnSocket': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Java class of the connection; TLS needs the Netty one there, without effect here.',
  },
  'zookeeper.ssl.client.enable': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Connects to ZooKeeper over TLS.',
  },
  'zookeeper.ssl.keystore.location': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: "File with this broker's key and certificate for ZooKeeper.",
  },
  'zookeeper.ssl.keystore.password': {
    type: 'password',
    default: null,
    importance: 'medium',
    doc: 'Password of that file.',
  },
  'zookeeper.ssl.keystore.type': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Format of that file; unset, its extension decides.',
  },
  'zookeeper.ssl.truststore.location': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'File with the certificates trusted for ZooKeeper.',
  },
  'zookeeper.ssl.truststore.password': {
    type: 'password',
    default: null,
    importance: 'medium',
    doc: 'Password of that file.',
  },
  'zookeeper.ssl.truststore.type': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Format of that file; unset, its extension decides.',
  },
  'zookeeper.ssl.protocol': {
    type: 'string',
    default: 'TLSv1.2',
    importance: 'low',
    doc: 'TLS version towards ZooKeeper.',
  },
  'zookeeper.ssl.enabled.protocols': {
    type: 'list',
    default: null,
    importance: 'low',
    doc: 'TLS versions that may be negotiated with ZooKeeper; unset, the one of zookeeper.ssl.protocol.',
  },
  'zookeeper.ssl.cipher.suites': {
    type: 'list',
    default: null,
    importance: 'low',
    doc: "Cipher suites that may be negotiated with ZooKeeper; unset, the platform's own list.",
  },
  'zookeeper.ssl.endpoint.identification.algorithm': {
    type: 'string',
    default: 'HTTPS',
    importance: 'low',
    doc: "How ZooKeeper's name is checked against its certificate: HTTPS, or empty for not at all.",
  },
  'zookeeper.ssl.crl.enable': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: "Checks revocation lists for ZooKeeper's certificate.",
  },
  'zookeeper.ssl.ocsp.enable': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: "Checks ZooKeeper's certificate by OCSP.",
  },
  'zookeeper.metadata.migration.enable': {
    type: 'boolean',
    default: false,
    importance: 'high',
    doc: 'Starts moving metadata from ZooKeeper to KRaft; refused, there is no KRaft here.',
  },
  'zookeeper.metadata.migration.min.batch.size': {
    type: 'int',
    default: 200,
    valid: atLeast(1),
    importance: 'medium',
    internal: true,
    doc: 'Smallest batch of such a move.',
  },
} satisfies ConfigTable
