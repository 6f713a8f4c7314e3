import { type ErrorName, KafkaError } from '../../protocol/index.ts'

/** What a refused append of a group's metadata is to the clients that wait for it (Kafka's `storeGroup`). */
export function groupStoreError(error: unknown): ErrorName {
  switch (codeOf(error)) {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'NOT_ENOUGH_REPLICAS':
    case 'NOT_ENOUGH_REPLICAS_AFTER_APPEND':
      return 'COORDINATOR_NOT_AVAILABLE'
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'KAFKA_STORAGE_ERROR':
      return 'NOT_COORDINATOR'
    case 'REQUEST_TIMED_OUT':
      return 'REBALANCE_IN_PROGRESS'
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
    case 'INVALID_FETCH_SIZE':
      return 'UNKNOWN_SERVER_ERROR'
    default:
      return codeOf(error)
  }
}

/** What a refused append of offsets is to the client (Kafka's `maybeConvertOffsetCommitError`). */
export function offsetCommitError(error: unknown): ErrorName {
  switch (codeOf(error)) {
    case 'NETWORK_EXCEPTION':
      return 'COORDINATOR_LOAD_IN_PROGRESS'
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'NOT_ENOUGH_REPLICAS':
    case 'NOT_ENOUGH_REPLICAS_AFTER_APPEND':
      return 'COORDINATOR_NOT_AVAILABLE'
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'KAFKA_STORAGE_ERROR':
      return 'NOT_COORDINATOR'
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
    case 'INVALID_FETCH_SIZE':
      return 'INVALID_COMMIT_OFFSET_SIZE'
    default:
      return codeOf(error)
  }
}

/** The name of what was thrown; anything that is no KafkaError is UNKNOWN_SERVER_ERROR. */
export function codeOf(error: unknown): ErrorName {
  return error instanceof KafkaError ? error.code : 'UNKNOWN_SERVER_ERROR'
}
