import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur2, partitionForKey } from './murmur2.ts'

// As org.apache.kafka.common.utils.Utils.murmur2 of kafka-clients 3.9.1 gives them; test/compat compares thousands more.
const GOLDEN: readonly [string, number][] = [
  ['', 275646681],
  ['21', -973932308],
  ['abc', 479470107],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
]

test('keys hash to what Java hashes them to, whether given as text or as bytes', () => {
  for (const [text, hash] of GOLDEN) {
    assert.equal(murmur2(Buffer.from(text)), hash, text)
    for (const count of [1, 3, 1000]) {
      assert.equal(partitionForKey(text, count), (hash & 0x7fff_ffff) % count)
      assert.equal(partitionForKey(Buffer.from(text), count), (hash & 0x7fff_ffff) % count)
    }
  }
})

test('a text hashes as its UTF-8 does, long or short', () => {
  for (const text of ['ключ', '😀'.repeat(3), 'é'.repeat(2_000)]) {
    assert.equal(partitionForKey(text, 2 ** 31), partitionForKey(Buffer.from(text), 2 ** 31))
  }
})
