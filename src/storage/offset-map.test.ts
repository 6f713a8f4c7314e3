import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { md5 } from './md5.ts'
import { OffsetMap } from './offset-map.ts'

describe('OffsetMap', () => {
  it('knows keys by the MD5 that everybody has of them, whatever their length', () => {
    const digest = new Int32Array(4)
    const same = (bytes: Uint8Array): void => {
      md5(bytes, digest)
      assert.equal(Buffer.from(digest.buffer).toString('hex'), hash('md5', bytes, 'hex'), `of ${bytes.length} bytes`)
    }
    for (let length = 0; length < 200; length++) same(Buffer.alloc(length, 'some bytes'))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), same))
  })

  it('gives the last offset of each key, as a map does', () => {
    const key = fc.uint8Array({ maxLength: 3 })
    fc.assert(
      fc.property(fc.array(key, { maxLength: 200 }), fc.array(key, { maxLength: 20 }), (put, others) => {
        const map = new OffsetMap(put.length + 2, 1 << 20)
        const expected = new Map<string, number>()
        for (const [index, bytes] of put.entries()) {
          map.put(bytes, index)
          expected.set(String(bytes), index)
        }
        assert.equal(map.size, expected.size)
        for (const bytes of [...put, ...others]) assert.equal(map.get(bytes), expected.get(String(bytes)) ?? -1)
      }),
    )
  })

  it('has room for offsets beyond 32 bits, and for no more keys than memory was given', () => {
    const map = new OffsetMap(1_000, 24 * 10)
    assert.equal(map.slots, 10)
    const offsets = [0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 45, 2 ** 52]
    for (const [index, offset] of offsets.entries()) map.put(Buffer.from([index]), offset)
    for (const [index, offset] of offsets.entries()) assert.equal(map.get(Buffer.from([index])), offset)
    map.put(Buffer.from('ninth'), 1)
    assert.throws(() => map.put(Buffer.from('tenth'), 1), RangeError)
  })
})
