import { ErrorCode, KafkaError, type MessageOf } from '../../protocol/index.ts'
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/21-delete-records.ts'
import { ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/messages/43-elect-leaders.ts'
import { checkChoice, checkItems, type NeededFields, PARTITION_FIELDS } from '../checked-items.ts'
import { listOffsetsAt, Timestamp } from '../consumer/offset-requests.ts'
import { grouped } from '../grouped.ts'
import { byTopic, type TopicPartition } from '../topic-partition.ts'
import {
  type AdminCall,
  type Answer,
  asked,
  brokerTimeoutMs,
  type CallOptions,
  ItemsFailed,
  settle,
} from './admin-call.ts'

const DELETE_RECORDS = { request: DeleteRecordsRequest, response: DeleteRecordsResponse }
const ELECT_LEADERS = { request: ElectLeadersRequest, response: ElectLeadersResponse }

/** Offsets by name (Java's OffsetSpec), in place of a time. */
const SPECS = {
  latest: Timestamp.latest,
  earliest: Timestamp.earliest,
  'max-timestamp': Timestamp.maximum,
  'earliest-local': Timestamp.earliestLocal,
  'latest-tiered': Timestamp.latestTiered,
} as const
const ELECTION_TYPES = { preferred: 0, unclean: 1 } as const

/**
 * Which offset of a partition: an end, that of the latest timestamp (3.0), the first on the broker's own disks (3.4), the last in tiered
 * storage (3.9), or that of the first record that is not older than a time in milliseconds.
 */
export interface OffsetQuery extends TopicPartition {
  readonly at: keyof typeof SPECS | number
}

export interface ListedOffset extends TopicPartition {
  /** -1 where there is no such record. */
  readonly offset: number
  /** Of the record, in milliseconds; -1 for an end. */
  readonly timestamp: number
  readonly leaderEpoch: number
}

export interface ListOffsetsOptions extends CallOptions {
  /** `read_committed` puts `latest` before the first open transaction. */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed'
}

/** Records before `beforeOffset` are to go; -1 for all that there are. */
export interface RecordsToDelete extends TopicPartition {
  readonly beforeOffset: number
}

/** Where a partition begins. */
export interface LowWatermark extends TopicPartition {
  readonly lowWatermark: number
}

export const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

/** Topics as brokers answer of partitions that something was done with, or why it was not. */
interface Outcomes {
  readonly name: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly errorCode: number
    readonly errorMessage?: string | null
  }[]
}

export const outcomesOf = (topics: readonly Outcomes[]): Answer<undefined>[] =>
  topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode, errorMessage = null }) => {
      return { key: nameOf({ topic: name, partition: partitionIndex }), errorCode, errorMessage, result: undefined }
    }),
  )

export function listOffsets(
  call: AdminCall,
  wanted: readonly OffsetQuery[],
  { isolationLevel = 'read_uncommitted' }: ListOffsetsOptions,
): Promise<ListedOffset[]> {
  return atLeaders(call, 'listing offsets', wanted, async (broker, partitions) => {
    const queries = partitions.map(({ topic, partition, at }) => ({ topic, partition, timestamp: timestampOf(at) }))
    const found = await listOffsetsAt(call.cluster, broker, queries, isolationLevel === 'read_committed')
    return found.map(({ errorCode, ...result }) => ({ key: nameOf(result), errorCode, result }))
  })
}

/** @throws KafkaError INVALID_REQUEST for what no compiler has looked at: `end`, a Date, nothing */
function timestampOf(at: OffsetQuery['at']): number {
  const timestamp = typeof at === 'number' ? at : Object.hasOwn(SPECS, at ?? '') ? SPECS[at] : undefined
  if (Number.isSafeInteger(timestamp)) return timestamp as number
  const ways = `${Object.keys(SPECS).join(', ')}, or milliseconds since 1970`
  throw new KafkaError('INVALID_REQUEST', `listing offsets: at is ${ways}, not ${String(at)}`)
}

