import type { Config } from '../../config/index.ts'
import { checkedOptions } from '../checked-items.ts'
import { type ClientParts, type ConfigInput, clusterSettings, readOptions } from '../client-options.ts'
import { Cluster } from '../cluster.ts'
import type { TopicInfo } from '../cluster-metadata.ts'
import type { PartitionOffset } from '../consumer/offset-requests.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { allTopics } from '../topic-questions.ts'
import * as acls from './acls.ts'
import type { AdminCall, CallOptions } from './admin-call.ts'
import { adminConfig, type adminKeys } from './admin-config.ts'
import * as clientQuotas from './client-quotas.ts'
import * as clusterInfo from './cluster-info.ts'
import * as configs from './configs.ts'
import * as delegationTokens from './delegation-tokens.ts'
import * as features from './features.ts'
import * as groupOffsets from './group-offsets.ts'
import * as groups from './groups.ts'
import * as logDirs from './log-dirs.ts'
import * as partitions from './partitions.ts'
import * as reassignments from './reassignments.ts'
import * as scramUsers from './scram-users.ts'
import * as topics from './topics.ts'
import * as transactions from './transactions.ts'

/** What an admin client is made from: settings by Java's names or in camelCase, and {@link ClientParts}. */
export type AdminOptions = ConfigInput<typeof adminKeys> & ClientParts

/** What an admin client has done so far: `calls` and `retries` only grow, the others are of the moment. */
export interface AdminFigures {
  readonly calls: number
  /** Tries after the first ones, of calls and of what they needed to know. */
  readonly retries: number
  readonly connections: number
  /** Requests that no broker has answered yet. */
  readonly inFlight: number
}

/**
 * Manages a cluster: topics, settings, groups (Java's Admin). Nothing is connected before the first call.
 *
 * ```ts
 * await using admin = kafka.admin()
 * await admin.createTopics([{ name: 'orders', partitions: 6 }])
 * ```
 *
 * A call about several things throws {@link ItemsFailed} when one of them is refused; it names each, and holds what the others came to.
 * Every call may throw REQUEST_TIMED_OUT, NETWORK_EXCEPTION, UNSUPPORTED_VERSION (the broker is too old), an authorization error, and
 * the reason of its signal.
 */
export class Admin implements AsyncDisposable {
  readonly #config: Config<typeof adminKeys>
  readonly #cluster: Cluster
  #calls = 0

  /** @throws ConfigError that names the key */
  constructor(options: AdminOptions) {
    const { config, parts } = readOptions(adminConfig, options)
    this.#config = config
    this.#cluster = new Cluster(clusterSettings(config, parts, false))
  }

