import type { TopicImage } from '../../metadata/index.ts'
import { isInternalTopic } from '../../metadata/index.ts'
import { ErrorCode, type MessageInput, ZERO_UUID } from '../../protocol/index.ts'
import { MetadataRequest, MetadataResponse } from '../../protocol/messages/03-metadata.ts'
import { liveAddresses } from '../advertised-address.ts'
import { answerEach } from '../answer-each.ts'
import { AuthorizedOperations } from '../authorized-operations.ts'
import { handler, type RequestContext } from '../handler.ts'

type TopicAnswer = NonNullable<MessageInput<typeof MetadataResponse>['topics']>[number]

/**
 * Metadata, key 3. v0: no topics means all; v1+: null means all. v4+: the client says whether topics may be created.
 * v10+: topics have ids, and from v12 may be asked for by them. v13: one error code for all.
 */
export const metadata = handler(MetadataRequest, MetadataResponse, {
  answersInTurns: true,
  handle: (request, context) => {
    const topics = describedTopics(request, context)
    const answer = (described: TopicAnswer[]) => ({
      brokers: liveAddresses(context),
      clusterId: context.services.clusterId,
      controllerId: context.services.metadata.image().controllerId,
      topics: described,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? AuthorizedOperations.CLUSTER
        : AuthorizedOperations.NOT_REQUESTED,
    })
    return topics instanceof Promise ? topics.then(answer) : answer(topics)
  },
  failed: (error, request) => ({
    errorCode: error.errorCode,
    topics: (request.topics ?? []).map(({ name, topicId }) => ({ name, topicId, errorCode: error.errorCode })),
  }),
})

/** There may be a hundred thousand topics, and whoever asks for all of them must not hold up everybody. */
function describedTopics(request: MetadataRequest, context: RequestContext): TopicAnswer[] | Promise<TopicAnswer[]> {
  const { services, apiVersion, connection } = context
  const wanted = request.topics
  const image = services.metadata.image()
  if (wanted === null || (apiVersion === 0 && wanted.length === 0)) {
    return connection.inPieces(answerEach(image.topics(), topic => describe(topic, request, context)))
  }
  const byId = wanted.filter(({ topicId, name }) => topicId !== ZERO_UUID && (apiVersion >= 12 || name === null))
  if (byId.length > 0) {
    const ids = new Set(byId.map(({ topicId }) => topicId))
    return connection.inPieces(answerEach(ids, topicId => describeById(topicId, request, context)))
  }
  const names = new Set(wanted.flatMap(({ name }) => (name === null ? [] : [name])))
  const describeAll = (created?: ReadonlyMap<string, number>): TopicAnswer[] | Promise<TopicAnswer[]> =>
    connection.inPieces(answerEach(names, name => describeByName(name, created, request, context)))
  const missing = request.allowAutoTopicCreation ? [...names].filter(name => !image.topic(name)) : []
  return missing.length > 0 ? services.autoTopics.create(missing).then(describeAll) : describeAll()
}

function describeByName(
  name: string,
  created: ReadonlyMap<string, number> | undefined,
  request: MetadataRequest,
  context: RequestContext,
): TopicAnswer {
  const { metadata, autoTopics } = context.services
  const topic = metadata.image().topic(name)
  if (topic) return describe(topic, request, context)
  return { name, errorCode: created?.get(name) ?? autoTopics.missing(name), isInternal: isInternalTopic(name) }
}

function describeById(topicId: string, request: MetadataRequest, context: RequestContext): TopicAnswer {
  const topic = context.services.metadata.image().topicById(topicId)
  return topic ? describe(topic, request, context) : { name: null, topicId, errorCode: ErrorCode.UNKNOWN_TOPIC_ID }
}

/** A topic without an error of its own; a partition whose leader is away or unknown to this listener has one. */
function describe(topic: TopicImage, request: MetadataRequest, context: RequestContext): TopicAnswer {
  const { brokers } = context.services.metadata.image()
  const isReachable = (brokerId: number): boolean =>
    brokers.get(brokerId)?.endpoints.some(({ listener }) => listener === context.connection.listenerName) ?? false
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((partition, partitionIndex) => ({
      errorCode: leaderError(partition.leader, brokers.has(partition.leader), isReachable(partition.leader)),
      partitionIndex,
      leaderId: isReachable(partition.leader) ? partition.leader : -1,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
      offlineReplicas: partition.replicas.filter(brokerId => !brokers.has(brokerId)),
    })),
    topicAuthorizedOperations: request.includeTopicAuthorizedOperations
      ? AuthorizedOperations.TOPIC
      : AuthorizedOperations.NOT_REQUESTED,
  }
}

function leaderError(leader: number, isAlive: boolean, isReachable: boolean): number {
  if (leader < 0 || !isAlive) return ErrorCode.LEADER_NOT_AVAILABLE
  return isReachable ? ErrorCode.NONE : ErrorCode.LISTENER_NOT_FOUND
}
