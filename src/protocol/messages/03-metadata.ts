import { array, bool, int16, int32, type MessageOf, request, response, string, uuid } from '../schema.ts'

/** Asks for brokers, controller, topics and their partitions; may create topics. */
export const MetadataRequest = request(
  'Metadata',
  3,
  { versions: '0-13', flexible: '9+' },
  {
    /** Null for all topics; in v0 an empty array means all. */
    topics: array({
      topicId: uuid().from(10).ignorable(),
      name: string().nullable(10),
    }).nullable(1),
    allowAutoTopicCreation: bool().from(4).default(true),
    includeClusterAuthorizedOperations: bool().from(8).until(10),
    includeTopicAuthorizedOperations: bool().from(8),
  },
)
export type MetadataRequest = MessageOf<typeof MetadataRequest>

/** The cluster as the broker sees it. */
export const MetadataResponse = response(
  'Metadata',
  3,
  { versions: '0-13', flexible: '9+' },
  {
    throttleTimeMs: int32().from(3).ignorable(),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string().nullable().from(1).default(null).ignorable(),
    }),
    clusterId: string().nullable().from(2).default(null).ignorable(),
    controllerId: int32().from(1).default(-1).ignorable(),
    topics: array({
      errorCode: int16(),
      name: string().nullable(12),
      topicId: uuid().from(10).ignorable(),
      isInternal: bool().from(1).ignorable(),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32().from(7).default(-1).ignorable(),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32()).from(5).ignorable(),
      }),
      /** A bit for each operation that the client may do; the smallest int32 when it did not ask. */
      topicAuthorizedOperations: int32().from(8).default(-0x8000_0000),
    }),
    clusterAuthorizedOperations: int32().from(8).until(10).default(-0x8000_0000),
    errorCode: int16().from(13).ignorable(),
  },
)
export type MetadataResponse = MessageOf<typeof MetadataResponse>
