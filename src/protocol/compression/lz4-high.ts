/**
 * LZ4 blocks of more effort: every match is looked for along a chain of places that begin with the same bytes, further
 * the higher the level (as LZ4's HC mode). The native module has one level only.
 *
 * A block is a row of sequences: a token (length of the literals, length of the match beyond 4), the literals, the
 * distance back to the match (uint16le). Lengths from 15 on go on in bytes of 255 and a rest. The last 5 bytes are
 * literals, and no match begins in the last 12.
 */
const MIN_MATCH = 4
const LAST_LITERALS = 5
const NO_MATCH_IN_LAST = 12
const LONG = 15
const HASH_BITS = 15
/** However high the level: somebody may send bytes that all begin alike. */
const MAX_PLACES = 512

/** The sequences of a block, as long as they take less than what they stand for. */
class Sequences {
  readonly #source: Uint8Array
  readonly #output: Uint8Array
  #length = 0

  constructor(source: Uint8Array) {
    this.#source = source
    this.#output = new Uint8Array(source.length)
  }

  /** Adds the literals of `[from, to)` and a match of `length` bytes that lies `distance` back; none of length 0. */
  add(from: number, to: number, length = 0, distance = 0): boolean {
    const literals = to - from
    const beyond = length - MIN_MATCH
    if (this.#length + literals + literals / 255 + length / 255 + 5 > this.#output.length) return false
    const literalsNibble = Math.min(literals, LONG)
    this.#output[this.#length++] = (literalsNibble << 4) | (length === 0 ? 0 : Math.min(beyond, LONG))
    this.#rest(literals)
    this.#output.set(this.#source.subarray(from, to), this.#length)
    this.#length += literals
    if (length === 0) return true
    this.#output[this.#length++] = distance
    this.#output[this.#length++] = distance >>> 8
    this.#rest(beyond)
    return true
  }

  #rest(length: number): void {
    let left = length - LONG
    if (left < 0) return
    for (; left >= 255; left -= 255) this.#output[this.#length++] = 255
    this.#output[this.#length++] = left
  }

  bytes(): Uint8Array {
    return this.#output.subarray(0, this.#length)
  }
}

/** Places in a block by the four bytes that they begin with. */
class Places {
  readonly #source: Uint8Array
  readonly #newest = new Int32Array(1 << HASH_BITS).fill(-1)
  readonly #before: Int32Array
  /** Length and place of what {@link find} found. */
  length = 0
  place = 0

  constructor(source: Uint8Array) {
    this.#source = source
    this.#before = new Int32Array(source.length)
  }

  add(position: number): void {
    const hash = this.#hash(position)
    this.#before[position] = this.#newest[hash]!
    this.#newest[hash] = position
  }

  /** Looks for the longest match of what begins at `position` among so many places, the newest first. */
  find(position: number, end: number, attempts: number): boolean {
    const source = this.#source
    this.length = MIN_MATCH - 1
    let left = attempts
    for (
      let place = this.#newest[this.#hash(position)]!;
      place >= 0 && left > 0;
      place = this.#before[place]!, left--
    ) {
      // What cannot be longer than the best so far differs behind it.
      if (source[place + this.length] !== source[position + this.length]) continue
      let length = 0
      while (position + length < end && source[place + length] === source[position + length]) length++
      if (length <= this.length) continue
      this.length = length
      this.place = place
      if (position + length === end) break
    }
    return this.length >= MIN_MATCH
  }

  #hash(position: number): number {
    const source = this.#source
    const four =
      source[position]! | (source[position + 1]! << 8) | (source[position + 2]! << 16) | (source[position + 3]! << 24)
    return Math.imul(four, 0x9e3779b1) >>> (32 - HASH_BITS)
  }
}

/** One block of at most 64 KiB, at `level` 1 to 17; undefined where it would not be smaller than `source`. */
export function compressLz4High(source: Uint8Array, level: number): Uint8Array | undefined {
  const attempts = Math.min(2 ** (level - 1), MAX_PLACES)
  const sequences = new Sequences(source)
  const places = new Places(source)
  const end = source.length - LAST_LITERALS
  let literalsFrom = 0
  for (let position = 0; position <= source.length - NO_MATCH_IN_LAST; ) {
    const isFound = places.find(position, end, attempts)
    const next = position + (isFound ? places.length : 1)
    if (isFound) {
      if (!sequences.add(literalsFrom, position, places.length, position - places.place)) return undefined
      literalsFrom = next
    }
    for (; position < next; position++) if (position < end - MIN_MATCH) places.add(position)
  }
  return sequences.add(literalsFrom, source.length) ? sequences.bytes() : undefined
}
