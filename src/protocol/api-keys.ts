/** Every API of the protocol by key: the one list from which everything else is derived. */
import { ProduceRequest, ProduceResponse } from './messages/00-produce.ts'
import { FetchRequest, FetchResponse } from './messages/01-fetch.ts'
import { ListOffsetsRequest, ListOffsetsResponse } from './messages/02-list-offsets.ts'
import { MetadataRequest, MetadataResponse } from './messages/03-metadata.ts'
import { LeaderAndIsrRequest, LeaderAndIsrResponse } from './messages/04-leader-and-isr.ts'
import { StopReplicaRequest, StopReplicaResponse } from './messages/05-stop-replica.ts'
import { UpdateMetadataRequest, UpdateMetadataResponse } from './messages/06-update-metadata.ts'
import { ControlledShutdownRequest, ControlledShutdownResponse } from './messages/07-controlled-shutdown.ts'
import { OffsetCommitRequest, OffsetCommitResponse } from './messages/08-offset-commit.ts'
import { OffsetFetchRequest, OffsetFetchResponse } from './messages/09-offset-fetch.ts'
import { FindCoordinatorRequest, FindCoordinatorResponse } from './messages/10-find-coordinator.ts'
import { JoinGroupRequest, JoinGroupResponse } from './messages/11-join-group.ts'
import { HeartbeatRequest, HeartbeatResponse } from './messages/12-heartbeat.ts'
import { LeaveGroupRequest, LeaveGroupResponse } from './messages/13-leave-group.ts'
import { SyncGroupRequest, SyncGroupResponse } from './messages/14-sync-group.ts'
import { DescribeGroupsRequest, DescribeGroupsResponse } from './messages/15-describe-groups.ts'
import { ListGroupsRequest, ListGroupsResponse } from './messages/16-list-groups.ts'
import { SaslHandshakeRequest, SaslHandshakeResponse } from './messages/17-sasl-handshake.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from './messages/18-api-versions.ts'
import { CreateTopicsRequest, CreateTopicsResponse } from './messages/19-create-topics.ts'
import { DeleteTopicsRequest, DeleteTopicsResponse } from './messages/20-delete-topics.ts'
import { DeleteRecordsRequest, DeleteRecordsResponse } from './messages/21-delete-records.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from './messages/22-init-producer-id.ts'
import { OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse } from './messages/23-offset-for-leader-epoch.ts'
import { AddPartitionsToTxnRequest, AddPartitionsToTxnResponse } from './messages/24-add-partitions-to-txn.ts'
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from './messages/25-add-offsets-to-txn.ts'
import { EndTxnRequest, EndTxnResponse } from './messages/26-end-txn.ts'
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from './messages/27-write-txn-markers.ts'
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from './messages/28-txn-offset-commit.ts'
import { DescribeAclsRequest, DescribeAclsResponse } from './messages/29-describe-acls.ts'
import { CreateAclsRequest, CreateAclsResponse } from './messages/30-create-acls.ts'
import { DeleteAclsRequest, DeleteAclsResponse } from './messages/31-delete-acls.ts'
import { DescribeConfigsRequest, DescribeConfigsResponse } from './messages/32-describe-configs.ts'
import { AlterConfigsRequest, AlterConfigsResponse } from './messages/33-alter-configs.ts'
import { AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse } from './messages/34-alter-replica-log-dirs.ts'
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from './messages/35-describe-log-dirs.ts'
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from './messages/36-sasl-authenticate.ts'
import { CreatePartitionsRequest, CreatePartitionsResponse } from './messages/37-create-partitions.ts'
import { CreateDelegationTokenRequest, CreateDelegationTokenResponse } from './messages/38-create-delegation-token.ts'
import { RenewDelegationTokenRequest, RenewDelegationTokenResponse } from './messages/39-renew-delegation-token.ts'
import { ExpireDelegationTokenRequest, ExpireDelegationTokenResponse } from './messages/40-expire-delegation-token.ts'
import {
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse,
} from './messages/41-describe-delegation-token.ts'
import { DeleteGroupsRequest, DeleteGroupsResponse } from './messages/42-delete-groups.ts'
import { ElectLeadersRequest, ElectLeadersResponse } from './messages/43-elect-leaders.ts'
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from './messages/44-incremental-alter-configs.ts'
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from './messages/45-alter-partition-reassignments.ts'
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from './messages/46-list-partition-reassignments.ts'
import { OffsetDeleteRequest, OffsetDeleteResponse } from './messages/47-offset-delete.ts'
import { DescribeClientQuotasRequest, DescribeClientQuotasResponse } from './messages/48-describe-client-quotas.ts'
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from './messages/49-alter-client-quotas.ts'
import {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from './messages/50-describe-user-scram-credentials.ts'
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from './messages/51-alter-user-scram-credentials.ts'
import { VoteRequest, VoteResponse } from './messages/52-vote.ts'
import { BeginQuorumEpochRequest, BeginQuorumEpochResponse } from './messages/53-begin-quorum-epoch.ts'
import { EndQuorumEpochRequest, EndQuorumEpochResponse } from './messages/54-end-quorum-epoch.ts'
import { DescribeQuorumRequest, DescribeQuorumResponse } from './messages/55-describe-quorum.ts'
import { AlterPartitionRequest, AlterPartitionResponse } from './messages/56-alter-partition.ts'
import { UpdateFeaturesRequest, UpdateFeaturesResponse } from './messages/57-update-features.ts'
import { EnvelopeRequest, EnvelopeResponse } from './messages/58-envelope.ts'
import { FetchSnapshotRequest, FetchSnapshotResponse } from './messages/59-fetch-snapshot.ts'
import { DescribeClusterRequest, DescribeClusterResponse } from './messages/60-describe-cluster.ts'
import { DescribeProducersRequest, DescribeProducersResponse } from './messages/61-describe-producers.ts'
import { BrokerRegistrationRequest, BrokerRegistrationResponse } from './messages/62-broker-registration.ts'
import { BrokerHeartbeatRequest, BrokerHeartbeatResponse } from './messages/63-broker-heartbeat.ts'
import { UnregisterBrokerRequest, UnregisterBrokerResponse } from './messages/64-unregister-broker.ts'
import { DescribeTransactionsRequest, DescribeTransactionsResponse } from './messages/65-describe-transactions.ts'
import { ListTransactionsRequest, ListTransactionsResponse } from './messages/66-list-transactions.ts'
import { AllocateProducerIdsRequest, AllocateProducerIdsResponse } from './messages/67-allocate-producer-ids.ts'
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from './messages/68-consumer-group-heartbeat.ts'
import { ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse } from './messages/69-consumer-group-describe.ts'
import { ControllerRegistrationRequest, ControllerRegistrationResponse } from './messages/70-controller-registration.ts'
import {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from './messages/71-get-telemetry-subscriptions.ts'
import { PushTelemetryRequest, PushTelemetryResponse } from './messages/72-push-telemetry.ts'
import { AssignReplicasToDirsRequest, AssignReplicasToDirsResponse } from './messages/73-assign-replicas-to-dirs.ts'
import { ListConfigResourcesRequest, ListConfigResourcesResponse } from './messages/74-list-config-resources.ts'
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from './messages/75-describe-topic-partitions.ts'
import { ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse } from './messages/76-share-group-heartbeat.ts'
import { ShareGroupDescribeRequest, ShareGroupDescribeResponse } from './messages/77-share-group-describe.ts'
import { ShareFetchRequest, ShareFetchResponse } from './messages/78-share-fetch.ts'
import { ShareAcknowledgeRequest, ShareAcknowledgeResponse } from './messages/79-share-acknowledge.ts'
import { AddRaftVoterRequest, AddRaftVoterResponse } from './messages/80-add-raft-voter.ts'
import { RemoveRaftVoterRequest, RemoveRaftVoterResponse } from './messages/81-remove-raft-voter.ts'
import { UpdateRaftVoterRequest, UpdateRaftVoterResponse } from './messages/82-update-raft-voter.ts'
import {
  InitializeShareGroupStateRequest,
  InitializeShareGroupStateResponse,
} from './messages/83-initialize-share-group-state.ts'
import { ReadShareGroupStateRequest, ReadShareGroupStateResponse } from './messages/84-read-share-group-state.ts'
import { WriteShareGroupStateRequest, WriteShareGroupStateResponse } from './messages/85-write-share-group-state.ts'
import { DeleteShareGroupStateRequest, DeleteShareGroupStateResponse } from './messages/86-delete-share-group-state.ts'
import {
  ReadShareGroupStateSummaryRequest,
  ReadShareGroupStateSummaryResponse,
} from './messages/87-read-share-group-state-summary.ts'
import { StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse } from './messages/88-streams-group-heartbeat.ts'
import { StreamsGroupDescribeRequest, StreamsGroupDescribeResponse } from './messages/89-streams-group-describe.ts'
import {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from './messages/90-describe-share-group-offsets.ts'
import {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from './messages/91-alter-share-group-offsets.ts'
import {
  DeleteShareGroupOffsetsRequest,
  DeleteShareGroupOffsetsResponse,
} from './messages/92-delete-share-group-offsets.ts'
import type { Schema } from './schema.ts'

/** An API: a request and its response. */
export interface Api {
  readonly key: number
  /** Kafka's name, as in metrics and logs: `Fetch`. */
  readonly name: string
  readonly request: Schema
  readonly response: Schema
}

function api(request: Schema, response: Schema): Api {
  return { key: request.apiKey, name: request.name, request, response }
}

/** All of them, by ascending key. Their codecs are compiled on first use. */
export const apis: readonly Api[] = [
  api(ProduceRequest, ProduceResponse),
  api(FetchRequest, FetchResponse),
  api(ListOffsetsRequest, ListOffsetsResponse),
  api(MetadataRequest, MetadataResponse),
  api(LeaderAndIsrRequest, LeaderAndIsrResponse),
  api(StopReplicaRequest, StopReplicaResponse),
  api(UpdateMetadataRequest, UpdateMetadataResponse),
  api(ControlledShutdownRequest, ControlledShutdownResponse),
  api(OffsetCommitRequest, OffsetCommitResponse),
  api(OffsetFetchRequest, OffsetFetchResponse),
  api(FindCoordinatorRequest, FindCoordinatorResponse),
  api(JoinGroupRequest, JoinGroupResponse),
  api(HeartbeatRequest, HeartbeatResponse),
  api(LeaveGroupRequest, LeaveGroupResponse),
  api(SyncGroupRequest, SyncGroupResponse),
  api(DescribeGroupsRequest, DescribeGroupsResponse),
  api(ListGroupsRequest, ListGroupsResponse),
  api(SaslHandshakeRequest, SaslHandshakeResponse),
  api(ApiVersionsRequest, ApiVersionsResponse),
  api(CreateTopicsRequest, CreateTopicsResponse),
  api(DeleteTopicsRequest, DeleteTopicsResponse),
  api(DeleteRecordsRequest, DeleteRecordsResponse),
  api(InitProducerIdRequest, InitProducerIdResponse),
  api(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse),
  api(AddPartitionsToTxnRequest, AddPartitionsToTxnResponse),
  api(AddOffsetsToTxnRequest, AddOffsetsToTxnResponse),
  api(EndTxnRequest, EndTxnResponse),
  api(WriteTxnMarkersRequest, WriteTxnMarkersResponse),
  api(TxnOffsetCommitRequest, TxnOffsetCommitResponse),
  api(DescribeAclsRequest, DescribeAclsResponse),
  api(CreateAclsRequest, CreateAclsResponse),
  api(DeleteAclsRequest, DeleteAclsResponse),
  api(DescribeConfigsRequest, DescribeConfigsResponse),
  api(AlterConfigsRequest, AlterConfigsResponse),
  api(AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse),
  api(DescribeLogDirsRequest, DescribeLogDirsResponse),
  api(SaslAuthenticateRequest, SaslAuthenticateResponse),
  api(CreatePartitionsRequest, CreatePartitionsResponse),
  api(CreateDelegationTokenRequest, CreateDelegationTokenResponse),
  api(RenewDelegationTokenRequest, RenewDelegationTokenResponse),
  api(ExpireDelegationTokenRequest, ExpireDelegationTokenResponse),
  api(DescribeDelegationTokenRequest, DescribeDelegationTokenResponse),
  api(DeleteGroupsRequest, DeleteGroupsResponse),
  api(ElectLeadersRequest, ElectLeadersResponse),
  api(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse),
  api(AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse),
  api(ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse),
  api(OffsetDeleteRequest, OffsetDeleteResponse),
  api(DescribeClientQuotasRequest, DescribeClientQuotasResponse),
  api(AlterClientQuotasRequest, AlterClientQuotasResponse),
  api(DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse),
  api(AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse),
  api(VoteRequest, VoteResponse),
  api(BeginQuorumEpochRequest, BeginQuorumEpochResponse),
  api(EndQuorumEpochRequest, EndQuorumEpochResponse),
  api(DescribeQuorumRequest, DescribeQuorumResponse),
  api(AlterPartitionRequest, AlterPartitionResponse),
  api(UpdateFeaturesRequest, UpdateFeaturesResponse),
  api(EnvelopeRequest, EnvelopeResponse),
  api(FetchSnapshotRequest, FetchSnapshotResponse),
  api(DescribeClusterRequest, DescribeClusterResponse),
  api(DescribeProducersRequest, DescribeProducersResponse),
  api(BrokerRegistrationRequest, BrokerRegistrationResponse),
  api(BrokerHeartbeatRequest, BrokerHeartbeatResponse),
  api(UnregisterBrokerRequest, UnregisterBrokerResponse),
  api(DescribeTransactionsRequest, DescribeTransactionsResponse),
  api(ListTransactionsRequest, ListTransactionsResponse),
  api(AllocateProducerIdsRequest, AllocateProducerIdsResponse),
  api(ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse),
  api(ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse),
  api(ControllerRegistrationRequest, ControllerRegistrationResponse),
  api(GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse),
  api(PushTelemetryRequest, PushTelemetryResponse),
  api(AssignReplicasToDirsRequest, AssignReplicasToDirsResponse),
  api(ListConfigResourcesRequest, ListConfigResourcesResponse),
  api(DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse),
  api(ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse),
  api(ShareGroupDescribeRequest, ShareGroupDescribeResponse),
  api(ShareFetchRequest, ShareFetchResponse),
  api(ShareAcknowledgeRequest, ShareAcknowledgeResponse),
  api(AddRaftVoterRequest, AddRaftVoterResponse),
  api(RemoveRaftVoterRequest, RemoveRaftVoterResponse),
  api(UpdateRaftVoterRequest, UpdateRaftVoterResponse),
  api(InitializeShareGroupStateRequest, InitializeShareGroupStateResponse),
  api(ReadShareGroupStateRequest, ReadShareGroupStateResponse),
  api(WriteShareGroupStateRequest, WriteShareGroupStateResponse),
  api(DeleteShareGroupStateRequest, DeleteShareGroupStateResponse),
  api(ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse),
  api(StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse),
  api(StreamsGroupDescribeRequest, StreamsGroupDescribeResponse),
  api(DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse),
  api(AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse),
  api(DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse),
]

const byKey = new Map(apis.map(each => [each.key, each]))

/** The API of a key that a client sent, or undefined for one that does not exist. */
export function apiOfKey(key: number): Api | undefined {
  return byKey.get(key)
}

/** Numbers by name: `ApiKey.Fetch` is 1. */
export const ApiKey = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  LeaderAndIsr: 4,
  StopReplica: 5,
  UpdateMetadata: 6,
  ControlledShutdown: 7,
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
  DescribeGroups: 15,
  ListGroups: 16,
  SaslHandshake: 17,
  ApiVersions: 18,
  CreateTopics: 19,
  DeleteTopics: 20,
  DeleteRecords: 21,
  InitProducerId: 22,
  OffsetForLeaderEpoch: 23,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  WriteTxnMarkers: 27,
  TxnOffsetCommit: 28,
  DescribeAcls: 29,
  CreateAcls: 30,
  DeleteAcls: 31,
  DescribeConfigs: 32,
  AlterConfigs: 33,
  AlterReplicaLogDirs: 34,
  DescribeLogDirs: 35,
  SaslAuthenticate: 36,
  CreatePartitions: 37,
  CreateDelegationToken: 38,
  RenewDelegationToken: 39,
  ExpireDelegationToken: 40,
  DescribeDelegationToken: 41,
  DeleteGroups: 42,
  ElectLeaders: 43,
  IncrementalAlterConfigs: 44,
  AlterPartitionReassignments: 45,
  ListPartitionReassignments: 46,
  OffsetDelete: 47,
  DescribeClientQuotas: 48,
  AlterClientQuotas: 49,
  DescribeUserScramCredentials: 50,
  AlterUserScramCredentials: 51,
  Vote: 52,
  BeginQuorumEpoch: 53,
  EndQuorumEpoch: 54,
  DescribeQuorum: 55,
  AlterPartition: 56,
  UpdateFeatures: 57,
  Envelope: 58,
  FetchSnapshot: 59,
  DescribeCluster: 60,
  DescribeProducers: 61,
  BrokerRegistration: 62,
  BrokerHeartbeat: 63,
  UnregisterBroker: 64,
  DescribeTransactions: 65,
  ListTransactions: 66,
  AllocateProducerIds: 67,
  ConsumerGroupHeartbeat: 68,
  ConsumerGroupDescribe: 69,
  ControllerRegistration: 70,
  GetTelemetrySubscriptions: 71,
  PushTelemetry: 72,
  AssignReplicasToDirs: 73,
  ListConfigResources: 74,
  DescribeTopicPartitions: 75,
  ShareGroupHeartbeat: 76,
  ShareGroupDescribe: 77,
  ShareFetch: 78,
  ShareAcknowledge: 79,
  AddRaftVoter: 80,
  RemoveRaftVoter: 81,
  UpdateRaftVoter: 82,
  InitializeShareGroupState: 83,
  ReadShareGroupState: 84,
  WriteShareGroupState: 85,
  DeleteShareGroupState: 86,
  ReadShareGroupStateSummary: 87,
  StreamsGroupHeartbeat: 88,
  StreamsGroupDescribe: 89,
  DescribeShareGroupOffsets: 90,
  AlterShareGroupOffsets: 91,
  DeleteShareGroupOffsets: 92,
} as const

export type ApiName = keyof typeof ApiKey
