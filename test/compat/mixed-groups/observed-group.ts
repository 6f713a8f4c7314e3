import assert from 'node:assert/strict'
import { PATIENCE_MS } from '../process.ts'

/** Something that a member of a group did, by a clock that all processes of a machine share. */
export interface Happening {
  /** Nanoseconds. */
  readonly at: bigint
  readonly member: string
  readonly what: 'assigned' | 'revoked' | 'record' | 'left'
  readonly partitions: readonly number[]
  readonly value?: string
}

/** What all members of a group did, and what must be true of it. */
export class ObservedGroup {
  readonly #happenings: Happening[] = []
  readonly #partitions: number
  #changed: (() => void) | undefined

  constructor(partitions: number) {
    this.#partitions = partitions
  }

  readonly observe = (happening: Happening): void => {
    this.#happenings.push(happening)
    this.#changed?.()
  }

  /** Who owns which partition after all that happened. */
  get owners(): ReadonlyMap<number, string> {
    const owners = new Map<number, string>()
    for (const { member, what, partitions } of this.#inOrder()) {
      if (what === 'assigned') for (const partition of partitions) owners.set(partition, member)
      if (what === 'revoked') this.#release(owners, member, partitions)
      if (what === 'left') this.#release(owners, member, [...owners.keys()])
    }
    return owners
  }

  /** Values in the order of their reading, those that were read again too. */
  get values(): string[] {
    return this.#happenings.flatMap(({ what, value }) => (what === 'record' && value !== undefined ? [value] : []))
  }

  /** How often a member did something. */
  countOf(member: string, what: Happening['what']): number {
    return this.#happenings.filter(one => one.member === member && one.what === what).length
  }

  /** Waits until exactly these members own every partition, each its fair share. */
  spreadOver(members: readonly string[]): Promise<void> {
    return this.#until(`${this.#partitions} partitions spread over ${members.join(', ')}`, () => {
      const { owners } = this
      const counts = members.map(member => [...owners.values()].filter(owner => owner === member).length)
      const isFair = Math.max(...counts) - Math.min(...counts) <= 1
      return isFair && counts.reduce((sum, count) => sum + count, 0) === this.#partitions
    })
  }

  /** Waits until each of these values was read. */
  read(values: readonly string[]): Promise<void> {
    return this.#until(`${values.length} values`, () => {
      const seen = new Set(this.values)
      return values.every(value => seen.has(value))
    })
  }

  /** Throws when two members owned a partition at a time, or one read a record of a partition that was not its own. */
  assertOneOwnerAtATime(): void {
    const owners = new Map<number, string>()
    for (const { member, what, partitions } of this.#inOrder()) {
      for (const partition of partitions) {
        const owner = owners.get(partition)
        const isOurs = what === 'assigned' ? owner === undefined || owner === member : owner === member
        assert.ok(isOurs, `${member}: ${what} ${partition}, which is ${owner ?? 'nobody'}'s\n${this.toString()}`)
      }
      if (what === 'assigned') for (const partition of partitions) owners.set(partition, member)
      if (what === 'revoked') this.#release(owners, member, partitions)
      if (what === 'left') this.#release(owners, member, [...owners.keys()])
    }
  }

  toString(): string {
    const told = this.#inOrder().filter(({ what }) => what !== 'record')
    return told.map(({ at, member, what, partitions }) => `${at / 1_000n} ${member} ${what} ${partitions}`).join('\n')
  }

  #inOrder(): Happening[] {
    return [...this.#happenings].sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0))
  }

  #release(owners: Map<number, string>, member: string, partitions: readonly number[]): void {
    for (const partition of partitions) if (owners.get(partition) === member) owners.delete(partition)
  }

  async #until(what: string, holds: () => boolean): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(`not so within ${PATIENCE_MS} ms: ${what}\n${this.toString()}`)
      await Promise.race([
        new Promise<void>(resolve => {
          this.#changed = resolve
        }),
        new Promise(resolve => setTimeout(resolve, 500).unref()),
      ])
    }
  }
}
