import type { Api } from '../../network/index.ts'
import {
  ErrorCode,
  type Fields,
  KafkaError,
  type MessageInput,
  type MessageOf,
  type Schema,
} from '../../protocol/index.ts'
import { checkItems, type KnownFields, type Needed } from '../checked-items.ts'
import type { Cluster } from '../cluster.ts'
import type { Patient } from '../deadline.ts'

/** How one call waits. */
export interface CallOptions {
  /** Time for the whole call, its tries and connecting included; `default.api.timeout.ms` when left out. */
  readonly timeoutMs?: number
  /** Gives up waiting with the signal's reason. What is on its way to a broker then, or when the time is over, may still be done. */
  readonly signal?: AbortSignal
}

/** One call under way. */
export interface AdminCall {
  readonly cluster: Cluster
  readonly patience: Patient
}

/**
 * Some of the things that a call was about were refused. `code` is that of the first; what was done is done, and in {@link results}.
 */
export class ItemsFailed extends KafkaError {
  /** Why, by the name of the thing: `orders`, `orders-0`, a group's id. */
  readonly failures: ReadonlyMap<string, KafkaError>
  /** What the others came to, as the call would have returned it. */
  readonly results: readonly unknown[]

  constructor(failures: ReadonlyMap<string, KafkaError>, results: readonly unknown[]) {
    const [[name, first]] = [...failures] as [[string, KafkaError]]
    const more = failures.size > 1 ? ` (and ${failures.size - 1} more)` : ''
    super(first.code, `${name}: ${first.message}${more}`, { cause: first })
    this.name = 'ItemsFailed'
    this.failures = failures
    this.results = results
  }
}

/** What a broker said of one thing. */
export interface Answer<T> {
  readonly key: string
  readonly errorCode: number
  readonly errorMessage?: string | null
  /** The refusal is the answer, though it might pass. */
  readonly isFinal?: boolean
  readonly result: T
}

/** Refusals that pass by themselves or by asking somebody else; every other one is the answer. */
const PASSING: ReadonlySet<string> = new Set([
  'NOT_CONTROLLER',
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'CONCURRENT_TRANSACTIONS',
  'THROTTLING_QUOTA_EXCEEDED',
])

/** What a call is about. */
export interface Form<I> {
  /** What is done, for messages. */
  readonly what: string
  readonly items: readonly I[]
  readonly keyOf: (item: I) => string
  /** Without these fields, or of another kind, an item cannot be asked about. */
  readonly needed?: Needed
  /** It has no other fields; where they are left out, others are left alone. */
  readonly known?: KnownFields<I>
}

/**
 * Tries until each item has its answer, and asks again only about those that have none. Results and failures come in the order of the
 * items.
 * @throws INVALID_REQUEST for items that lack what is needed
 */
export async function settle<I, T>(
  { cluster, patience }: AdminCall,
  { what, items, keyOf, needed, known }: Form<I>,
  ask: (left: readonly I[]) => Promise<readonly Answer<T>[]>,
): Promise<T[]> {
  checkItems(what, items, needed, known)
  if (items.length === 0) return []
  const results = new Map<string, T>()
  const failures = new Map<string, KafkaError>()
  let left = items
  await cluster.retrying(what, patience, async tries => {
    if (tries > 0) await cluster.refresh()
    let passing: KafkaError | undefined
    const silent = new Set(left.map(keyOf))
    for (const { key, errorCode, errorMessage, isFinal = false, result } of await ask(left)) {
      silent.delete(key)
      const error = errorCode === ErrorCode.NONE ? undefined : KafkaError.fromCode(errorCode, errorMessage)
      if (error === undefined) results.set(key, result)
      else if (PASSING.has(error.code) && !isFinal) passing ??= error
      else failures.set(key, error)
    }
    for (const key of silent) failures.set(key, new KafkaError('UNKNOWN_SERVER_ERROR', 'the broker said nothing of it'))
    left = left.filter(item => !results.has(keyOf(item)) && !failures.has(keyOf(item)))
    if (passing) throw passing
  })
  const keys = items.map(keyOf)
  const values = keys.filter(key => results.has(key)).map(key => results.get(key) as T)
  if (failures.size === 0) return values
  const inOrder = keys.flatMap(key => {
    const failure = failures.get(key)
    return failure === undefined ? [] : [[key, failure] as const]
  })
  throw new ItemsFailed(new Map(inOrder), values)
}

/**
 * How one call asks the controller, as often as it has to. `isRepeated` says of an answer that an earlier request was sent and not
 * answered: what it asked for may be done already.
 */
export function controllerRequests({ cluster }: AdminCall) {
  let isUnanswered = false
  return async <Q extends Fields, S extends Fields>(
    api: Api<Q, S>,
    body: (version: number) => MessageInput<Schema<Q>>,
  ): Promise<{ readonly answer: MessageOf<Schema<S>>; readonly isRepeated: boolean }> => {
    const isRepeated = isUnanswered
    const answer = await cluster.requestController(api, version => {
      const input = body(version)
      isUnanswered = true
      return input
    })
    isUnanswered = isRepeated
    return { answer, isRepeated }
  }
}

/** Asks each one's coordinator; what one is refused does not keep the others from their answer. */
export function atCoordinators<T>(
  call: AdminCall,
  type: 'group' | 'transaction',
  what: string,
  keys: readonly string[],
  ask: (key: string, coordinator: number) => Promise<Omit<Answer<T>, 'key'>>,
): Promise<T[]> {
  const { cluster, patience } = call
  return settle(call, { what, items: keys, keyOf: key => key }, left =>
    Promise.all(
      left.map(async key => {
        const answer = await cluster.withCoordinator(type, key, { what: `${what} (${key})`, patience }, coordinator =>
          ask(key, coordinator),
        )
        // A passing refusal is asked again, of whoever the coordinator is by then.
        if (answer.errorCode !== ErrorCode.NONE) cluster.coordinatorMoved(type, key)
        return { ...answer, key }
      }),
    ),
  )
}

/** Sends one request until it is answered without a passing error. */
export function asked<T extends { readonly errorCode: number; readonly errorMessage?: string | null }>(
  { cluster, patience }: AdminCall,
  what: string,
  ask: () => Promise<T>,
): Promise<T> {
  return cluster.retrying(what, patience, async tries => {
    if (tries > 0 || cluster.metadata.brokers.size === 0) await cluster.refresh()
    const answer = await ask()
    if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode, answer.errorMessage)
    return answer
  })
}

/** Sees to it that these brokers can be asked, also those that have come since the cluster was last heard of. */
export async function knowing({ cluster }: AdminCall, brokers: Iterable<number>): Promise<void> {
  if ([...brokers].some(broker => !cluster.metadata.brokers.has(broker))) await cluster.refresh()
}

/** How long a broker may work on a request: no longer than the request or the call waits. */
export function brokerTimeoutMs({ cluster, patience }: AdminCall): number {
  return Math.ceil(Math.min(cluster.settings.requestTimeoutMs, patience.leftMs))
}
