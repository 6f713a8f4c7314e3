/**
 * Kafka's error codes, as they go over the wire, through Kafka 4.3: `[name, code, retriable, message]`. Names, numbers and what may be
 * retried are Kafka's (`org.apache.kafka.common.protocol.Errors`); the messages are ours.
 */
const TABLE = [
  ['UNKNOWN_SERVER_ERROR', -1, false, 'the broker met an error that it did not expect'],
  ['NONE', 0, false, 'no error'],
  ['OFFSET_OUT_OF_RANGE', 1, false, 'no record has the requested offset'],
  ['CORRUPT_MESSAGE', 2, true, 'the record batch is damaged or not allowed in this topic'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 3, true, 'this broker has no such topic or partition'],
  ['INVALID_FETCH_SIZE', 4, false, 'the fetch size is not allowed'],
  ['LEADER_NOT_AVAILABLE', 5, true, 'the partition has no leader at present'],
  [
    'NOT_LEADER_OR_FOLLOWER',
    6,
    true,
    'this broker is neither leader nor, where one would do, follower of the partition',
  ],
  ['REQUEST_TIMED_OUT', 7, true, 'the request took too long'],
  ['BROKER_NOT_AVAILABLE', 8, false, 'the broker is not reachable'],
  ['REPLICA_NOT_AVAILABLE', 9, true, 'the replica is not available'],
  ['MESSAGE_TOO_LARGE', 10, false, 'the record is larger than the broker accepts'],
  ['STALE_CONTROLLER_EPOCH', 11, false, 'the controller epoch is out of date'],
  ['OFFSET_METADATA_TOO_LARGE', 12, false, 'the metadata string of the offset is too long'],
  ['NETWORK_EXCEPTION', 13, true, 'the connection was lost before the answer came'],
  ['COORDINATOR_LOAD_IN_PROGRESS', 14, true, 'the coordinator is still loading'],
  ['COORDINATOR_NOT_AVAILABLE', 15, true, 'the coordinator is not available'],
  ['NOT_COORDINATOR', 16, true, 'another broker is the coordinator'],
  ['INVALID_TOPIC_EXCEPTION', 17, false, 'the topic name is not allowed, or the topic is internal'],
  ['RECORD_LIST_TOO_LARGE', 18, false, 'the record batch is larger than a segment of the topic may be'],
  ['NOT_ENOUGH_REPLICAS', 19, true, 'fewer replicas are in sync than the topic asks for'],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 20, true, 'written, but to fewer replicas in sync than the topic asks for'],
  ['INVALID_REQUIRED_ACKS', 21, false, 'required acks must be -1, 0 or 1'],
  ['ILLEGAL_GENERATION', 22, false, 'the generation of the group is another'],
  ['INCONSISTENT_GROUP_PROTOCOL', 23, false, "the member's protocols do not fit those of its group"],
  ['INVALID_GROUP_ID', 24, false, 'the group id is not allowed'],
  ['UNKNOWN_MEMBER_ID', 25, false, 'the group has no such member'],
  ['INVALID_SESSION_TIMEOUT', 26, false, 'the session timeout is outside the range that the broker allows'],
  ['REBALANCE_IN_PROGRESS', 27, false, 'the group rebalances: join again'],
  ['INVALID_COMMIT_OFFSET_SIZE', 28, false, 'the committed offset is too large'],
  ['TOPIC_AUTHORIZATION_FAILED', 29, false, 'not authorized for the topic'],
  ['GROUP_AUTHORIZATION_FAILED', 30, false, 'not authorized for the group'],
  ['CLUSTER_AUTHORIZATION_FAILED', 31, false, 'not authorized for the cluster'],
  ['INVALID_TIMESTAMP', 32, false, 'the timestamp is outside the range that the topic accepts'],
  ['UNSUPPORTED_SASL_MECHANISM', 33, false, 'the broker does not offer this SASL mechanism'],
  ['ILLEGAL_SASL_STATE', 34, false, 'the request does not fit the state of the SASL exchange'],
  ['UNSUPPORTED_VERSION', 35, false, 'the broker does not know this version of the API'],
  ['TOPIC_ALREADY_EXISTS', 36, false, 'the topic exists already'],
  ['INVALID_PARTITIONS', 37, false, 'the number of partitions is not allowed'],
  ['INVALID_REPLICATION_FACTOR', 38, false, 'the replication factor is below 1 or above the number of brokers'],
  ['INVALID_REPLICA_ASSIGNMENT', 39, false, 'the replica assignment is not allowed'],
  ['INVALID_CONFIG', 40, false, 'the configuration is not valid'],
  ['NOT_CONTROLLER', 41, true, 'another broker is the controller'],
  ['INVALID_REQUEST', 42, false, 'the request contradicts itself or cannot be read'],
  ['UNSUPPORTED_FOR_MESSAGE_FORMAT', 43, false, 'the message format of the topic does not allow this'],
  ['POLICY_VIOLATION', 44, false, 'a policy of the cluster forbids it'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 45, false, 'a batch of this producer is missing before this one'],
  ['DUPLICATE_SEQUENCE_NUMBER', 46, false, 'the batch is already in the log'],
  ['INVALID_PRODUCER_EPOCH', 47, false, 'the producer epoch is out of date'],
  ['INVALID_TXN_STATE', 48, false, 'the transaction is in a state that does not allow this'],
  ['INVALID_PRODUCER_ID_MAPPING', 49, false, 'the producer id does not belong to the transactional id'],
  ['INVALID_TRANSACTION_TIMEOUT', 50, false, 'the transaction timeout is longer than the broker allows'],
  ['CONCURRENT_TRANSACTIONS', 51, true, 'another operation on the same transaction is under way'],
  ['TRANSACTION_COORDINATOR_FENCED', 52, false, 'the transaction coordinator has been replaced'],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 53, false, 'not authorized for the transactional id'],
  ['SECURITY_DISABLED', 54, false, 'security features are not enabled'],
  ['OPERATION_NOT_ATTEMPTED', 55, false, 'not tried, since another part of the request failed'],
  ['KAFKA_STORAGE_ERROR', 56, true, 'a disk of the broker failed'],
  ['LOG_DIR_NOT_FOUND', 57, false, 'the broker has no such log directory'],
  ['SASL_AUTHENTICATION_FAILED', 58, false, 'SASL authentication failed'],
  ['UNKNOWN_PRODUCER_ID', 59, false, 'the broker holds no state of this producer id'],
  ['REASSIGNMENT_IN_PROGRESS', 60, false, 'the partition is being reassigned'],
  ['DELEGATION_TOKEN_AUTH_DISABLED', 61, false, 'delegation tokens are not enabled'],
  ['DELEGATION_TOKEN_NOT_FOUND', 62, false, 'no such delegation token'],
  ['DELEGATION_TOKEN_OWNER_MISMATCH', 63, false, 'the principal neither owns nor may renew the token'],
  [
    'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED',
    64,
    false,
    'delegation tokens cannot be asked for on this kind of connection',
  ],
  ['DELEGATION_TOKEN_AUTHORIZATION_FAILED', 65, false, 'not authorized for the delegation token'],
  ['DELEGATION_TOKEN_EXPIRED', 66, false, 'the delegation token has expired'],
  ['INVALID_PRINCIPAL_TYPE', 67, false, 'the type of the principal is not supported'],
  ['NON_EMPTY_GROUP', 68, false, 'the group still has members'],
  ['GROUP_ID_NOT_FOUND', 69, false, 'no such group'],
  ['FETCH_SESSION_ID_NOT_FOUND', 70, true, 'the broker has no such fetch session'],
  ['INVALID_FETCH_SESSION_EPOCH', 71, true, 'the epoch of the fetch session is another'],
  ['LISTENER_NOT_FOUND', 72, true, 'the leader has no listener of the name that the request came in by'],
  ['TOPIC_DELETION_DISABLED', 73, false, 'deletion of topics is disabled'],
  ['FENCED_LEADER_EPOCH', 74, true, "the leader epoch of the request is behind the broker's"],
  ['UNKNOWN_LEADER_EPOCH', 75, true, "the leader epoch of the request is ahead of the broker's"],
  ['UNSUPPORTED_COMPRESSION_TYPE', 76, false, 'the client cannot read the compression of the partition'],
  ['STALE_BROKER_EPOCH', 77, false, 'the broker epoch is out of date'],
  ['OFFSET_NOT_AVAILABLE', 78, true, 'the new leader does not know its high watermark yet'],
  ['MEMBER_ID_REQUIRED', 79, false, 'join again with the member id that came back'],
  ['PREFERRED_LEADER_NOT_AVAILABLE', 80, true, 'the preferred leader is not available'],
  ['GROUP_MAX_SIZE_REACHED', 81, false, 'the group is full'],
  ['FENCED_INSTANCE_ID', 82, false, 'another member has taken over the group instance id'],
  ['ELIGIBLE_LEADERS_NOT_AVAILABLE', 83, true, 'no replica that may lead is available'],
  ['ELECTION_NOT_NEEDED', 84, true, 'the partition has the wanted leader already'],
  ['NO_REASSIGNMENT_IN_PROGRESS', 85, false, 'no reassignment is under way'],
  ['GROUP_SUBSCRIBED_TO_TOPIC', 86, false, 'a member of the group is subscribed to the topic'],
  ['INVALID_RECORD', 87, false, 'the broker refused the record'],
  ['UNSTABLE_OFFSET_COMMIT', 88, true, 'offsets of an open transaction are pending'],
  ['THROTTLING_QUOTA_EXCEEDED', 89, true, 'the quota is used up'],
  ['PRODUCER_FENCED', 90, false, 'a newer producer has the same transactional id'],
  ['RESOURCE_NOT_FOUND', 91, false, 'no such resource'],
  ['DUPLICATE_RESOURCE', 92, false, 'the resource is named twice'],
  ['UNACCEPTABLE_CREDENTIAL', 93, false, 'the credential is not acceptable'],
  ['INCONSISTENT_VOTER_SET', 94, false, 'sender or receiver is not among the voters'],
  ['INVALID_UPDATE_VERSION', 95, false, 'the version of the update is not valid'],
  ['FEATURE_UPDATE_FAILED', 96, false, 'the feature could not be updated'],
  ['PRINCIPAL_DESERIALIZATION_FAILURE', 97, false, 'the forwarded principal cannot be read'],
  ['SNAPSHOT_NOT_FOUND', 98, false, 'no such snapshot'],
  ['POSITION_OUT_OF_RANGE', 99, false, 'the position is outside the snapshot'],
  ['UNKNOWN_TOPIC_ID', 100, true, 'this broker has no topic of this id'],
  ['DUPLICATE_BROKER_REGISTRATION', 101, false, 'the broker id is in use'],
  ['BROKER_ID_NOT_REGISTERED', 102, false, 'the broker id is not registered'],
  ['INCONSISTENT_TOPIC_ID', 103, true, "the log's topic id is another"],
  ['INCONSISTENT_CLUSTER_ID', 104, false, 'the cluster id is another'],
  ['TRANSACTIONAL_ID_NOT_FOUND', 105, false, 'no such transactional id'],
  ['FETCH_SESSION_TOPIC_ID_ERROR', 106, true, 'the fetch session mixes topic ids and names'],
  ['INELIGIBLE_REPLICA', 107, false, 'the new in-sync set holds a replica that may not be in it'],
  ['NEW_LEADER_ELECTED', 108, false, 'done, and another replica leads now'],
  ['OFFSET_MOVED_TO_TIERED_STORAGE', 109, false, 'the offset is in tiered storage'],
  ['FENCED_MEMBER_EPOCH', 110, false, 'the member epoch is out of date: join again'],
  ['UNRELEASED_INSTANCE_ID', 111, false, 'another member still holds the instance id'],
  ['UNSUPPORTED_ASSIGNOR', 112, false, 'the group does not support the assignor'],
  ['STALE_MEMBER_EPOCH', 113, false, 'the member epoch is out of date: retry with the one of the last heartbeat'],
  ['MISMATCHED_ENDPOINT_TYPE', 114, false, 'the endpoint is of another type'],
  ['UNSUPPORTED_ENDPOINT_TYPE', 115, false, 'the type of endpoint is not supported'],
  ['UNKNOWN_CONTROLLER_ID', 116, false, 'no such controller'],
  ['UNKNOWN_SUBSCRIPTION_ID', 117, false, 'the telemetry subscription is out of date'],
  ['TELEMETRY_TOO_LARGE', 118, false, 'the telemetry is larger than the broker accepts'],
  ['INVALID_REGISTRATION', 119, false, 'the registration of the broker is not valid'],
  ['TRANSACTION_ABORTABLE', 120, false, 'the transaction failed and can be aborted'],
  ['INVALID_RECORD_STATE', 121, false, 'the record is in a state that does not allow this'],
  ['SHARE_SESSION_NOT_FOUND', 122, true, 'the broker has no such share session'],
  ['INVALID_SHARE_SESSION_EPOCH', 123, true, 'the epoch of the share session is another'],
  ['FENCED_STATE_EPOCH', 124, false, 'the state epoch of the share group is another'],
  ['INVALID_VOTER_KEY', 125, false, 'the key of the voter is another'],
  ['DUPLICATE_VOTER', 126, false, 'the voter is in the set already'],
  ['VOTER_NOT_FOUND', 127, false, 'the voter is not in the set'],
  ['INVALID_REGULAR_EXPRESSION', 128, false, 'the regular expression is not valid'],
  ['REBOOTSTRAP_REQUIRED', 129, false, "the client's metadata is too old: bootstrap again"],
  ['STREAMS_INVALID_TOPOLOGY', 130, false, 'the topology is not valid'],
  ['STREAMS_INVALID_TOPOLOGY_EPOCH', 131, false, 'the topology epoch is not valid'],
  ['STREAMS_TOPOLOGY_FENCED', 132, false, 'the topology epoch is out of date'],
  ['SHARE_SESSION_LIMIT_REACHED', 133, true, 'the broker holds as many share sessions as it may'],
] as const

