import { md5 } from './md5.ts'

/** Words of a slot: the hash of a key in four, and one above its offset in two; both of these are 0 in a free slot. */
const SLOT_WORDS = 6
const HASH_WORDS = 4
const SLOT_BYTES = SLOT_WORDS * 4

/**
 * The last offset of each key in the part of a log that is being compacted, in a table of fixed size (Kafka's
 * SkimpyOffsetMap): keys are known by their MD5 alone, 24 bytes a key however long it is. Two keys of one hash would be
 * taken for one, which no accident brings about in the life of the universe.
 */
export class OffsetMap {
  /** How many keys there is room for. */
  readonly slots: number
  readonly #table: Int32Array
  readonly #digest = new Int32Array(HASH_WORDS)
  #size = 0
  /** Up to here all offsets are taken in; -1 for none. */
  latestOffset = -1

  /** A table for `keys` keys, or as many as `maxBytes` have room for. */
  constructor(keys: number, maxBytes: number) {
    this.slots = Math.max(1, Math.min(keys, Math.floor(maxBytes / SLOT_BYTES)))
    this.#table = new Int32Array(this.slots * SLOT_WORDS)
  }

  /** Keys that are in it. */
  get size(): number {
    return this.#size
  }

  /** How full it is, 0 to 1. */
  get utilization(): number {
    return this.#size / this.slots
  }

  /** Notes that `key` is at `offset`; offsets come in rising order. @throws RangeError when there is no room */
  put(key: Uint8Array, offset: number): void {
    const slot = this.#slotOf(key)
    const table = this.#table
    if (table[slot + 4] === 0 && table[slot + 5] === 0) {
      // One slot in the table must stay free for a search to end.
      if (this.#size + 1 >= this.slots && this.#size > 0)
        throw new RangeError(`no room for more than ${this.#size} keys`)
      this.#size += 1
      for (let word = 0; word < HASH_WORDS; word++) table[slot + word] = this.#digest[word]!
    }
    table[slot + 4] = Math.floor((offset + 1) / 0x1_0000_0000)
    table[slot + 5] = (offset + 1) | 0
  }

  /** The last offset of `key`; -1 for a key that is not here. */
  get(key: Uint8Array): number {
    const slot = this.#slotOf(key)
    return this.#table[slot + 4]! * 0x1_0000_0000 + (this.#table[slot + 5]! >>> 0) - 1
  }

  /** Where the key is, or would go. */
  #slotOf(key: Uint8Array): number {
    const [table, digest, slots] = [this.#table, this.#digest, this.slots]
    md5(key, digest)
    const a = digest[0]!
    const b = digest[1]!
    const c = digest[2]!
    const d = digest[3]!
    for (let attempt = 0; attempt <= slots + HASH_WORDS; attempt++) {
      // Four places that have nothing to do with each other, then one behind the other.
      const place = (attempt < HASH_WORDS ? digest[attempt]! : d) >>> 0
      const slot = (((place % slots) + Math.max(0, attempt - HASH_WORDS + 1)) % slots) * SLOT_WORDS
      if (table[slot + 4] === 0 && table[slot + 5] === 0) return slot
      if (table[slot] === a && table[slot + 1] === b && table[slot + 2] === c && table[slot + 3] === d) return slot
    }
    throw new RangeError(`no free slot among ${slots}`)
  }
}
