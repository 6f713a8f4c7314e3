/**
 * MD5 (RFC 1321) of short byte strings, a tenth of the time of a call into `node:crypto`: what hashing a key costs there is
 * the call, an object for its options and a buffer for the digest.
 */

/** A block as sixteen little-endian words, which is how every machine that Node runs on has them. */
const block = new Int32Array(16)
const blockBytes = new Uint8Array(block.buffer)
const LENGTH_POSITION = 56

const SINES = Int32Array.from({ length: 64 }, (_, step) => Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32) | 0)
/** Which word each step takes, and by how many bits it rotates. */
const WORDS = Uint8Array.from(
  { length: 64 },
  (_, step) => [step, 5 * step + 1, 3 * step + 5, 7 * step][step >> 4]! & 15,
)
const BITS = Uint8Array.from(
  [
    [7, 12, 17, 22],
    [5, 9, 14, 20],
    [4, 11, 16, 23],
    [6, 10, 15, 21],
  ].flatMap(four => [four, four, four, four].flat()),
)

/** The four rounds are written out: as calls of one function with four others they take four times as long. */
function takeBlock(state: Int32Array): void {
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  for (let step = 0; step < 16; step++) {
    const sum = (a + (d ^ (b & (c ^ d))) + block[step]! + SINES[step]!) | 0
    a = d
    d = c
    c = b
    b = (b + ((sum << BITS[step]!) | (sum >>> (32 - BITS[step]!)))) | 0
  }
  for (let step = 16; step < 32; step++) {
    const sum = (a + (c ^ (d & (b ^ c))) + block[WORDS[step]!]! + SINES[step]!) | 0
    a = d
    d = c
    c = b
    b = (b + ((sum << BITS[step]!) | (sum >>> (32 - BITS[step]!)))) | 0
  }
  for (let step = 32; step < 48; step++) {
    const sum = (a + (b ^ c ^ d) + block[WORDS[step]!]! + SINES[step]!) | 0
    a = d
    d = c
    c = b
    b = (b + ((sum << BITS[step]!) | (sum >>> (32 - BITS[step]!)))) | 0
  }
  for (let step = 48; step < 64; step++) {
    const sum = (a + (c ^ (b | ~d)) + block[WORDS[step]!]! + SINES[step]!) | 0
    a = d
    d = c
    c = b
    b = (b + ((sum << BITS[step]!) | (sum >>> (32 - BITS[step]!)))) | 0
  }
  state[0] = state[0]! + a
  state[1] = state[1]! + b
  state[2] = state[2]! + c
  state[3] = state[3]! + d
}

/** Writes the digest of `bytes` into the four words of `digest`. */
export function md5(bytes: Uint8Array, digest: Int32Array): void {
  digest[0] = 0x67452301
  digest[1] = 0xefcdab89
  digest[2] = 0x98badcfe
  digest[3] = 0x10325476
  let position = 0
  for (; bytes.length - position >= 64; position += 64) {
    for (let at = 0; at < 64; at++) blockBytes[at] = bytes[position + at]!
    takeBlock(digest)
  }
  block.fill(0)
  const rest = bytes.length - position
  for (let at = 0; at < rest; at++) blockBytes[at] = bytes[position + at]!
  blockBytes[rest] = 0x80
  if (rest >= LENGTH_POSITION) {
    takeBlock(digest)
    block.fill(0)
  }
  block[14] = bytes.length << 3
  block[15] = bytes.length >>> 29
  takeBlock(digest)
}
