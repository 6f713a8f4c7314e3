const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995

/**
 * MurmurHash2 as Java's client computes it (`Utils.murmur2`): the same key goes to the same partition whichever client
 * wrote it. A signed 32-bit number. Of the first `length` bytes.
 */
export function murmur2(bytes: Uint8Array, length: number = bytes.length): number {
  const whole = length & ~3
  let hash = SEED ^ length
  for (let at = 0; at < whole; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    word = Math.imul(word, MULTIPLIER)
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER)
    hash = Math.imul(hash, MULTIPLIER) ^ word
  }
  const rest = length & 3
  if (rest === 3) hash ^= bytes[whole + 2]! << 16
  if (rest >= 2) hash ^= bytes[whole + 1]! << 8
  if (rest >= 1) hash = Math.imul(hash ^ bytes[whole]!, MULTIPLIER)
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}

/** The partition, of `count`, that Java's client puts a key into. */
export function partitionForKey(key: Uint8Array | string, count: number): number {
  const hash = typeof key === 'string' ? textMurmur2(key) : murmur2(key)
  return (hash & 0x7fff_ffff) % count
}

/** Texts up to this length are hashed without memory of their own. */
const scratch = Buffer.allocUnsafe(512)

function textMurmur2(text: string): number {
  if (text.length * 3 > scratch.length) return murmur2(Buffer.from(text))
  return murmur2(scratch, scratch.write(text, 'utf8'))
}
