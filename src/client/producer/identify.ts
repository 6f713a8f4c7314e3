import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts'
import type { Cluster } from '../cluster.ts'
import type { Idempotence } from './idempotence.ts'

export const INIT_PRODUCER_ID = { request: InitProducerIdRequest, response: InitProducerIdResponse }
const NO_TRANSACTION_TIMEOUT_MS = 2 ** 31 - 1

/** Asks brokers for the identity of an idempotent producer, one question at a time and until one answers. */
export class Identification {
  readonly #cluster: Cluster
  readonly #idempotence: Idempotence
  #isAsking = false

  constructor(cluster: Cluster, idempotence: Idempotence) {
    this.#cluster = cluster
    this.#idempotence = idempotence
  }

  /** Asks, unless it is being asked already. `onFailed` hears an error that will not go away. */
  start(onIdentified: () => void, onFailed: (error: Error) => void): void {
    if (this.#isAsking) return
    this.#isAsking = true
    const patience = this.#cluster.patience({ timeoutMs: Number.POSITIVE_INFINITY })
    const asked = this.#cluster.retrying('getting a producer id', patience, async () => {
      const body = { transactionalId: null, transactionTimeoutMs: NO_TRANSACTION_TIMEOUT_MS }
      const answer = await this.#cluster.requestAny(INIT_PRODUCER_ID, body)
      if (answer.errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(answer.errorCode)
      return answer
    })
    asked.then(
      ({ producerId, producerEpoch }) => {
        this.#isAsking = false
        this.#idempotence.identified({ producerId, producerEpoch })
        onIdentified()
      },
      error => {
        this.#isAsking = false
        onFailed(error)
      },
    )
  }
}
