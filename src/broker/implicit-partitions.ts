import type { PartitionName, ProducerIdentity, TransactionCoordinator } from '../coordinator/index.ts'
import type { ErrorName } from '../protocol/index.ts'
import type { ReplicaManager } from '../replication/index.ts'

/** What a client of the second protocol of transactions writes without having named its partitions before (KIP-890). */
export interface ImplicitWrite {
  readonly transactionalId: string
  readonly producer: ProducerIdentity
  readonly names: readonly PartitionName[]
}

/** Whether a partition could be made part of the transaction: NONE, or the coordinator's error. */
export type AdditionOutcome = (name: PartitionName) => ErrorName

const ignored = (): void => undefined

const NOTHING_ADDED: AdditionOutcome = () => 'NONE'

/**
 * Makes the partitions that a transaction writes to part of it, where they are not yet (Kafka's AddPartitionsToTxnManager).
 * While that is on its way to the log of the coordinator, later writes of the producer wait, so that none overtakes another.
 */
export class ImplicitPartitions {
  readonly #replicas: ReplicaManager
  readonly #transactions: TransactionCoordinator
  /** By producer id: resolves, and never rejects, when the last write that waits has begun. */
  readonly #tails = new Map<number, Promise<void>>()

  constructor(replicas: ReplicaManager, transactions: TransactionCoordinator) {
    this.#replicas = replicas
    this.#transactions = transactions
  }

  /**
   * Calls `begin` when the coordinator has said what becomes of the partitions: in this turn where it knows of all, and never
   * before what came earlier. Between its word and the call others may have ended the transaction: look again.
   */
  write<T>(write: ImplicitWrite, begin: (outcomeOf: AdditionOutcome) => T | Promise<T>): T | Promise<T> {
    const { producerId } = write.producer
    const before = this.#tails.get(producerId)
    if (before === undefined && this.#missing(write).length === 0) return begin(NOTHING_ADDED)
    const begun = (before ?? Promise.resolve()).then(async () => ({ answer: begin(await this.#add(write)) }))
    const tail: Promise<void> = begun.then(ignored, ignored).then(() => {
      if (this.#tails.get(producerId) === tail) this.#tails.delete(producerId)
    })
    this.#tails.set(producerId, tail)
    return begun.then(({ answer }) => answer)
  }

  async #add(write: ImplicitWrite): Promise<AdditionOutcome> {
    const missing = this.#missing(write)
    if (missing.length === 0) return NOTHING_ADDED
    const error = await this.#transactions.addImplicitly(write.transactionalId, write.producer, missing)
    const isMissing = ({ topic, partition }: PartitionName): boolean =>
      missing.some(name => name.topic === topic && name.partition === partition)
    return name => (isMissing(name) ? error : 'NONE')
  }

  #missing(write: ImplicitWrite): PartitionName[] {
    const coordinator = { replicas: this.#replicas, transactions: this.#transactions }
    return write.names.filter(name => memberError(write, name, coordinator) !== 'NONE')
  }
}

/**
 * Why a partition is no part of the producer's transaction, as the coordinator says it; NONE where it is: the transaction has begun to
 * write there, or the coordinator knows that it will.
 */
export function memberError(
  { transactionalId, producer }: Pick<ImplicitWrite, 'transactionalId' | 'producer'>,
  name: PartitionName,
  { replicas, transactions }: { readonly replicas: ReplicaManager; readonly transactions: TransactionCoordinator },
): ErrorName {
  const log = replicas.hosted.find(name.topic, name.partition)?.log
  // Without a log the write itself says what is wrong.
  if (!log || log.hasOpenTransaction(producer.producerId, producer.producerEpoch)) return 'NONE'
  return transactions.verify(transactionalId, producer, name)
}
