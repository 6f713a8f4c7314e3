import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MalformedError } from './errors.ts'
import { ByteReader } from './reader.ts'
import { INT64_MAX, ZERO_UUID } from './schema.ts'
import { ByteWriter } from './writer.ts'

const written = (write: (writer: ByteWriter) => void): Buffer => {
  const writer = new ByteWriter(1)
  write(writer)
  return Buffer.from(writer.finish())
}
const hex = (text: string): ByteReader => new ByteReader(Buffer.from(text, 'hex'))

/** Writes with one method and reads back with its namesake. */
function roundTrip<T>(
  arbitrary: fc.Arbitrary<T>,
  write: (w: ByteWriter, value: T) => void,
  read: (r: ByteReader) => T,
): void {
  fc.assert(
    fc.property(arbitrary, value => {
      const reader = new ByteReader(written(writer => write(writer, value)))
      assert.deepEqual(read(reader), value)
      assert.equal(reader.remaining, 0)
    }),
  )
}

test('every primitive comes back as it was written', () => {
  const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
  roundTrip(
    fc.boolean(),
    (w, v) => w.bool(v),
    r => r.bool(),
  )
  roundTrip(
    whole(-0x80, 0x7f),
    (w, v) => w.int8(v),
    r => r.int8(),
  )
  roundTrip(
    whole(-0x8000, 0x7fff),
    (w, v) => w.int16(v),
    r => r.int16(),
  )
  roundTrip(
    whole(0, 0xffff),
    (w, v) => w.uint16(v),
    r => r.uint16(),
  )
  roundTrip(
    whole(-0x8000_0000, 0x7fff_ffff),
    (w, v) => w.int32(v),
    r => r.int32(),
  )
  roundTrip(
    whole(0, 0xffff_ffff),
    (w, v) => w.uint32(v),
    r => r.uint32(),
  )
  roundTrip(
    fc.maxSafeInteger(),
    (w, v) => w.int64(v),
    r => r.int64(),
  )
  roundTrip(
    fc.double({ noNaN: true }),
    (w, v) => w.float64(v),
    r => r.float64(),
  )
  roundTrip(
    whole(0, 0xffff_ffff),
    (w, v) => w.unsignedVarint(v),
    r => r.unsignedVarint(),
  )
  roundTrip(
    whole(-0x8000_0000, 0x7fff_ffff),
    (w, v) => w.varint(v),
    r => r.varint(),
  )
  roundTrip(
    fc.maxSafeInteger(),
    (w, v) => w.varlong(v),
    r => r.varlong(),
  )
  roundTrip(
    fc.string({ unit: 'grapheme' }),
    (w, v) => w.string(v),
    r => r.string(),
  )
  roundTrip(
    fc.option(fc.string()),
    (w, v) => w.nullableString(v),
    r => r.nullableString(),
  )
  roundTrip(
    fc.string({ unit: 'grapheme' }),
    (w, v) => w.compactString(v),
    r => r.compactString(),
  )
  roundTrip(
    fc.option(fc.string({ maxLength: 300 })),
    (w, v) => w.compactNullableString(v),
    r => r.compactNullableString(),
  )
  roundTrip(
    fc.option(fc.constant<Uint8Array>(Buffer.from('ab'))),
    (w, v) => w.nullableSizedBytes(v),
    r => r.nullableSizedBytes(),
  )
})

test('int64 agrees with BigInt over the whole safe range', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), value => {
      assert.equal(written(writer => writer.int64(value)).readBigInt64BE(), BigInt(value))
    }),
  )
  assert.equal(written(writer => writer.int64(INT64_MAX)).toString('hex'), '7fffffffffffffff')
})

test('varints are those of protocol buffers', () => {
  assert.equal(written(writer => writer.unsignedVarint(300)).toString('hex'), 'ac02')
  assert.equal(written(writer => writer.varint(-1)).toString('hex'), '01')
  assert.equal(written(writer => writer.varint(-0x8000_0000)).toString('hex'), 'ffffffff0f')
  assert.equal(written(writer => writer.varlong(-65)).toString('hex'), '8101')
  assert.equal(hex('ac02').unsignedVarint(), 300)
})

