import type { ReadRecord } from '../../../src/testing/history/index.ts'
import type { World } from '../one-broker/world.ts'

/** Records before an offset that a leader took after another epoch. */
interface PassedOver {
  readonly before: number
  readonly after: number
}

/** What the members of a group have worked on, in the order of time, and what they have asked to commit. */
export class GroupLedger {
  readonly #world: World
  readonly #group: string
  #time = 0
  /** By value: when it was first done with. */
  readonly #done = new Map<string, number>()
  readonly #commits: { readonly partition: string; readonly offset: number; readonly time: number }[] = []
  readonly #owners = new Map<string, string>()
  readonly #passedOver = new Map<string, PassedOver[]>()

  constructor(world: World, group: string) {
    this.#world = world
    this.#group = group
  }

  /** A member has worked on a record. */
  done(value: string): void {
    this.#world.count(this.#done.has(value) ? 'processed again' : 'processed')
    if (!this.#done.has(value)) this.#done.set(value, ++this.#time)
  }

  /** Somebody asks to commit an offset. */
  committing(partition: string, offset: number): void {
    this.#world.count('offset committed')
    this.#commits.push({ partition, offset, time: ++this.#time })
  }

  /** A member takes a partition, or a record of it, in a generation. */
  owns(member: string, generation: number, partition: string): void {
    const place = `${generation} ${partition}`
    const owner = this.#owners.get(place) ?? member
    if (generation < 0) return
    if (owner !== member)
      this.#world.fail(`owned twice: ${partition} by ${owner} and ${member} in ${this.#group} ${generation}`)
    this.#owners.set(place, owner)
  }

  /** A program says by itself where to read on: what comes to be before that later is nobody's to read. */
  passedOver(partition: string, records: PassedOver): void {
    this.#passedOver.set(partition, [...(this.#passedOver.get(partition) ?? []), records])
  }

  /** Records that nobody has worked on, and that somebody should have. */
  missing(partition: string, records: readonly ReadRecord[]): ReadRecord[] {
    const passedOver = this.#passedOver.get(partition) ?? []
    return records.filter(
      ({ value, offset, epoch }) =>
        !this.#done.has(value) && !passedOver.some(({ before, after }) => offset < before && epoch > after),
    )
  }

  /** Whoever commits an offset has worked on all before it. */
  check(partition: string, records: readonly ReadRecord[]): void {
    for (const { offset, value } of records) {
      const commit = this.#commits.find(one => one.partition === partition && one.offset > offset)
      const at = this.#done.get(value) ?? Number.POSITIVE_INFINITY
      if (commit === undefined || commit.time > at) continue
      const what = `${this.#group} committed ${commit.offset} of ${partition} before it had worked on ${value} at ${offset}`
      this.#world.fail(`committed too early: ${what}`)
    }
  }
}
