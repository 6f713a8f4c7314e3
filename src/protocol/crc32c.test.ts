import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32c, crc32cPortable } from './crc32c.ts'

test('CRC-32C gives the check value of its catalogue entry', () => {
  const digits = Buffer.from('123456789')
  assert.equal(crc32c(digits, 0, 9), 0xe3069283)
  assert.equal(crc32cPortable(digits, 0, 9), 0xe3069283)
  assert.equal(crc32c(digits, 3, 3), 0)
})

test('the native and the portable sum agree on any range, in one go or in two', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1500 }), fc.nat(1500), fc.nat(1500), fc.nat(1500), (bytes, a, b, c) => {
      const [start, middle, end] = [a, b, c].map(at => Math.min(at, bytes.length)).sort((x, y) => x - y) as [
        number,
        number,
        number,
      ]
      const whole = crc32cPortable(bytes, start, end)
      assert.equal(crc32c(bytes, start, end), whole)
      assert.equal(crc32c(bytes, middle, end, crc32c(bytes, start, middle)), whole)
      assert.equal(crc32cPortable(bytes, middle, end, crc32c(bytes, start, middle)), whole)
    }),
    { numRuns: 200 },
  )
})
