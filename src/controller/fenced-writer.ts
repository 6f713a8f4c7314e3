import { ZnodePath } from '../metadata/index.ts'
import { KafkaError } from '../protocol/index.ts'
import {
  isZooKeeperError,
  type OperationResult,
  type ZooKeeper,
  ZooKeeperError,
  type ZooKeeperOperation,
} from '../zookeeper/index.ts'

/** Changes that belong together: one transaction as far as it fits, else in this order. */
export type ChangeGroup = readonly ZooKeeperOperation[]

/** What a group's operations gave, or why they were refused. */
export type GroupOutcome = readonly OperationResult[] | ZooKeeperError

/** Half of what ZooKeeper takes in one request, and no more than it handles in some milliseconds. */
const MAX_TRANSACTION_BYTES = 512 * 1024
const MAX_TRANSACTION_OPERATIONS = 2_000
/** Groups that have nothing to do with each other share a transaction of so many: others have their turn in between. */
const MAX_SHARED_OPERATIONS = 600
const OPERATION_OVERHEAD_BYTES = 64

/**
 * How a controller writes: every transaction checks that the epoch with which it was elected is still the newest
 * (KAFKA-6082). When it is not, or when nobody can say what became of a write, the controller is none any more:
 * `onFenced` is called and the write rejects with NOT_CONTROLLER.
 */
export class FencedWriter {
  readonly #zooKeeper: ZooKeeper
  readonly #epochVersion: number
  readonly #onFenced: (reason: ZooKeeperError) => void

  constructor(
    zooKeeper: ZooKeeper,
    options: { readonly epochVersion: number; readonly onFenced: (reason: ZooKeeperError) => void },
  ) {
    this.#zooKeeper = zooKeeper
    this.#epochVersion = options.epochVersion
    this.#onFenced = options.onFenced
  }

  /** Writes one group. Rejects with the {@link ZooKeeperError} that refused it, or NOT_CONTROLLER. */
  async write(group: ChangeGroup): Promise<readonly OperationResult[]> {
    const results: OperationResult[] = []
    for (const part of parts(group)) results.push(...(await this.#transaction(part)))
    return results
  }

  /**
   * Writes several groups in as few transactions as they fit in; one that is refused does not keep the others from being
   * written. Rejects only with NOT_CONTROLLER.
   */
  async writeAll(groups: readonly ChangeGroup[]): Promise<readonly GroupOutcome[]> {
    const outcomes: GroupOutcome[] = []
    for (const batch of batches(groups)) outcomes.push(...(await this.#writeBatch(batch)))
    return outcomes
  }

  async #writeBatch(batch: readonly ChangeGroup[]): Promise<readonly GroupOutcome[]> {
    if (batch.length === 1 && batch[0]) return [await this.#attempt(batch[0])]
    const together = await this.#attempt(batch.flat())
    if (together instanceof ZooKeeperError) {
      const outcomes: GroupOutcome[] = []
      for (const group of batch) outcomes.push(await this.#attempt(group))
      return outcomes
    }
    let position = 0
    return batch.map(group => {
      const results = together.slice(position, position + group.length)
      position += group.length
      return results
    })
  }

  async #attempt(group: ChangeGroup): Promise<GroupOutcome> {
    try {
      return await this.write(group)
    } catch (error) {
      if (error instanceof ZooKeeperError) return error
      throw error
    }
  }

  async #transaction(operations: ChangeGroup): Promise<readonly OperationResult[]> {
    try {
      const check = { type: 'check', path: ZnodePath.controllerEpoch, version: this.#epochVersion } as const
      const results = await this.#zooKeeper.multi([check, ...operations])
      return results.slice(1)
    } catch (error) {
      if (!(error instanceof ZooKeeperError)) throw error
      const isFenced = error.code === 'BAD_VERSION' && error.path === ZnodePath.controllerEpoch
      if (isFenced || isZooKeeperError(error, 'CONNECTION_LOSS', 'SESSION_EXPIRED')) {
        this.#onFenced(error)
        throw new KafkaError('NOT_CONTROLLER', undefined, { cause: error })
      }
      throw error
    }
  }
}

function sizeOf(operation: ZooKeeperOperation): number {
  const data = 'data' in operation ? (operation.data?.length ?? 0) : 0
  return operation.path.length + data + OPERATION_OVERHEAD_BYTES
}

function sizeOfGroup(group: ChangeGroup): number {
  return group.reduce((sum, operation) => sum + sizeOf(operation), 0)
}

/** A group cut where it is too large for one transaction. */
function parts(group: ChangeGroup): readonly ChangeGroup[] {
  const cut: ZooKeeperOperation[][] = []
  let bytes = 0
  for (const operation of group) {
    const size = sizeOf(operation)
    const part = cut.at(-1)
    if (!part || bytes + size > MAX_TRANSACTION_BYTES || part.length === MAX_TRANSACTION_OPERATIONS) {
      cut.push([operation])
      bytes = size
    } else {
      part.push(operation)
      bytes += size
    }
  }
  return cut
}

/** Groups that fit one transaction together. */
function batches(groups: readonly ChangeGroup[]): readonly (readonly ChangeGroup[])[] {
  const packed: ChangeGroup[][] = []
  let bytes = 0
  let operations = 0
  for (const group of groups) {
    const size = sizeOfGroup(group)
    const batch = packed.at(-1)
    bytes += size
    operations += group.length
    if (batch && bytes <= MAX_TRANSACTION_BYTES && operations <= MAX_SHARED_OPERATIONS) batch.push(group)
    else {
      packed.push([group])
      bytes = size
      operations = group.length
    }
  }
  return packed
}
