import type { Api } from '../../network/index.ts'
import { sleep } from '../../platform/index.ts'
import {
  ErrorCode,
  type Fields,
  KafkaError,
  type MessageInput,
  type MessageOf,
  type Schema,
} from '../../protocol/index.ts'
import type { RequestBody } from '../broker-node.ts'
import type { Cluster } from '../cluster.ts'
import type { Patient } from '../deadline.ts'
import { INIT_PRODUCER_ID } from './identify.ts'

/** The end of the last transaction is still being written: it takes a moment, far less than `retry.backoff.ms`. */
const CONCURRENT_PAUSE_MS = 20

/** How one question is asked. */
export interface TransactionQuestion {
  /** Ends the wait for the answer. */
  readonly signal: AbortSignal | undefined
  readonly maxVersion?: number
  /** The group whose coordinator is asked; that of the transactional id when left out. */
  readonly group?: string
}

/** What a transactional producer asks of coordinators: until it is answered, for `max.block.ms` at most, and what was not is known. */
export class TransactionRequests {
  readonly #cluster: Cluster
  readonly #transactionalId: string
  readonly #maxBlockMs: number
  /** Requests of this transaction that were sent and not answered. */
  readonly #unanswered = new Set<object>()

  constructor({
    cluster,
    transactionalId,
    maxBlockMs,
  }: {
    readonly cluster: Cluster
    readonly transactionalId: string
    readonly maxBlockMs: number
  }) {
    this.#cluster = cluster
    this.#transactionalId = transactionalId
    this.#maxBlockMs = maxBlockMs
  }

  /** Whether something was sent in this transaction of which nobody knows the answer: it may be done, or come yet. */
  get isAnyUnanswered(): boolean {
    return this.#unanswered.size > 0
  }

  /** The transaction is over; what comes of it now is told by its epoch. */
  forgetUnanswered(): void {
    this.#unanswered.clear()
  }

  /** @throws KafkaError what an answer refuses, and what `retrying` throws; the signal's reason */
  send<Q extends Fields, S extends Fields>(
    what: string,
    api: Api<Q, S>,
    { signal, maxVersion, group }: TransactionQuestion,
    body: RequestBody<Q>,
  ): Promise<MessageOf<Schema<S>>> {
    const patience = this.#cluster.patience({ timeoutMs: this.#maxBlockMs, signal })
    const isOfTransaction = api.request.apiKey !== INIT_PRODUCER_ID.request.apiKey
    const [type, key] =
      group === undefined ? (['transaction', this.#transactionalId] as const) : (['group', group] as const)
    return this.#cluster.withCoordinator(type, key, { what, patience }, async broker => {
      for (;;) {
        const to = { broker, purpose: 'coordinator' } as const
        const attempt = {}
        const sending = (version: number): MessageInput<Schema<Q>> => {
          if (isOfTransaction) this.#unanswered.add(attempt)
          return typeof body === 'function' ? body(version) : body
        }
        const answer = await this.#cluster.request(to, api, sending, {
          patience,
          ...(maxVersion !== undefined && { maxVersion }),
        })
        // What nobody waits for any more may have been done without anybody knowing.
        if (!patience.isOver && !signal?.aborted) this.#unanswered.delete(attempt)
        const error = firstError(answer)
        if (error === undefined) return answer
        if (error.code === 'INVALID_PRODUCER_EPOCH') throw fencedBy(error)
        if (error.code !== 'CONCURRENT_TRANSACTIONS' || patience.isOver) throw error
        await this.#pause(patience)
        // Who has been told that it is over may have gone on: nothing may come after what he does next.
        patience.throwIfOver(what)
      }
    })
  }

  async #pause(patience: Patient): Promise<void> {
    await sleep(this.#cluster.settings.clock, Math.min(CONCURRENT_PAUSE_MS, Math.max(1, patience.leftMs)))
  }
}

/**
 * What a coordinator means by an old epoch: it, after a timeout, or another producer has raised it. Old ones had no other word for that
 * (KIP-588). A partition's leader that says so may only not have heard of the transaction's end: then the coordinator tells.
 */
function fencedBy(cause: KafkaError): KafkaError {
  return new KafkaError('PRODUCER_FENCED', undefined, { cause })
}

/** The error that an answer of a coordinator holds, wherever in it; of several the first that is not retriable. */
function firstError(answer: object): KafkaError | undefined {
  const codes: number[] = []
  collectCodes(answer, codes)
  const errors = codes.filter(code => code !== ErrorCode.NONE).map(code => KafkaError.fromCode(code))
  return errors.find(({ retriable, code }) => !retriable && code !== 'OPERATION_NOT_ATTEMPTED') ?? errors[0]
}

const CODE_FIELDS: ReadonlySet<string> = new Set(['errorCode', 'partitionErrorCode'])

function collectCodes(part: unknown, codes: number[]): void {
  if (Array.isArray(part)) for (const item of part) collectCodes(item, codes)
  else if (part !== null && typeof part === 'object') {
    for (const [name, value] of Object.entries(part)) {
      if (CODE_FIELDS.has(name)) codes.push(Number(value))
      else collectCodes(value, codes)
    }
  }
}
