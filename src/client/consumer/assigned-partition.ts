import type { KafkaError } from '../../protocol/index.ts'
import type { TopicPartition } from '../topic-partition.ts'
import type { FetchedRecords, RecordChunk } from './fetched-records.ts'
import type { PartitionOffset } from './offset-requests.ts'

/** What a consumer reads now: one partition, how far the program is with it, and what was fetched ahead. */
export class AssignedPartition<K, V> implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Offset of the next record that the program is to work on; undefined until it is known where to begin. */
  position: number | undefined
  /** Leader epoch of the record before {@link position}; -1 where that is not known. */
  positionEpoch = -1
  /** What was last committed of it, as far as this consumer knows. */
  committed: number | undefined
  isPaused = false
  /** It was read by a stream, whose stages hold records of which nobody here knows when they are done: only the program commits. */
  isCommittedByHand = false
  /** False once the partition went to another member, or was let go of: what is left of it counts for nothing. */
  isOurs = true
  /** Where a closer replica is (KIP-392), until it fails. */
  preferredReplica = -1
  highWatermark = -1
  lastStableOffset = -1
  logStartOffset = -1
  /** A look at where to begin is under way. */
  isPositioning = false
  /** Epoch of the leader that has, as far as it said, what was fetched so far (KIP-320); -1 where none was asked. */
  validEpoch = -1
  /** A leader is being asked whether it has what was fetched. */
  isValidating = false
  /** Why nothing more is read of it until the program says where to go on. */
  trouble: KafkaError | undefined
  #fetched: FetchedRecords<K, V>[] = []
  /** What the program commits itself since it last seeked, the newest last: what is committed for it does not go back behind that. */
  #committedByProgram: PartitionOffset[] = []
  #fetchOffset = -1
  #fetchEpoch = -1
  #generation = 0

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic
    this.partition = partition
  }

  /** Bytes that were fetched and not unpacked. */
  get bufferedBytes(): number {
    return this.#fetched.reduce((sum, { bytesLeft }) => sum + bytesLeft, 0)
  }

  /** Where the next fetch begins. */
  get fetchOffset(): number {
    return this.#fetchOffset
  }

  /** Leader epoch of the record before {@link fetchOffset}; -1 where that is not known. */
  get fetchEpoch(): number {
    return this.#fetchEpoch
  }

  /** Changes with each seek: an answer to a fetch of before is not added. */
  get generation(): number {
    return this.#generation
  }

  /** How far the program is, as a commit says it; undefined where that is not known yet. */
  get reached(): PartitionOffset | undefined {
    const { topic, partition, position, positionEpoch } = this
    const byProgram = this.#committedByProgram.at(-1)
    if (position === undefined) return undefined
    if (byProgram !== undefined && position < byProgram.offset) return byProgram
    return { topic, partition, offset: position, leaderEpoch: positionEpoch }
  }

  /** The same, unless the group knows it already, or only the program can say. */
  get uncommitted(): PartitionOffset | undefined {
    const { reached } = this
    return this.isCommittedByHand || reached?.offset === this.committed ? undefined : reached
  }

  /** The program itself commits, from now on. What is returned is called when it is known whether that was refused, and takes it back then. */
  committing(offset: PartitionOffset): (isRefused: boolean) => void {
    const said = { ...offset }
    this.#committedByProgram.push(said)
    return isRefused => {
      const at = this.#committedByProgram.indexOf(said)
      if (at < 0) return
      if (isRefused) this.#committedByProgram.splice(at, 1)
      // What was said before it counts no more.
      else this.#committedByProgram.splice(0, at)
    }
  }

  /** Goes on at `offset`, behind a record of `epoch` where that is known; what was fetched ahead is dropped. */
  seek(offset: number, epoch = -1): void {
    this.trouble = undefined
    this.position = offset
    this.positionEpoch = epoch
    this.validEpoch = -1
    this.#committedByProgram = []
    this.#refetch(offset)
  }

  /** Goes back to the position: what was fetched ahead of it is dropped. */
  rewind(): void {
    this.#refetch(this.position ?? -1)
  }

  /** Drops what was fetched ahead of what the program has had, which still counts; it is fetched again when it is wanted. */
  dropAhead(): void {
    const first = this.#fetched[0]
    if (first === undefined) return
    this.#fetchOffset = first.nextOffset
    // Of one that nothing was had of, what comes before is where the program is.
    this.#fetchEpoch = first.epoch >= 0 ? first.epoch : this.positionEpoch
    this.#fetched = []
  }

  /** Where to begin has to be found out anew. */
  unknow(): void {
    this.seek(-1)
    this.position = undefined
  }

  /** `epoch` is that of the last record before `endOffset`. */
  add(
    records: FetchedRecords<K, V>,
    { endOffset, epoch }: { readonly endOffset: number; readonly epoch: number },
  ): void {
    this.#fetched.push(records)
    this.#fetchOffset = endOffset
    this.#fetchEpoch = epoch
  }

  #refetch(offset: number): void {
    this.#fetchOffset = offset
    this.#fetchEpoch = this.positionEpoch
    this.#fetched = []
    this.#generation += 1
  }

  /** Records of the next batch; undefined when nothing is left, and then the position is behind all that was passed over. */
  next(): RecordChunk<K, V> | undefined {
    for (;;) {
      const first = this.#fetched[0]
      if (first === undefined) return undefined
      const chunk = first.next()
      if (chunk !== undefined) return chunk
      this.#fetched.shift()
      if (this.#fetched.length === 0 && this.position !== undefined && first.nextOffset > this.position) {
        this.position = first.nextOffset
        this.positionEpoch = first.epoch
      }
    }
  }
}
