import { ErrorCode } from '../../../src/protocol/everything.ts'

/** Who coordinates what a request is about. */
interface Coordinated {
  readonly type: 'group' | 'transaction'
  readonly key: string
}

type Fields = Readonly<Record<string, unknown>>

const ofGroup = (request: unknown): Coordinated => {
  const { groupId, groups } = request as { readonly groupId: string; readonly groups?: readonly { groupId: string }[] }
  return { type: 'group', key: groups?.[0]?.groupId ?? groupId }
}
const ofTransaction = (request: unknown): Coordinated | undefined => {
  const fields = request as { readonly transactionalId?: string | null; readonly v3AndBelowTransactionalId?: string }
  const key = fields.v3AndBelowTransactionalId ?? fields.transactionalId
  return key == null ? undefined : { type: 'transaction', key }
}

/** Requests that only a coordinator answers, and whose they are. */
export const COORDINATED: ReadonlyMap<string, (request: unknown) => Coordinated | undefined> = new Map([
  ...['JoinGroup', 'SyncGroup', 'Heartbeat', 'LeaveGroup', 'OffsetCommit', 'OffsetFetch', 'TxnOffsetCommit'].map(
    name => [name, ofGroup] as const,
  ),
  ...['InitProducerId', 'AddPartitionsToTxn', 'AddOffsetsToTxn', 'EndTxn'].map(name => [name, ofTransaction] as const),
])

/** Whether the front that was asked leads a partition. */
type IsLed = (topic: string, partition: number) => boolean

/** What the broker is asked in place of a request, if anything, and what becomes of its answer. */
interface Routed {
  readonly passed: object | undefined
  readonly merge: (answer: object | undefined) => object | undefined
}

/** The names by which a request has its topics and partitions, and what a partition's refusal looks like. */
interface Shape {
  readonly topics: string
  readonly topic: string
  readonly partitions: string
  readonly partition: string
  readonly answers: string
  readonly answerPartitions: string
  readonly refused: (partition: number) => Fields
}

/** A request by partitions: the front answers for what it does not lead, the broker for the rest. */
function byPartition(shape: Shape): (request: Fields, isLed: IsLed) => Routed {
  return (request, isLed) => {
    const refused: Fields[] = []
    const led: Fields[] = []
    for (const topic of request[shape.topics] as readonly Fields[]) {
      const name = topic[shape.topic] as string
      const all = topic[shape.partitions] as readonly Fields[]
      const own = all.filter(one => isLed(name, one[shape.partition] as number))
      if (own.length > 0) led.push({ ...topic, [shape.partitions]: own })
      if (own.length === all.length) continue
      const others = all.filter(one => !own.includes(one)).map(one => shape.refused(one[shape.partition] as number))
      refused.push({ [shape.topic]: name, [shape.answerPartitions]: others })
    }
    return {
      passed: led.length === 0 ? undefined : { ...request, [shape.topics]: led },
      merge: answer => {
        // Produce with acks=0 has no answer.
        if (answer === undefined && request.acks === 0) return undefined
        const given = ((answer as Fields | undefined)?.[shape.answers] ?? []) as readonly Fields[]
        return { ...answer, [shape.answers]: joined([...given, ...refused], shape) }
      },
    }
  }
}

/** A topic is named once in an answer. */
function joined(topics: readonly Fields[], { topic, answerPartitions }: Shape): Fields[] {
  const byName = new Map<unknown, Fields[]>()
  for (const one of topics) {
    const partitions = one[answerPartitions] as readonly Fields[]
    byName.set(one[topic], [...(byName.get(one[topic]) ?? []), ...partitions])
  }
  return Array.from(byName, ([name, partitions]) => ({ [topic]: name, [answerPartitions]: partitions }))
}

const NOT_LEADER = { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }

/** A fetch that goes on with its session does not name its partitions: the answer tells what the broker has read. */
function fetch(request: Fields, isLed: IsLed): Routed {
  const topics = request.topics as readonly { readonly topic: string; readonly partitions: readonly Fields[] }[]
  const hasOthers = topics.some(({ topic, partitions }) =>
    partitions.some(one => !isLed(topic, one.partition as number)),
  )
  return {
    passed: hasOthers ? { ...request, maxWaitMs: 0 } : request,
    merge: answer => {
      const { responses, ...rest } = answer as { readonly responses: readonly Answers['fetch'][] }
      return {
        ...rest,
        responses: responses.map(topic => ({
          ...topic,
          partitions: topic.partitions.map(one =>
            isLed(topic.topic, one.partitionIndex)
              ? one
              : { partitionIndex: one.partitionIndex, ...NOT_LEADER, records: [] },
          ),
        })),
      }
    },
  }
}

/** Requests that only the leader of a partition answers. */
export const LED: ReadonlyMap<string, (request: never, isLed: IsLed) => Routed> = new Map([
  [
    'Produce',
    byPartition({
      topics: 'topicData',
      topic: 'name',
      partitions: 'partitionData',
      partition: 'index',
      answers: 'responses',
      answerPartitions: 'partitionResponses',
      refused: index => ({ index, ...NOT_LEADER, baseOffset: -1 }),
    }),
  ],
  [
    'ListOffsets',
    byPartition({
      topics: 'topics',
      topic: 'name',
      partitions: 'partitions',
      partition: 'partitionIndex',
      answers: 'topics',
      answerPartitions: 'partitions',
      refused: partitionIndex => ({ partitionIndex, ...NOT_LEADER }),
    }),
  ],
  [
    'OffsetForLeaderEpoch',
    byPartition({
      topics: 'topics',
      topic: 'topic',
      partitions: 'partitions',
      partition: 'partition',
      answers: 'topics',
      answerPartitions: 'partitions',
      refused: partition => ({ partition, ...NOT_LEADER }),
    }),
  ],
  ['Fetch', fetch],
])

/** The parts of answers that the model looks at. */
export interface Answers {
  readonly metadata: {
    readonly topics: readonly {
      readonly name: string | null
      readonly partitions?: readonly { readonly partitionIndex: number; readonly leaderId: number }[]
    }[]
  }
  readonly coordinator:
    | { readonly coordinators: readonly { readonly key: string; readonly errorCode: number }[] }
    | { readonly errorCode: number }
  readonly fetch: { readonly topic: string; readonly partitions: readonly { readonly partitionIndex: number }[] }
}
