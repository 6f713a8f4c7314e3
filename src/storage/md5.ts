/**
 * MD5 (RFC 1321) of short byte strings, a third of the time of a call into `node:crypto`: what hashing a key costs there
 * is the call, an object for its options and a buffer for the digest.
 */

/** A block as sixteen little-endian words, which is how every machine that Node runs on has them. */
const block = new Int32Array(16)
const blockBytes = new Uint8Array(block.buffer)
const LENGTH_POSITION = 56

const SINES = Int32Array.from({ length: 64 }, (_, step) => Math.floor(Math.abs(Math.sin(step + 1)) * 2 ** 32) | 0)

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

type Step = (a: number, b: number, c: number, d: number, word: number, bits: number) => number
const f: Step = (a, b, c, d, word, bits) => (rotate((a + ((b & c) | (~b & d)) + word) | 0, bits) + b) | 0
const g: Step = (a, b, c, d, word, bits) => (rotate((a + ((b & d) | (c & ~d)) + word) | 0, bits) + b) | 0
const h: Step = (a, b, c, d, word, bits) => (rotate((a + (b ^ c ^ d) + word) | 0, bits) + b) | 0
const i: Step = (a, b, c, d, word, bits) => (rotate((a + (c ^ (b | ~d)) + word) | 0, bits) + b) | 0

/** The word of a step of the round that takes every `stride`th of them. */
const word = (step: number, stride: number, first: number): number =>
  block[(stride * step + first) & 15]! + SINES[step]!

function takeBlock(state: Int32Array): void {
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  for (let step = 0; step < 16; step += 4) {
    a = f(a, b, c, d, word(step, 1, 0), 7)
    d = f(d, a, b, c, word(step + 1, 1, 0), 12)
    c = f(c, d, a, b, word(step + 2, 1, 0), 17)
    b = f(b, c, d, a, word(step + 3, 1, 0), 22)
  }
  for (let step = 16; step < 32; step += 4) {
    a = g(a, b, c, d, word(step, 5, 1), 5)
    d = g(d, a, b, c, word(step + 1, 5, 1), 9)
    c = g(c, d, a, b, word(step + 2, 5, 1), 14)
    b = g(b, c, d, a, word(step + 3, 5, 1), 20)
  }
  for (let step = 32; step < 48; step += 4) {
    a = h(a, b, c, d, word(step, 3, 5), 4)
    d = h(d, a, b, c, word(step + 1, 3, 5), 11)
    c = h(c, d, a, b, word(step + 2, 3, 5), 16)
    b = h(b, c, d, a, word(step + 3, 3, 5), 23)
  }
  for (let step = 48; step < 64; step += 4) {
    a = i(a, b, c, d, word(step, 7, 0), 6)
    d = i(d, a, b, c, word(step + 1, 7, 0), 10)
    c = i(c, d, a, b, word(step + 2, 7, 0), 15)
    b = i(b, c, d, a, word(step + 3, 7, 0), 21)
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
