/**
 * The operations that a client is told it may do (KIP-430), as bit fields. Without an authorizer everybody may do all
 * that a kind of resource knows; the bits are Kafka's AclOperation codes.
 */
const READ = 1 << 3
const WRITE = 1 << 4
const CREATE = 1 << 5
const DELETE = 1 << 6
const ALTER = 1 << 7
const DESCRIBE = 1 << 8
const CLUSTER_ACTION = 1 << 9
const DESCRIBE_CONFIGS = 1 << 10
const ALTER_CONFIGS = 1 << 11
const IDEMPOTENT_WRITE = 1 << 12

export const AuthorizedOperations = {
  /** The client did not ask. */
  NOT_REQUESTED: -0x8000_0000,
  TOPIC: READ | WRITE | CREATE | DELETE | ALTER | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS,
  GROUP: READ | DELETE | DESCRIBE,
  CLUSTER: CREATE | ALTER | DESCRIBE | CLUSTER_ACTION | DESCRIBE_CONFIGS | ALTER_CONFIGS | IDEMPOTENT_WRITE,
} as const
