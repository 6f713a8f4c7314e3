import { ErrorCode, KafkaError, type MessageInput, ZERO_UUID } from '../../protocol/index.ts'
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/00-produce.ts'
import type { AppendEntry, AppendRequest, AppendResult } from '../../replication/index.ts'
import { leaderEndpoints } from '../advertised-address.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { AdditionOutcome } from '../implicit-partitions.ts'
import { implicitlyProduced, isTransactional, verifyProduced } from '../transaction-verification.ts'

type TopicData = ProduceRequest['topicData'][number]

/**
 * Produce, key 0. v0-2 carry message sets, which become batches; v3+ exactly one batch a partition; v13 goes by topic id.
 * With `acks=0` there is no answer, so an error closes the connection: the client would never learn of it otherwise.
 * Transactional batches are for partitions that were added to the transaction; v12+, the second protocol, adds them (KIP-890).
 */
export const produce = handler(ProduceRequest, ProduceResponse, {
  mayOverlap: true,
  // Logs copy what they keep.
  mayRecycle: true,
  handle: (request, context) => {
    const names = request.topicData.map(topic => nameOf(topic, context))
    const entries = request.topicData.flatMap((topic, index) => entriesOf(topic, names[index]))
    const results = append(request, entries, context)
    if (results instanceof Promise) return results.then(late => answer(request, names, { results: late, context }))
    return answer(request, names, { results, context })
  },
  failed: (error, request, { apiVersion, connection }) => {
    if (request.acks === 0) connection.close(error)
    return {
      responses: request.topicData.map(({ name, topicId, partitionData }) => ({
        ...(apiVersion >= 13 ? { topicId } : { name }),
        partitionResponses: partitionData.map(({ index }) => ({
          index,
          errorCode: error.errorCode,
          baseOffset: -1,
          errorMessage: error.message,
        })),
      })),
    }
  },
})

type Results = readonly AppendResult[] | Promise<readonly AppendResult[]>

const NOTHING_TO_VERIFY = Object.freeze({})

function append(request: ProduceRequest, entries: readonly AppendEntry[], context: RequestContext): Results {
  const { transactionalId } = request
  if (!entries.some(isTransactional)) return appendNow(request, entries, context, NOTHING_TO_VERIFY)
  if (transactionalId === null) {
    throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'transactional records without a transactional id')
  }
  const { apiVersion, services } = context
  const asked = { transactionalId, apiVersion }
  const verified = (outcomeOf?: AdditionOutcome): Results =>
    appendNow(request, entries, context, {
      refusalOf: entry => verifyProduced(entry, { ...asked, outcomeOf }, services),
    })
  const written = implicitlyProduced(entries, asked)
  return written === undefined ? verified() : services.implicitPartitions.write(written, verified)
}

function appendNow(
  request: ProduceRequest,
  entries: readonly AppendEntry[],
  context: RequestContext,
  verification: Pick<AppendRequest, 'refusalOf'>,
): Results {
  return context.services.replicas.appendRecords({
    acks: request.acks,
    timeoutMs: request.timeoutMs,
    origin: 'client',
    apiVersion: context.apiVersion,
    // Kafka lets this one client write to internal topics: its admin tools use the name.
    allowInternalTopics: context.clientId === '__admin_client',
    ...verification,
    entries,
  })
}

/** The topic's name; undefined for a topic id that nobody knows. */
function nameOf(topic: TopicData, { apiVersion, services }: RequestContext): string | undefined {
  return apiVersion >= 13 ? services.metadata.image().topicById(topic.topicId)?.name : topic.name
}

function entriesOf(topic: TopicData, name: string | undefined): AppendEntry[] {
  if (name === undefined) return []
  return topic.partitionData.map(({ index, records }) => ({ topic: name, partition: index, records }))
}

/** Puts the results back under their topics. */
function answer(
  request: ProduceRequest,
  names: readonly (string | undefined)[],
  { results, context }: { readonly results: readonly AppendResult[]; readonly context: RequestContext },
): MessageInput<typeof ProduceResponse> | undefined {
  if (request.acks === 0) {
    const failed = results.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
    if (failed) context.connection.close(new Error(`Produce with acks=0 failed with error ${failed.errorCode}`))
    return undefined
  }
  let next = 0
  const responses = request.topicData.map(({ name, topicId, partitionData }, index) => {
    const isKnown = names[index] !== undefined
    const partitionResponses = isKnown
      ? results.slice(next, next + partitionData.length)
      : partitionData.map(partition => ({
          index: partition.index,
          errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
          baseOffset: -1,
        }))
    if (isKnown) next += partitionData.length
    return context.apiVersion >= 13 ? { topicId, partitionResponses } : { name, topicId: ZERO_UUID, partitionResponses }
  })
  const leaders = results.map(({ currentLeader }) => currentLeader.leaderId)
  return { responses, nodeEndpoints: context.apiVersion >= 10 ? leaderEndpoints(leaders, context) : [] }
}