test('an int64 that no number holds is malformed, not rounded', () => {
  assert.equal(hex('001fffffffffffff').int64(), Number.MAX_SAFE_INTEGER)
  assert.equal(hex('ffe0000000000001').int64(), -Number.MAX_SAFE_INTEGER)
  for (const beyond of ['0020000000000000', 'ffe0000000000000', '7fffffffffffffff', '8000000000000000']) {
    assert.throws(() => hex(beyond).int64(), MalformedError)
  }
  assert.equal(hex('7fffffffffffffff').int64OrMax(), INT64_MAX)
  assert.throws(() => hex('7ffffffffffffffe').int64OrMax(), MalformedError)
})

test('varints beyond five bytes and varlongs beyond ten are malformed', () => {
  assert.equal(hex('ffffffff0f').unsignedVarint(), 0xffff_ffff)
  for (const long of ['ffffffff10', 'ffffffff8f', 'ffffffffff01', '8080808080']) {
    assert.throws(() => hex(long).unsignedVarint(), MalformedError)
  }
  assert.throws(() => hex('ffffffffffffffffffff01').varlong(), MalformedError)
  assert.throws(() => hex('ffffffffffffffffff01').varlong(), MalformedError)
  assert.throws(() => hex('ff').varlong(), MalformedError)
})

test('no length reaches beyond the end of the reader', () => {
  assert.throws(() => hex('7fff61').string(), MalformedError)
  assert.throws(() => hex('fffe').nullableString(), MalformedError)
  assert.throws(() => hex('7fffffff').sizedBytes(), MalformedError)
  assert.throws(() => hex('80000000').nullableSizedBytes(), MalformedError)
  assert.throws(() => hex('ffffffff0f').compactSizedBytes(), MalformedError)
  assert.throws(() => hex('ffffffff0f00').compactString(), MalformedError)
  assert.throws(() => hex('00000003aabb').arrayLength(1), MalformedError)
  assert.throws(() => hex('fffffffe').arrayLength(1), MalformedError)
  assert.throws(() => new ByteReader(Buffer.alloc(8), 4, 6).int32(), MalformedError)
  assert.throws(() => hex('0102').bytes(-1), MalformedError)
  assert.throws(() => hex('0102').skip(3), MalformedError)
})

test('a compact string is no longer than a plain one may be', () => {
  const long = Buffer.concat([Buffer.from('818002', 'hex'), Buffer.alloc(0x8000)])
  assert.throws(() => new ByteReader(long).compactString(), MalformedError)
  assert.throws(() => new ByteWriter().compactString('x'.repeat(0x8000)), RangeError)
})

test('the writer refuses what its types cannot hold', () => {
  const writer = new ByteWriter()
  assert.throws(() => writer.int8(128), RangeError)
  assert.throws(() => writer.int16(-0x8001), RangeError)
  assert.throws(() => writer.uint16(-1), RangeError)
  assert.throws(() => writer.int32(0.5), RangeError)
  assert.throws(() => writer.uint32(2 ** 32), RangeError)
  assert.throws(() => writer.int64(2 ** 53), RangeError)
  assert.throws(() => writer.int64(Number.NaN), RangeError)
  for (const bad of ['', 'x', 'AAAAAAAAAAAAAAAAAAAAA!', 'AAAAAAAAAAAAAAAAAAAAAAA']) {
    assert.throws(() => writer.uuid(bad), RangeError, bad)
  }
})

test('uuids are read as Kafka prints them', () => {
  assert.equal(new ByteReader(Buffer.alloc(16)).uuid(), ZERO_UUID)
  const id = 'TQ9_XIVhSMqWvR8lYWf-0w'
  assert.equal(new ByteReader(written(writer => writer.uuid(id))).uuid(), id)
})

test('large byte arrays stay by reference and everything comes out in order', () => {
  const large = Buffer.alloc(4096, 1)
  const writer = new ByteWriter(8)
  writer.int32(1)
  writer.sizedBytes(large)
  writer.string('after')
  writer.bytes(Buffer.alloc(4095, 2))
  const chunks = writer.chunks()
  assert.ok(chunks.includes(large))
  assert.equal(writer.size, 4 + 4 + 4096 + 2 + 5 + 4095)
  const expected = Buffer.concat([
    Buffer.from('0000000100001000', 'hex'),
    large,
    Buffer.from('\0\x05after'),
    Buffer.alloc(4095, 2),
  ])
  assert.deepEqual(Buffer.concat(chunks), expected)
  writer.int8(9)
  assert.deepEqual(Buffer.from(writer.finish()), Buffer.concat([expected, Buffer.from([9])]))
})
