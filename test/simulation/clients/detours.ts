import type { Consumer, ConsumerRecord, TopicPartition } from '../../../src/client/index.ts'
import type { ClientWorld } from './client-world.ts'
import type { GroupLedger } from './group-ledger.ts'

type Read = Pick<ConsumerRecord<string, string>, 'topic' | 'partition' | 'offset' | 'leaderEpoch'>

const LONGEST_PAUSE_MS = 500
/** Records that somebody goes back at the most. */
const FARTHEST_BACK = 8

/** A program that now and then goes back in a partition, or lets it rest, while its consumer fetches ahead. */
export class Detours {
  readonly #world: ClientWorld
  readonly #ledger: GroupLedger
  readonly #reader: string
  readonly #sought = new Map<string, number>()
  readonly #paused = new Set<string>()

  constructor(world: ClientWorld, ledger: GroupLedger, reader: string) {
    this.#world = world
    this.#ledger = ledger
    this.#reader = reader
  }

  /** A partition comes anew: what was said of it before counts no more. */
  assigned(place: TopicPartition): void {
    this.#sought.delete(nameOf(place))
    this.#paused.delete(nameOf(place))
  }

  /** A record is handed out: never of a partition that is paused. */
  handedOut(place: TopicPartition): void {
    if (this.#paused.has(nameOf(place))) this.#world.fail(`read while paused: ${nameOf(place)}`)
  }

  /** Where the program went since it last asked, so that reading has to go on just there. */
  sought(place: TopicPartition): number | undefined {
    const offset = this.#sought.get(nameOf(place))
    this.#sought.delete(nameOf(place))
    return offset
  }

  /** Perhaps begins elsewhere than the group is: at the beginning, or where this program was before. */
  begin(consumer: Consumer<string, string>, place: TopicPartition, former: number | undefined): void {
    const world = this.#world
    if (world.isEnding || !world.chance(6)) return
    world.count('begun elsewhere')
    // What a truncation puts below an offset nobody who goes there by himself can know.
    const isKnown = former !== undefined && world.settings.durability !== 'lossy'
    this.#goTo(consumer, place, isKnown ? Math.max(0, former - world.random.below(FARTHEST_BACK)) : 0)
  }

  /** Perhaps takes a way round, after a record. */
  take(consumer: Consumer<string, string>, record: Read): void {
    const { topic, partition, offset } = record
    const world = this.#world
    const place = { topic, partition }
    // At the end everything is to be read on, and once.
    if (world.isEnding || !world.chance(6) || !isAssigned(consumer, place)) return
    if (world.chance(2)) this.#goBack(consumer, record, Math.max(0, offset - world.random.below(FARTHEST_BACK)))
    else this.#rest(consumer, place)
  }

  #goBack(consumer: Consumer<string, string>, from: Read, offset: number): void {
    // It says no epoch: where the log loses what is before it meanwhile, and gets other records there, no consumer can know, nor Java's.
    this.#ledger.passedOver(nameOf(from), { before: offset, after: from.leaderEpoch })
    this.#goTo(consumer, from, offset)
  }

  #goTo(consumer: Consumer<string, string>, place: TopicPartition, offset: number): void {
    this.#world.count('seek')
    this.#sought.set(nameOf(place), offset)
    this.#world.commits.seeks(this.#reader, nameOf(place))
    consumer.seek(place, offset)
  }

  #rest(consumer: Consumer<string, string>, place: TopicPartition): void {
    const world = this.#world
    world.count('pause')
    this.#paused.add(nameOf(place))
    consumer.pause([place])
    world.clock.schedule(world.random.below(LONGEST_PAUSE_MS), () => {
      if (!this.#paused.delete(nameOf(place))) return
      if (isAssigned(consumer, place)) consumer.resume([place])
    })
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

function isAssigned(consumer: Consumer<string, string>, place: TopicPartition): boolean {
  return consumer.assignment.some(one => nameOf(one) === nameOf(place))
}