  get metrics(): AdminFigures {
    return { calls: this.#calls, ...this.#cluster.figures }
  }

  /** @throws TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_TOPIC_EXCEPTION, INVALID_CONFIG */
  async createTopics(
    wanted: readonly topics.NewTopic[],
    options: topics.ValidatedOptions & topics.QuotaOptions = {},
  ): Promise<topics.CreatedTopic[]> {
    return topics.createTopics(this.#call(options), wanted, options)
  }

  /** A topic that is gone after a try whose answer was lost counts as deleted. @throws UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, TOPIC_DELETION_DISABLED */
  async deleteTopics(of: readonly topics.TopicRef[], options: topics.QuotaOptions = {}): Promise<void> {
    return topics.deleteTopics(this.#call(options), of, options)
  }

  /** Every topic that may be seen, internal ones too, by name. */
  async listTopics(options: CallOptions = {}): Promise<TopicInfo[]> {
    const { cluster, patience } = this.#call(options)
    return allTopics(cluster, patience)
  }

  /** @throws UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID at once, for a topic that is not there */
  async describeTopics(
    of: readonly topics.TopicRef[],
    options: groups.DescribeOptions = {},
  ): Promise<topics.TopicDescription[]> {
    return topics.describeTopics(this.#call(options), of, options)
  }

  /** Lets topics grow. One that has what was wanted after a try whose answer was lost has grown. @throws INVALID_PARTITIONS for no more than there are, UNKNOWN_TOPIC_OR_PARTITION */
  async createPartitions(
    wanted: readonly topics.NewPartitions[],
    options: topics.ValidatedOptions & topics.QuotaOptions = {},
  ): Promise<void> {
    return topics.createPartitions(this.#call(options), wanted, options)
  }

  /** Deletes the records before an offset of each partition. @throws OFFSET_OUT_OF_RANGE, POLICY_VIOLATION for compacted topics */
  async deleteRecords(
    wanted: readonly partitions.RecordsToDelete[],
    options: CallOptions = {},
  ): Promise<partitions.LowWatermark[]> {
    return partitions.deleteRecords(this.#call(options), wanted)
  }

  /** Where partitions begin and end, or an offset by time. @throws UNKNOWN_TOPIC_OR_PARTITION at once */
  async listOffsets(
    wanted: readonly partitions.OffsetQuery[],
    options: partitions.ListOffsetsOptions = {},
  ): Promise<partitions.ListedOffset[]> {
    return partitions.listOffsets(this.#call(options), wanted, options)
  }

  /**
   * Gives partitions, all when none are named, to their preferred leader; `unclean` elects any replica where none in sync is alive, and may lose records.
   * @throws PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION
   */
  async electLeaders(
    type: 'preferred' | 'unclean',
    of?: readonly TopicPartition[],
    options: CallOptions = {},
  ): Promise<void> {
    return partitions.electLeaders(this.#call(options), type, of)
  }

  /**
   * Begins to move partitions to other brokers, and gives up moves under way; `listPartitionReassignments` tells when they are done (KIP-455).
   * @throws INVALID_REPLICA_ASSIGNMENT, NO_REASSIGNMENT_IN_PROGRESS, UNKNOWN_TOPIC_OR_PARTITION
   */
  async alterPartitionReassignments(
    wanted: readonly reassignments.NewReassignment[],
    options: CallOptions = {},
  ): Promise<void> {
    return reassignments.alterPartitionReassignments(this.#call(options), wanted)
  }

  /** Which of these partitions are on their way to other brokers; of all when none are named. */
  async listPartitionReassignments(
    of?: readonly TopicPartition[],
    options: CallOptions = {},
  ): Promise<reassignments.PartitionReassignment[]> {
    return reassignments.listPartitionReassignments(this.#call(options), of)
  }

  /** @throws UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST for a broker that is not there */
  async describeConfigs(
    resources: readonly configs.ConfigResource[],
    options: configs.DescribeConfigsOptions = {},
  ): Promise<configs.ResourceConfigs[]> {
    return configs.describeConfigs(this.#call(options), resources, options)
  }

  /** Changes single settings and leaves the others (KIP-339). @throws INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION */
  async incrementalAlterConfigs(
    resources: readonly configs.ResourceChanges[],
    options: topics.ValidatedOptions = {},
  ): Promise<void> {
    return configs.incrementalAlterConfigs(this.#call(options), resources, options)
  }

  async describeCluster(options: groups.DescribeOptions = {}): Promise<clusterInfo.ClusterDescription> {
    return clusterInfo.describeCluster(this.#call(options), options)
  }

  /** What brokers are able to do, and what they have agreed on. */
  async describeFeatures(options: CallOptions = {}): Promise<features.FeatureDescription> {
    return features.describeFeatures(this.#call(options))
  }

  /** Has the brokers agree on other levels of features. @throws FEATURE_UPDATE_FAILED, INVALID_REQUEST, INVALID_UPDATE_VERSION */
  async updateFeatures(
    updates: readonly features.FeatureUpdate[],
    options: topics.ValidatedOptions = {},
  ): Promise<void> {
    return features.updateFeatures(this.#call(options), updates, options)
  }

  /** What lies in the log directories of these brokers. A directory that failed is there with its error. */
  async describeLogDirs(brokers: readonly number[], options: CallOptions = {}): Promise<logDirs.LogDir[]> {
    return logDirs.describeLogDirs(this.#call(options), brokers)
  }

  /** In which directory each replica lies, and to which it moves. */
  async describeReplicaLogDirs(
    of: readonly logDirs.Replica[],
    options: CallOptions = {},
  ): Promise<logDirs.ReplicaLogDirs[]> {
    return logDirs.describeReplicaLogDirs(this.#call(options), of)
  }

  /**
   * Begins to move replicas to other directories of their brokers; where one is not there yet, says where it is to be made (KIP-113).
   * @throws LOG_DIR_NOT_FOUND; REPLICA_NOT_AVAILABLE where it is not there yet, which does not undo what was said
   */
  async alterReplicaLogDirs(moves: readonly logDirs.ReplicaMove[], options: CallOptions = {}): Promise<void> {
    return logDirs.alterReplicaLogDirs(this.#call(options), moves)
  }

  /** The groups of all brokers, by id. */
  async listConsumerGroups(options: groups.ListGroupsOptions = {}): Promise<groups.GroupListing[]> {
    return groups.listConsumerGroups(this.#call(options), options)
  }

  /** Members and what they read. A group that is not there is described as `Dead`. */
  async describeConsumerGroups(
    groupIds: readonly string[],
    options: groups.DescribeOptions = {},
  ): Promise<groups.GroupDescription[]> {
    return groups.describeConsumerGroups(this.#call(options), groupIds, options)
  }

  /** @throws NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND */
  async deleteConsumerGroups(groupIds: readonly string[], options: CallOptions = {}): Promise<void> {
    return groups.deleteConsumerGroups(this.#call(options), groupIds)
  }

  /** Puts members out of a group; all that it has when none are named. @throws UNKNOWN_MEMBER_ID */
  async removeMembersFromConsumerGroup(
    groupId: string,
    members?: readonly groups.MemberToRemove[],
    options: CallOptions & { readonly reason?: string } = {},
  ): Promise<void> {
    const { reason = 'removed by an administrator' } = checkedOptions(options)
    return groups.removeMembersFromConsumerGroup(this.#call(options), groupId, members, reason)
  }

  /** What a group has committed, by topic and partition. */
  async listConsumerGroupOffsets(
    groupId: string,
    options: groupOffsets.ListGroupOffsetsOptions = {},
  ): Promise<PartitionOffset[]> {
    return groupOffsets.listConsumerGroupOffsets(this.#call(options), groupId, options)
  }

  /** Moves a group to other offsets. @throws UNKNOWN_MEMBER_ID while the group has members */
  async alterConsumerGroupOffsets(
    groupId: string,
    offsets: readonly PartitionOffset[],
    options: CallOptions = {},
  ): Promise<void> {
    return groupOffsets.alterConsumerGroupOffsets(this.#call(options), groupId, offsets)
  }

  /** @throws GROUP_ID_NOT_FOUND, GROUP_SUBSCRIBED_TO_TOPIC while members read the topic */
  async deleteConsumerGroupOffsets(
    groupId: string,
    of: readonly TopicPartition[],
    options: CallOptions = {},
  ): Promise<void> {
    return groupOffsets.deleteConsumerGroupOffsets(this.#call(options), groupId, of)
  }

  /** The transactional ids of all brokers, in their order. */
  async listTransactions(
    options: transactions.ListTransactionsOptions = {},
  ): Promise<transactions.TransactionListing[]> {
    return transactions.listTransactions(this.#call(options), options)
  }

  /** @throws TRANSACTIONAL_ID_NOT_FOUND */
  async describeTransactions(
    transactionalIds: readonly string[],
    options: CallOptions = {},
  ): Promise<transactions.TransactionDescription[]> {
    return transactions.describeTransactions(this.#call(options), transactionalIds)
  }

  /** Who has written to partitions with an id, and has a transaction open there. @throws UNKNOWN_TOPIC_OR_PARTITION at once */
  async describeProducers(
    of: readonly TopicPartition[],
    options: transactions.DescribeProducersOptions = {},
  ): Promise<transactions.PartitionProducers[]> {
    return transactions.describeProducers(this.#call(options), of, options)
  }

  /** Keeps the producers of these ids from writing any more; what they have open is aborted, and the next ones go on. */
  async fenceProducers(
    transactionalIds: readonly string[],
    options: CallOptions = {},
  ): Promise<transactions.FencedProducer[]> {
    return transactions.fenceProducers(this.#call(options), transactionalIds)
  }

  /**
   * Ends a transaction in a partition where its coordinator does not (KIP-664). One that its coordinator does know is for `fenceProducers`.
   * @throws INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED, UNKNOWN_TOPIC_OR_PARTITION
   */
  async abortTransaction(transaction: transactions.HangingTransaction, options: CallOptions = {}): Promise<void> {
    return transactions.abortTransaction(this.#call(options), transaction)
  }

  /** The ACLs that a filter means; all without one. @throws SECURITY_DISABLED where the broker has no authorizer */
  async describeAcls(filter: acls.AclFilter = {}, options: CallOptions = {}): Promise<acls.AclBinding[]> {
    return acls.describeAcls(this.#call(options), filter)
  }

  /** Adds ACLs; one that is there already is not there twice. @throws SECURITY_DISABLED, INVALID_REQUEST */
  async createAcls(wanted: readonly acls.NewAcl[], options: CallOptions = {}): Promise<void> {
    return acls.createAcls(this.#call(options), wanted)
  }

  /** Deletes all ACLs that the filters mean, and returns them. @throws SECURITY_DISABLED */
  async deleteAcls(filters: readonly acls.AclFilter[], options: CallOptions = {}): Promise<acls.AclBinding[]> {
    return acls.deleteAcls(this.#call(options), filters)
  }

  /** How users may authenticate by SCRAM; all users when none are named. @throws RESOURCE_NOT_FOUND for a user who may not at all */
  async describeUserScramCredentials(
    users?: readonly string[],
    options: CallOptions = {},
  ): Promise<scramUsers.UserScramCredentials[]> {
    return scramUsers.describeUserScramCredentials(this.#call(options), users)
  }

  /** @throws RESOURCE_NOT_FOUND for a credential to delete that is not there, UNACCEPTABLE_CREDENTIAL, DUPLICATE_RESOURCE */
  async alterUserScramCredentials(
    changes: readonly scramUsers.ScramCredentialChange[],
    options: CallOptions = {},
  ): Promise<void> {
    return scramUsers.alterUserScramCredentials(this.#call(options), changes)
  }

  /** Quotas of users, client ids and addresses (KIP-546). */
  async describeClientQuotas(
    filter: clientQuotas.ClientQuotaFilter = {},
    options: CallOptions = {},
  ): Promise<clientQuotas.ClientQuotas[]> {
    return clientQuotas.describeClientQuotas(this.#call(options), filter)
  }

  /** Changes single quotas and leaves the others. @throws INVALID_REQUEST for one that there is not */
  async alterClientQuotas(
    changes: readonly clientQuotas.ClientQuotaChange[],
    options: topics.ValidatedOptions = {},
  ): Promise<void> {
    return clientQuotas.alterClientQuotas(this.#call(options), changes, options)
  }

  /** @throws DELEGATION_TOKEN_AUTH_DISABLED, DELEGATION_TOKEN_REQUEST_NOT_ALLOWED on a connection that is not authenticated, or by a token */
  async createDelegationToken(
    options: delegationTokens.CreateTokenOptions = {},
  ): Promise<delegationTokens.DelegationToken> {
    return delegationTokens.createDelegationToken(this.#call(options), options)
  }

  /** Lets a token live for `periodMs` from now, and says until when. @throws DELEGATION_TOKEN_NOT_FOUND, DELEGATION_TOKEN_EXPIRED */
  async renewDelegationToken(hmac: string, periodMs?: number, options: CallOptions = {}): Promise<number> {
    return delegationTokens.renewDelegationToken(this.#call(options), hmac, periodMs)
  }

  /** Ends a token `periodMs` from now, at once when left out. @throws DELEGATION_TOKEN_NOT_FOUND */
  async expireDelegationToken(hmac: string, periodMs?: number, options: CallOptions = {}): Promise<number> {
    return delegationTokens.expireDelegationToken(this.#call(options), hmac, periodMs)
  }

  /** Tokens that these own or may renew (`User:alice`), as far as they may be seen; of all when none are named. */
  async describeDelegationTokens(
    owners?: readonly string[],
    options: CallOptions = {},
  ): Promise<delegationTokens.DelegationToken[]> {
    return delegationTokens.describeDelegationTokens(this.#call(options), owners)
  }

  /** Ends the connections; whoever waits for an answer fails. */
  close(): void {
    this.#cluster.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  #call(options: CallOptions): AdminCall {
    const { timeoutMs = this.#config.get('default.api.timeout.ms'), signal } = checkedOptions(options)
    this.#calls += 1
    return { cluster: this.#cluster, patience: this.#cluster.patience({ timeoutMs, signal }) }
  }
}
