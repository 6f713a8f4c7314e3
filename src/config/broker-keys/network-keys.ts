import type { ConfigTable } from '../config-def.ts'
import { atLeast } from '../validators.ts'

/** Listeners, sockets and connections. */
export const networkKeys = {
  listeners: {
    type: 'string',
    default: 'PLAINTEXT://127.0.0.1:9092',
    importance: 'high',
    update: 'per-broker',
    doc:
      'Addresses to listen on, as NAME://host:port separated by commas; when unset Monedula binds ' +
      'PLAINTEXT://127.0.0.1:9092 (Kafka: every interface). An empty host means every interface.',
  },
  'advertised.listeners': {
    type: 'string',
    default: null,
    importance: 'high',
    update: 'per-broker',
    doc:
      'Addresses that clients are told to connect to, when they differ from listeners; 0.0.0.0 is not one that a ' +
      'client could use.',
  },
  'listener.security.protocol.map': {
    type: 'string',
    default: 'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    importance: 'low',
    update: 'per-broker',
    doc:
      'Security protocol of each listener name, as NAME:PROTOCOL separated by commas; PLAINTEXT is the only ' +
      'protocol served so far.',
  },
  'control.plane.listener.name': {
    type: 'string',
    default: null,
    importance: 'high',
    doc:
      'Listener that carries the requests of the controller to the brokers, when they shall have one to ' +
      'themselves.',
  },
  'early.start.listeners': {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'Listeners that open before the authorizer is ready.',
  },
  'socket.send.buffer.bytes': {
    type: 'int',
    default: 102400,
    importance: 'high',
    doc: 'Send buffer (SO_SNDBUF) of server sockets; -1 leaves it to the system.',
  },
  'socket.receive.buffer.bytes': {
    type: 'int',
    default: 102400,
    importance: 'high',
    doc: 'Receive buffer (SO_RCVBUF) of server sockets; -1 leaves it to the system.',
  },
  'socket.request.max.bytes': {
    type: 'int',
    default: 104857600,
    valid: atLeast(1),
    importance: 'high',
    doc: 'Largest request accepted; a connection that announces a larger one is closed.',
  },
  'socket.listen.backlog.size': {
    type: 'int',
    default: 50,
    valid: atLeast(1),
    importance: 'medium',
    doc: 'Connections that may wait to be accepted; the system may cap it.',
  },
  'socket.connection.setup.timeout.ms': {
    type: 'long',
    default: 10000,
    importance: 'medium',
    doc: 'How long a connection to another server may take to open, the first time.',
  },
  'socket.connection.setup.timeout.max.ms': {
    type: 'long',
    default: 30000,
    importance: 'medium',
    doc: 'Ceiling to which that time grows, doubling with every failure in a row.',
  },
  'num.network.threads': {
    type: 'int',
    default: 3,
    valid: atLeast(1),
    importance: 'high',
    update: 'cluster-wide',
    doc:
      "Kafka's network threads per listener; read for compatibility, since one event loop serves all sockets " +
      'here.',
  },
  'queued.max.requests': {
    type: 'int',
    default: 500,
    valid: atLeast(1),
    importance: 'high',
    doc: 'Requests that may wait to be handled before connections stop being read.',
  },
  'queued.max.request.bytes': {
    type: 'long',
    default: -1,
    importance: 'medium',
    doc:
      'Bytes of requests that may wait to be handled before connections stop being read; -1 is no limit of its ' +
      'own.',
  },
  'max.connections': {
    type: 'int',
    default: 2147483647,
    valid: atLeast(0),
    importance: 'medium',
    update: 'cluster-wide',
    doc: 'Most connections at a time; also per listener, as listener.name.NAME.max.connections.',
  },
  'max.connections.per.ip': {
    type: 'int',
    default: 2147483647,
    valid: atLeast(0),
    importance: 'medium',
    update: 'cluster-wide',
    doc: 'Most connections at a time from one address; 0 only together with overrides.',
  },
  'max.connections.per.ip.overrides': {
    type: 'string',
    default: '',
    importance: 'medium',
    update: 'cluster-wide',
    doc: 'Other limits for named addresses, as host:count separated by commas.',
  },
  'max.connection.creation.rate': {
    type: 'int',
    default: 2147483647,
    valid: atLeast(0),
    importance: 'medium',
    update: 'cluster-wide',
    doc: 'Most new connections a second; also per listener, as listener.name.NAME.max.connection.creation.rate.',
  },
  'connections.max.idle.ms': {
    type: 'long',
    default: 600000,
    importance: 'medium',
    doc: 'A connection without traffic for this long is closed; a negative value keeps idle connections.',
  },
  'connection.failed.authentication.delay.ms': {
    type: 'int',
    default: 100,
    valid: atLeast(0),
    importance: 'low',
    doc:
      'How long a failed login waits for its answer and close, which slows guessing; less than ' +
      'connections.max.idle.ms.',
  },
} satisfies ConfigTable
