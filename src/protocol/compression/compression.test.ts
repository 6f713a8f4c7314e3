import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { compress, decompress } from './compression.ts'
import type { CompressionType } from './compression-type.ts'
import { decompressLz4Block, lz4Blocks, portableCompressor } from './lz4-block.ts'
import { compressLz4, decompressLz4 } from './lz4-frame.ts'
import { compressLz4High } from './lz4-high.ts'
import { xxhash32 } from './xxhash32.ts'
import { zstdWasm } from './zstd.ts'

const CODECS: readonly CompressionType[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const MAX = { maxBytes: 1 << 20 }
const refused = /^(INVALID_RECORD|MESSAGE_TOO_LARGE)$/

/** Bytes of every kind: empty, random, repetitive, and longer than a block of each codec. */
const contents = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(150_000)).map(([seed, length]) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at++) bytes[at] = seed[at % seed.length]! ^ (at % 977 === 0 ? at : 0)
    return bytes
  }),
)

for (const codec of CODECS) {
  test(`${codec} gives back what it was given`, () => {
    fc.assert(
      fc.property(contents, bytes => {
        const padded = new Uint8Array(bytes.length + 5)
        padded.set(bytes, 3)
        const packed = compress(codec, padded.subarray(3, 3 + bytes.length))
        assert.deepEqual(Buffer.from(decompress(codec, packed, { maxBytes: bytes.length })), Buffer.from(bytes))
      }),
      { numRuns: 40 },
    )
  })

  test(`${codec} gives no byte more than it may`, () => {
    const bomb = compress(codec, Buffer.alloc(1_000_000, 'ab'))
    assert.throws(() => decompress(codec, bomb, { maxBytes: 999_999 }), { code: 'MESSAGE_TOO_LARGE' })
    assert.throws(() => decompress(codec, bomb, { maxBytes: 0 }), { code: 'MESSAGE_TOO_LARGE' })
    assert.equal(decompress(codec, bomb, { maxBytes: 1_000_000 }).length, 1_000_000)
  })

  if (codec === 'none') continue
  test(`${codec} refuses what is not its own, and survives any damage`, () => {
    const original = compress(codec, Buffer.from('a monedula, a monedula, a monedula of many letters. '.repeat(20)))
    for (let length = 0; length < original.length; length++) {
      // The header of the xerial framing alone is an empty stream.
      if (codec === 'snappy' && length === 16) continue
      assert.throws(() => decompress(codec, original.subarray(0, length), MAX), { code: refused }, `cut at ${length}`)
    }
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Uint8Array.from(original)
        damaged[at]! ^= flip
        try {
          assert.ok(decompress(codec, damaged, MAX).length <= MAX.maxBytes)
        } catch (error) {
          assert.match((error as { code: string }).code, refused)
        }
      }),
      { numRuns: 300 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
        try {
          decompress(codec, bytes, MAX)
        } catch (error) {
          assert.match((error as { code: string }).code, refused)
        }
      }),
    )
  })
}

test('snappy is written in xerial framing and also read raw', () => {
  const packed = compress('snappy', Buffer.from('hello hello hello hello'))
  assert.equal(Buffer.from(packed.subarray(0, 16)).toString('hex'), '82534e41505059000000000100000001')
  assert.equal(Buffer.from(decompress('snappy', packed.subarray(20), MAX)).toString(), 'hello hello hello hello')
  const twice = Buffer.concat([packed, packed])
  assert.equal(Buffer.from(decompress('snappy', twice, MAX)).toString(), 'hello hello hello hello'.repeat(2))
})

test('a snappy length that its bytes cannot give is refused without taking memory', () => {
  const claims = Buffer.from('ffffffff0f00', 'hex')
  assert.throws(() => decompress('snappy', claims, { maxBytes: 2 ** 40 }), { code: 'INVALID_RECORD' })
  const framed = Buffer.concat([Buffer.from('82534e415050590000000001000000017fffffff', 'hex'), claims])
  assert.throws(() => decompress('snappy', framed, { maxBytes: 2 ** 40 }), { code: 'INVALID_RECORD' })
})

test('gzip of several members reads as one', () => {
  const two = Buffer.concat([gzipSync('left '), gzipSync('right')])
  assert.equal(Buffer.from(decompress('gzip', two, MAX)).toString(), 'left right')
  assert.throws(() => decompress('gzip', deflateRawSync('bare'), MAX), { code: 'INVALID_RECORD' })
})

test('an LZ4 frame begins as Java begins it, and format 0 has the old checksum', () => {
  const bytes = Buffer.from('some content, some content, some content')
  assert.equal(Buffer.from(compressLz4(bytes).subarray(0, 7)).toString('hex'), '04224d18604082')
  const legacy = compressLz4(bytes, { legacyChecksum: true })
  assert.notEqual(legacy[6], 0x82)
  assert.throws(() => decompressLz4(legacy, MAX), { code: 'INVALID_RECORD' })
  assert.deepEqual(Buffer.from(decompressLz4(legacy, { ...MAX, legacyChecksum: true })), bytes)
  assert.deepEqual(Buffer.from(decompressLz4(compressLz4(bytes), { ...MAX, legacyChecksum: true })), bytes)
})

