/** What simulated clients say, each from its oldest version to its newest. */
import * as p from '../../../src/protocol/everything.ts'

export const PRODUCE = [p.ProduceRequest, p.ProduceResponse, 0, 13] as const
export const FETCH = [p.FetchRequest, p.FetchResponse, 0, 18] as const
export const LIST_OFFSETS = [p.ListOffsetsRequest, p.ListOffsetsResponse, 1, 11] as const
export const OFFSET_COMMIT = [p.OffsetCommitRequest, p.OffsetCommitResponse, 1, 10] as const
export const OFFSET_FETCH = [p.OffsetFetchRequest, p.OffsetFetchResponse, 1, 10] as const
export const FIND_COORDINATOR = [p.FindCoordinatorRequest, p.FindCoordinatorResponse, 1, 3] as const
export const JOIN_GROUP = [p.JoinGroupRequest, p.JoinGroupResponse, 0, 9] as const
export const SYNC_GROUP = [p.SyncGroupRequest, p.SyncGroupResponse, 0, 5] as const
export const HEARTBEAT = [p.HeartbeatRequest, p.HeartbeatResponse, 0, 4] as const
export const LEAVE_GROUP = [p.LeaveGroupRequest, p.LeaveGroupResponse, 0, 5] as const
export const CREATE_TOPICS = [p.CreateTopicsRequest, p.CreateTopicsResponse, 0, 7] as const
export const DELETE_TOPICS = [p.DeleteTopicsRequest, p.DeleteTopicsResponse, 0, 5] as const
export const DELETE_RECORDS = [p.DeleteRecordsRequest, p.DeleteRecordsResponse, 0, 2] as const
export const CREATE_PARTITIONS = [p.CreatePartitionsRequest, p.CreatePartitionsResponse, 0, 3] as const
export const ALTER_CONFIGS = [p.IncrementalAlterConfigsRequest, p.IncrementalAlterConfigsResponse, 0, 1] as const
export const INIT_PRODUCER_ID = [p.InitProducerIdRequest, p.InitProducerIdResponse, 0, 5] as const
export const ADD_PARTITIONS = [p.AddPartitionsToTxnRequest, p.AddPartitionsToTxnResponse, 0, 3] as const
export const ADD_OFFSETS = [p.AddOffsetsToTxnRequest, p.AddOffsetsToTxnResponse, 0, 4] as const
export const TXN_OFFSET_COMMIT = [p.TxnOffsetCommitRequest, p.TxnOffsetCommitResponse, 0, 4] as const
export const END_TXN = [p.EndTxnRequest, p.EndTxnResponse, 0, 4] as const
export const API_VERSIONS = [p.ApiVersionsRequest, p.ApiVersionsResponse, 3, 4] as const
export const UPDATE_FEATURES = [p.UpdateFeaturesRequest, p.UpdateFeaturesResponse, 0, 1] as const
export const METADATA = [p.MetadataRequest, p.MetadataResponse, 10, 13] as const
export const ALTER_LOG_DIRS = [p.AlterReplicaLogDirsRequest, p.AlterReplicaLogDirsResponse, 0, 2] as const
export const DESCRIBE_LOG_DIRS = [p.DescribeLogDirsRequest, p.DescribeLogDirsResponse, 0, 5] as const
export const DESCRIBE_PRODUCERS = [p.DescribeProducersRequest, p.DescribeProducersResponse, 0, 0] as const
export const WRITE_MARKERS = [p.WriteTxnMarkersRequest, p.WriteTxnMarkersResponse, 0, 1] as const

/** A request, its response, and the versions in which both are spoken. */
export type Api<Q extends p.Schema = p.Schema, S extends p.Schema = p.Schema> = readonly [
  request: Q,
  response: S,
  oldest: number,
  newest: number,
]

/** By which protocol transactions go: in the second each has an epoch, and what is written first brings its partition (KIP-890). */
export const FIRST_PROTOCOL = {
  isSecond: false,
  produce: [p.ProduceRequest, p.ProduceResponse, 0, 11],
  commitOffsets: TXN_OFFSET_COMMIT,
  end: END_TXN,
} as const
export const SECOND_PROTOCOL = {
  isSecond: true,
  produce: [p.ProduceRequest, p.ProduceResponse, 12, 13],
  commitOffsets: [p.TxnOffsetCommitRequest, p.TxnOffsetCommitResponse, 5, 5],
  end: [p.EndTxnRequest, p.EndTxnResponse, 5, 5],
} as const

export type TransactionProtocol = typeof FIRST_PROTOCOL | typeof SECOND_PROTOCOL

/** An API as those speak it who need what came with a version. */
export function since<Q extends p.Schema, S extends p.Schema>(api: Api<Q, S>, version: number): Api<Q, S> {
  return [api[0], api[1], Math.max(api[2], version), api[3]]
}

const { ErrorCode } = p

/** Asking again may help. */
export const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.NOT_CONTROLLER,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNSTABLE_OFFSET_COMMIT,
])

/** Nothing was done, and nothing will be. */
export const REFUSED: ReadonlySet<number> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ErrorCode.INVALID_TXN_STATE,
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.TRANSACTION_ABORTABLE,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
])