/** What only a client can know, and what goes over no wire: there it would be UNKNOWN_SERVER_ERROR. */
export const CLIENT_ERRORS = {
  SSL_AUTHENTICATION_FAILED: 'the TLS handshake failed',
} as const

/** `'NOT_LEADER_OR_FOLLOWER'` and its like. */
export type ErrorName = (typeof TABLE)[number][0] | keyof typeof CLIENT_ERRORS

/** Names of the errors that have a code of their own, in the order of the codes. */
export const ERROR_NAMES: readonly ErrorName[] = TABLE.map(([name]) => name)

/** Numbers by name: `ErrorCode.NOT_LEADER_OR_FOLLOWER` is 6. */
export const ErrorCode = Object.fromEntries([
  ...TABLE.map(([name, code]) => [name, code]),
  ...Object.keys(CLIENT_ERRORS).map(name => [name, -1]),
]) as { readonly [Row in (typeof TABLE)[number] as Row[0]]: Row[1] } & {
  readonly [Name in keyof typeof CLIENT_ERRORS]: -1
}

interface ErrorRow {
  readonly name: ErrorName
  readonly retriable: boolean
  readonly message: string
}

const byCode = new Map<number, ErrorRow>(
  TABLE.map(([name, code, retriable, message]) => [code, { name, retriable, message }]),
)