export function deleteRecords(call: AdminCall, wanted: readonly RecordsToDelete[]): Promise<LowWatermark[]> {
  const ask = async (broker: number, partitions: readonly RecordsToDelete[]) => {
    const answer = await call.cluster.request({ broker }, DELETE_RECORDS, {
      topics: byTopic(partitions, ({ partition, beforeOffset }) => ({
        partitionIndex: partition,
        offset: beforeOffset,
      })),
      timeoutMs: brokerTimeoutMs(call),
    })
    return answer.topics.flatMap(({ name, partitions: answers }) =>
      answers.map(({ partitionIndex, errorCode, lowWatermark }) => {
        const place = { topic: name, partition: partitionIndex }
        return { key: nameOf(place), errorCode, result: { ...place, lowWatermark } }
      }),
    )
  }
  return atLeaders(call, 'deleting records', wanted, ask, { ...PARTITION_FIELDS, beforeOffset: 'integer' })
}

/** Elects leaders, of all partitions when none are named; one whose leader is the wanted one already counts as done. */
export async function electLeaders(
  call: AdminCall,
  type: keyof typeof ELECTION_TYPES,
  partitions: readonly TopicPartition[] | undefined,
): Promise<void> {
  const what = 'electing leaders'
  checkChoice('election', type, ELECTION_TYPES)
  const ask = (of: readonly TopicPartition[] | undefined) =>
    call.cluster.requestController(ELECT_LEADERS, version => ({
      ...(version >= 1 ? { electionType: ELECTION_TYPES[type] } : {}),
      topicPartitions: of === undefined ? null : topicsWithPartitions(of),
      timeoutMs: brokerTimeoutMs(call),
    }))
  if (partitions === undefined) {
    const refused = elected(await asked(call, what, () => ask(undefined))).filter(
      ({ errorCode }) => errorCode !== ErrorCode.NONE,
    )
    const failures = refused.map(one => [one.key, KafkaError.fromCode(one.errorCode, one.errorMessage)] as const)
    if (failures.length > 0) throw new ItemsFailed(new Map(failures), [])
    return
  }
  await settle(call, { what, items: partitions, keyOf: nameOf }, async left => {
    const answer = await ask(left)
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
    return elected(answer)
  })
}

const topicsWithPartitions = (of: readonly TopicPartition[]) =>
  byTopic(of, ({ partition }) => partition).map(({ name, partitions }) => ({ topic: name, partitions }))

const elected = ({ replicaElectionResults }: MessageOf<typeof ElectLeadersResponse>): Answer<undefined>[] =>
  replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map(({ partitionId, errorCode, errorMessage }) => ({
      key: nameOf({ topic, partition: partitionId }),
      errorCode: errorCode === ErrorCode.ELECTION_NOT_NEEDED ? ErrorCode.NONE : errorCode,
      errorMessage,
      result: undefined,
    })),
  )

/** Asks each partition's leader; a topic that is not there is an answer, not something to wait for. */
export async function atLeaders<P extends TopicPartition, T>(
  call: AdminCall,
  what: string,
  wanted: readonly P[],
  ask: (broker: number, partitions: readonly P[]) => Promise<readonly Answer<T>[]>,
  needed: NeededFields = PARTITION_FIELDS,
): Promise<T[]> {
  const { cluster } = call
  checkItems(what, wanted, needed)
  const topics = [...new Set(wanted.map(({ topic }) => topic))]
  try {
    return await settle<P, T>(call, { what, items: wanted, keyOf: nameOf }, async left => {
      const metadata = await cluster.refresh(topics)
      const byLeader = grouped(left, ({ topic, partition }) => metadata.partition(topic, partition)?.leader)
      const answers = await Promise.all(
        Array.from(byLeader, async ([leader, partitions]) => {
          if (leader !== undefined && leader >= 0) return ask(leader, partitions)
          const missing = leader === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.LEADER_NOT_AVAILABLE
          return partitions.map(one => ({
            key: nameOf(one),
            errorCode: metadata.failureOf(one.topic)?.errorCode ?? missing,
            result: undefined as T,
          }))
        }),
      )
      return answers.flat()
    })
  } finally {
    for (const topic of topics) cluster.forget(topic)
  }
}
