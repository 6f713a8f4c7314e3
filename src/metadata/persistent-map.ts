/** Slots at each of the two levels; 4,096 small maps together. */
const WIDTH = 64

type Leaf<V> = ReadonlyMap<string, V>
type Level<V> = readonly (Leaf<V> | undefined)[]

/**
 * An immutable map by string whose changed copies share most with the original: a change copies two arrays of 64 and one
 * small map, so 100,000 topics cost a new one no more than a hundred do. Iteration is in no order.
 */
export class PersistentMap<V> {
  readonly size: number
  readonly #levels: readonly (Level<V> | undefined)[]

  private constructor(levels: readonly (Level<V> | undefined)[], size: number) {
    this.#levels = levels
    this.size = size
  }

  static empty<V>(): PersistentMap<V> {
    return new PersistentMap<V>(new Array<Level<V> | undefined>(WIDTH).fill(undefined), 0)
  }

  get(key: string): V | undefined {
    const slot = slotOf(key)
    return this.#levels[slot >>> 6]?.[slot & (WIDTH - 1)]?.get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  /** A map with `value` at `key`, or without the key where `value` is undefined. */
  with(key: string, value: V | undefined): PersistentMap<V> {
    const slot = slotOf(key)
    const level = this.#levels[slot >>> 6] ?? new Array<Leaf<V> | undefined>(WIDTH).fill(undefined)
    const leaf = new Map(level[slot & (WIDTH - 1)])
    if (value === undefined) leaf.delete(key)
    else leaf.set(key, value)
    const size = this.size + leaf.size - (level[slot & (WIDTH - 1)]?.size ?? 0)
    const newLevel = level.with(slot & (WIDTH - 1), leaf)
    return new PersistentMap(this.#levels.with(slot >>> 6, newLevel), size)
  }

  *entries(): IterableIterator<[string, V]> {
    for (const level of this.#levels) {
      for (const leaf of level ?? []) if (leaf) yield* leaf
    }
  }

  *keys(): IterableIterator<string> {
    for (const [key] of this.entries()) yield key
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value
  }
}

/** FNV-1a, folded to twelve bits. */
function slotOf(key: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return (hash ^ (hash >>> 12) ^ (hash >>> 24)) & 0xfff
}