/** The name of a code; as in Kafka, a code that is not known is taken for UNKNOWN_SERVER_ERROR. */
export function errorName(code: number): ErrorName {
  return byCode.get(code)?.name ?? 'UNKNOWN_SERVER_ERROR'
}

/** The message of an error where there is nothing more exact to say. */
export function errorMessage(name: ErrorName): string {
  if (Object.hasOwn(CLIENT_ERRORS, name)) return CLIENT_ERRORS[name as keyof typeof CLIENT_ERRORS]
  return byCode.get(ErrorCode[name])?.message ?? ''
}

/** Errors after which a client cannot go on and has to be closed. */
const FATAL: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'PRODUCER_FENCED',
  'TRANSACTION_COORDINATOR_FENCED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'FENCED_INSTANCE_ID',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
  'SSL_AUTHENTICATION_FAILED',
])

/** Messages quote what clients sent; beyond this they would not fit in the answer's string, or in a line of the log. */
const MAX_MESSAGE = 2_000

/** An expected failure that has a code on the wire. Its message is cut to a length that fits every answer. */
export class KafkaError extends Error {
  /** Stable: what to match on. */
  readonly code: ErrorName
  /** The number on the wire. */
  readonly errorCode: number
  /** The same request may succeed later. */
  readonly retriable: boolean

  constructor(code: ErrorName, message: string = errorMessage(code), options?: { readonly cause?: unknown }) {
    super(message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}...` : message, options)
    this.name = 'KafkaError'
    this.code = code
    this.errorCode = ErrorCode[code]
    this.retriable = byCode.get(this.errorCode)?.retriable ?? false
  }

  /** A client that got this error can do nothing any more: close it. */
  get fatal(): boolean {
    return FATAL.has(this.code)
  }

  /** What was thrown, as a KafkaError: UNKNOWN_SERVER_ERROR with the cause where it is none. */
  static from(thrown: unknown): KafkaError {
    return thrown instanceof KafkaError
      ? thrown
      : new KafkaError('UNKNOWN_SERVER_ERROR', String(thrown), { cause: thrown })
  }

  /** For a code that came over the wire, with the message beside it where there was one. */
  static fromCode(errorCode: number, message?: string | null): KafkaError {
    return new KafkaError(errorName(errorCode), message ?? undefined)
  }
}

/** Bytes that are no message. Nothing that follows them on a connection can be trusted: the connection is to be closed. */
export class MalformedError extends KafkaError {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super('INVALID_REQUEST', message, options)
    this.name = 'MalformedError'
  }
}
