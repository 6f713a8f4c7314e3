import type { RequestInterceptor } from '../../../src/broker/index.ts'
import { ErrorCode, type ErrorName, KafkaError, readBatchHeader } from '../../../src/protocol/everything.ts'
import type { ClientWorld } from './client-world.ts'

const OF_COORDINATORS: readonly ErrorName[] = [
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
]

/** What a broker may say although the request is right, by API. */
const REFUSALS: Readonly<Record<string, readonly ErrorName[]>> = {
  Produce: ['NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'KAFKA_STORAGE_ERROR', 'LEADER_NOT_AVAILABLE'],
  Fetch: ['FETCH_SESSION_ID_NOT_FOUND', 'INVALID_FETCH_SESSION_EPOCH', 'KAFKA_STORAGE_ERROR'],
  ListOffsets: ['NOT_LEADER_OR_FOLLOWER', 'LEADER_NOT_AVAILABLE'],
  OffsetForLeaderEpoch: ['NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_LEADER_EPOCH'],
  FindCoordinator: ['COORDINATOR_NOT_AVAILABLE'],
  InitProducerId: ['COORDINATOR_LOAD_IN_PROGRESS', 'COORDINATOR_NOT_AVAILABLE'],
  JoinGroup: OF_COORDINATORS,
  SyncGroup: OF_COORDINATORS,
  Heartbeat: OF_COORDINATORS,
  OffsetCommit: OF_COORDINATORS,
  OffsetFetch: OF_COORDINATORS,
  TxnOffsetCommit: OF_COORDINATORS,
  AddPartitionsToTxn: [...OF_COORDINATORS, 'CONCURRENT_TRANSACTIONS'],
  AddOffsetsToTxn: [...OF_COORDINATORS, 'CONCURRENT_TRANSACTIONS'],
  EndTxn: [...OF_COORDINATORS, 'CONCURRENT_TRANSACTIONS'],
}

/** What a broker says that has done what was asked and does not know whether it will last, by API. */
const DOUBTS: Readonly<Record<string, ErrorName>> = {
  Produce: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  OffsetCommit: 'COORDINATOR_NOT_AVAILABLE',
  TxnOffsetCommit: 'COORDINATOR_NOT_AVAILABLE',
  AddPartitionsToTxn: 'COORDINATOR_NOT_AVAILABLE',
  AddOffsetsToTxn: 'COORDINATOR_NOT_AVAILABLE',
  EndTxn: 'COORDINATOR_NOT_AVAILABLE',
}

/** What a broker says of a batch that it has, and no longer knows where. */
const FORGOTTEN: ErrorName = 'DUPLICATE_SEQUENCE_NUMBER'

const KINDS = [
  'lost request',
  'lost answer',
  'late answer',
  'slow request',
  'straggler',
  'refused',
  'doubted',
  'forgotten',
] as const

type Kind = (typeof KINDS)[number]

const LONGEST_MS = 2_000

/** Does something to some of the requests of clients; commits are noted, whatever becomes of them. */
export function meddled(
  world: ClientWorld,
  intercept: RequestInterceptor,
  [handler, request, context]: Parameters<RequestInterceptor>,
): ReturnType<RequestInterceptor> {
  const isOfClient = context.connection.listenerName !== 'PLAINTEXT'
  if (isOfClient) noteCommits(world, handler.name, request)
  const kind = isOfClient ? drawn(world, handler.name) : undefined
  const watches = isOfClient ? watching(world, handler.name, kind) : []
  const watched = watches.map(watch => watch.asked(handler.name, request, context.clientId ?? ''))
  const proceed = () => noted(intercept(handler, request, context))
  const refusal = kind === 'refused' ? REFUSALS[handler.name] : undefined
  const doubt = kind === 'doubted' ? DOUBTS[handler.name] : undefined
  if (kind === undefined || (kind === 'refused' && !refusal) || (kind === 'doubted' && !doubt)) return proceed()
  if (kind === 'forgotten' && !isIdempotent(handler.name, request)) return proceed()
  world.line(`${kind}: ${handler.name} of ${context.clientId}`)
  world.count(kind)
  return meddle()

  async function meddle(): Promise<object | undefined> {
    if (kind === 'lost request') return hangUp()
    // Who asks again on another connection is heard before it.
    if (kind === 'straggler') hangUp()
    if (refusal !== undefined) throw new KafkaError(world.oneOf(refusal))
    if (kind === 'slow request' || kind === 'straggler') {
      await world.sleep(world.random.below(world.oneOf([LONGEST_MS / 10, LONGEST_MS])))
      world.line(`arrives: ${handler.name} of ${context.clientId}`)
    }
    const answer = await proceed()
    if (kind === 'lost answer') return hangUp()
    if (kind === 'late answer') await world.sleep(world.random.below(LONGEST_MS))
    if (doubt !== undefined) throw new KafkaError(doubt)
    if (kind === 'forgotten' && codesOf(answer).every(code => code === ErrorCode.NONE)) throw new KafkaError(FORGOTTEN)
    return answer
  }

  function noted(answering: ReturnType<RequestInterceptor>): ReturnType<RequestInterceptor> {
    const note = (answer: object | undefined): object | undefined => {
      if (answer !== undefined) for (const answered of watched) answered(answer)
      if (handler.name === 'Produce' && codesOf(answer).includes(ErrorCode.MESSAGE_TOO_LARGE)) world.count('too large')
      return answer
    }
    return answering instanceof Promise ? answering.then(note) : note(answering)
  }

  function hangUp(): undefined {
    context.connection.close()
    return undefined
  }
}

/** Who looks at a request. A commit that is held up may be overtaken, and then says nothing of the order in which it was asked. */
function watching({ watch, commits }: ClientWorld, api: string, kind: Kind | undefined) {
  const isHeldUp = kind === 'straggler' || kind === 'slow request'
  return isHeldUp && api !== 'SyncGroup' ? [watch] : [watch, commits]
}

/** What is done to a request, if anything. */
function drawn(world: ClientWorld, api: string): Kind | undefined {
  if (world.areWritesLate && api in DOUBTS && world.chance(2)) return 'straggler'
  if (world.meddling === 0 || !world.chance(world.meddling)) return undefined
  return world.oneOf(KINDS)
}

interface Produced {
  readonly topicData: readonly { readonly partitionData: readonly { readonly records: Uint8Array | null }[] }[]
}

/** Whether a request writes, and each batch of it is from somebody of whom a broker remembers what he wrote. */
function isIdempotent(api: string, request: object): boolean {
  if (api !== 'Produce') return false
  const batches = (request as Produced).topicData.flatMap(({ partitionData }) => partitionData)
  return batches.every(({ records }) => records !== null && (readBatchHeader(records, 0)?.producerId ?? -1) >= 0)
}

/** What an answer to Produce says of each batch. */
function codesOf(answer: object | undefined): number[] {
  const { responses = [] } = (answer ?? {}) as {
    readonly responses?: readonly { readonly partitionResponses: readonly { readonly errorCode?: number }[] }[]
  }
  return responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode = 0 }) => errorCode))
}

function noteCommits(world: ClientWorld, api: string, request: unknown): void {
  if (api !== 'OffsetCommit' && api !== 'TxnOffsetCommit') return
  const { groupId, topics } = request as {
    readonly groupId: string
    readonly topics: readonly {
      readonly name: string
      readonly partitions: readonly { readonly partitionIndex: number; readonly committedOffset: number }[]
    }[]
  }
  for (const { name, partitions } of topics) {
    for (const { partitionIndex, committedOffset } of partitions) {
      world.ledger(groupId).committing(`${name}-${partitionIndex}`, committedOffset)
    }
  }
}
