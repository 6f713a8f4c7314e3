import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VarintReader, varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts'

const bytes = Buffer.alloc(16)

test('an int32 is read as it was written, in as many bytes as said', () => {
  const check = (value: number): void => {
    assert.equal(writeVarint(bytes, 2, value), 2 + varintBytes(value))
    assert.equal(new VarintReader(bytes, 2).varint(), value)
  }
  for (const value of [0, -1, 63, -64, 64, 8191, -8193, 0x7fff_ffff, -0x8000_0000]) check(value)
  fc.assert(fc.property(fc.integer(), check))
})

test('a varlong is the zigzag varint of its value, exactly', () => {
  const check = (value: number): void => {
    const end = writeVarlong(bytes, 0, value)
    assert.equal(end, varlongBytes(value))
    assert.equal(new VarintReader(bytes).varlong(), value)
    let zigzag = 0n
    for (let at = end - 1; at >= 0; at--) zigzag = (zigzag << 7n) | BigInt(bytes[at]! & 0x7f)
    assert.equal((zigzag >> 1n) ^ -(zigzag & 1n), BigInt(value))
  }
  for (const value of [0, -1, 63, -64, 64, 2 ** 31, -(2 ** 31), Number.MAX_SAFE_INTEGER - 1, 1 - 2 ** 53]) check(value)
  fc.assert(fc.property(fc.integer({ min: 1 - 2 ** 53, max: 2 ** 53 - 2 }), check))
})
