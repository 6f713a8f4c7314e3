import { array, bool, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

const addPartitionsToTxnTopic = {
  name: string(),
  partitions: array(int32()),
}

/** Registers partitions with a transaction before they are written to. */
export const AddPartitionsToTxnRequest = request(
  'AddPartitionsToTxn',
  24,
  { versions: '0-5', flexible: '3+' },
  {
    transactions: array({
      transactionalId: string().from(4),
      producerId: int64().from(4),
      producerEpoch: int16().from(4),
      verifyOnly: bool().from(4),
      topics: array(addPartitionsToTxnTopic).from(4),
    }).from(4),
    v3AndBelowTransactionalId: string().until(3),
    v3AndBelowProducerId: int64().until(3),
    v3AndBelowProducerEpoch: int16().until(3),
    v3AndBelowTopics: array(addPartitionsToTxnTopic).until(3),
  },
)
export type AddPartitionsToTxnRequest = MessageOf<typeof AddPartitionsToTxnRequest>

const addPartitionsToTxnPartitionResult = {
  partitionIndex: int32(),
  partitionErrorCode: int16(),
}

const addPartitionsToTxnTopicResult = {
  name: string(),
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
}

/** Which partitions were added. */
export const AddPartitionsToTxnResponse = response(
  'AddPartitionsToTxn',
  24,
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16().from(4).ignorable(),
    resultsByTransaction: array({
      transactionalId: string().from(4),
      topicResults: array(addPartitionsToTxnTopicResult).from(4),
    }).from(4),
    resultsByTopicV3AndBelow: array(addPartitionsToTxnTopicResult).until(3),
  },
)
export type AddPartitionsToTxnResponse = MessageOf<typeof AddPartitionsToTxnResponse>