test('LZ4 frames with sizes and checksums are read, linked blocks refused', () => {
  const content = Buffer.from('abcdabcdabcdabcdabcdabcdabcdabcd!')
  const block = Buffer.from(lz4Blocks().compress(content)!)
  const word = (value: number): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    return bytes
  }
  const frame = (flags: number): Buffer => {
    const descriptor = Buffer.concat([Buffer.from([flags, 0x70]), flags & 8 ? Buffer.alloc(8, 0xff) : Buffer.alloc(0)])
    return Buffer.concat([
      word(0x184d2204),
      descriptor,
      Buffer.from([xxhash32(descriptor) >>> 8]),
      word(block.length),
      block,
      flags & 0x10 ? word(xxhash32(block)) : Buffer.alloc(0),
      word(0),
      flags & 4 ? word(xxhash32(content)) : Buffer.alloc(0),
    ])
  }
  for (const flags of [0x60, 0x64, 0x68, 0x6c, 0x70, 0x7c]) {
    assert.deepEqual(Buffer.from(decompressLz4(frame(flags), MAX)), content)
  }
  const badSum = frame(0x64)
  badSum[badSum.length - 1]! ^= 1
  assert.throws(() => decompressLz4(badSum, MAX), /content checksum/)
  for (const flags of [0x40, 0x61, 0x62, 0xa0]) {
    assert.throws(() => decompressLz4(frame(flags), MAX), { code: 'INVALID_RECORD' })
  }
})

test('LZ4 blocks of the portable and the native code are the same to each other', () => {
  const compressPortably = portableCompressor()
  fc.assert(
    fc.property(contents, whole => {
      const bytes = whole.subarray(0, 65_536)
      for (const block of [lz4Blocks().compress(bytes), compressPortably(bytes)]) {
        if (block === undefined) continue
        assert.deepEqual(Buffer.from(decompressLz4Block(block, bytes.length)), Buffer.from(bytes))
        assert.deepEqual(Buffer.from(lz4Blocks().decompress(block, 65_536)), Buffer.from(bytes))
      }
    }),
    { numRuns: 60 },
  )
})

test('no bytes make the portable LZ4 decoder give more than it may', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(500), (block, maxBytes) => {
      try {
        assert.ok(decompressLz4Block(block, maxBytes).length <= maxBytes)
      } catch (error) {
        assert.ok(error instanceof Error)
      }
    }),
    { numRuns: 500 },
  )
})

test('xxHash32 gives its published values', () => {
  assert.equal(xxhash32(Buffer.from('')), 0x02cc5d05)
  assert.equal(xxhash32(Buffer.from('abc')), 0x32d153ff)
  assert.equal(xxhash32(Buffer.from('Nobody inspects the spammish repetition')), 0xe2293b2f)
})

test('zstd claims about size, window and dictionary are not believed', () => {
  // One raw block of one byte, said to be 2^40 bytes; then windows of 2 GiB and 128 MiB; then a dictionary.
  const lie = Buffer.from('28b52ffde0000000000001000009000061', 'hex')
  assert.throws(() => decompress('zstd', lie, { maxBytes: 2 ** 41 }), /blocks that give 1 at most/)
  assert.throws(() => decompress('zstd', Buffer.from('28b52ffd00a809000061', 'hex'), MAX), /window/)
  assert.equal(decompress('zstd', Buffer.from('28b52ffd008809000061', 'hex'), MAX).length, 1)
  assert.throws(() => decompress('zstd', Buffer.from('28b52ffd01000709000061', 'hex'), MAX), /dictionary/)
})

test('zstd frames of unknown size, several frames and skippable ones are read', () => {
  const one = Buffer.from('28b52ffd000009000061', 'hex')
  const repeated = Buffer.from('28b52ffd0050030004ff', 'hex')
  const skippable = Buffer.from('5a2a4d1803000000aabbcc', 'hex')
  const all = Buffer.concat([skippable, one, repeated, skippable, one])
  assert.equal(decompress('zstd', all, MAX).length, 32 * 1024 + 2)
  assert.throws(() => decompress('zstd', all, { maxBytes: 32 * 1024 + 1 }), { code: 'MESSAGE_TOO_LARGE' })
  assert.throws(() => decompress('zstd', Buffer.concat(new Array(65).fill(one)), MAX), { code: 'INVALID_RECORD' })
})

test('zstd by WebAssembly reads and is read like the one in use', async () => {
  const wasm = zstdWasm()
  const bytes = Buffer.from('another way to the same bytes. '.repeat(500))
  assert.deepEqual(Buffer.from(decompress('zstd', wasm.compress(bytes, 3), MAX)), bytes)
  assert.deepEqual(Buffer.from(wasm.decompressFrame(compress('zstd', bytes, 10), bytes.length)), bytes)
  assert.throws(() => wasm.decompressFrame(Buffer.from('28b52ffd0050030004ff', 'hex'), 100))
})

test('LZ4 blocks of every level are those of the format, and smaller with more effort', () => {
  for (const level of [1, 5, 17]) {
    fc.assert(
      fc.property(contents, bytes => {
        const block = compressLz4High(bytes.subarray(0, 1 << 16), level)
        if (block === undefined) return
        const content = Buffer.from(bytes.subarray(0, 1 << 16))
        assert.deepEqual(Buffer.from(decompressLz4Block(block, content.length)), content)
        assert.deepEqual(Buffer.from(lz4Blocks().decompress(block, content.length)), content)
      }),
      { numRuns: 60 },
    )
  }
  const text = Buffer.from(Array.from({ length: 3_000 }, (_, i) => `${(i * i) % 1_009} words, `).join(''))
  const sizes = [1, 3, 6, 17].map(level => compress('lz4', text, level).length)
  assert.deepEqual(
    sizes,
    [...sizes].sort((a, b) => b - a),
  )
  assert.ok(sizes[0]! > sizes[3]! && sizes[3]! < compress('lz4', text).length, sizes.join())
  assert.deepEqual(compress('lz4', text, 9), compress('lz4', text))
  for (const level of [1, 17]) assert.deepEqual(Buffer.from(decompress('lz4', compress('lz4', text, level), MAX)), text)
})
