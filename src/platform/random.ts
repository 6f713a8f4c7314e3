import { nodeCrypto } from './node-crypto.ts'

/** Randomness as everything above this layer sees it. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [0, bound). */
  below(bound: number): number
  /** `length` random bytes. */
  bytes(length: number): Uint8Array
}

/** The machine's randomness; `bytes` is fit for identifiers. */
export const systemRandom: Random = {
  next: () => Math.random(),
  below: bound => Math.floor(Math.random() * bound),
  bytes: length => nodeCrypto().randomBytes(length),
}

/**
 * Randomness that `seed` (a 32-bit whole number) determines: the deterministic twin of {@link systemRandom}.
 * The generator is mulberry32: small, fast and good enough to choose faults; never for identifiers that must be secret.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return { next, below, bytes: length => Uint8Array.from({ length }, () => below(256)) }
}
