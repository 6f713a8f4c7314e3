import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytes, double, integer, json, long, string, uuid } from './serializers.ts'

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), value =>
      assert.equal(string.deserialize(string.serialize(value, 't'), 't'), value),
    ),
  )
  fc.assert(
    fc.property(fc.integer(), value => assert.equal(integer.deserialize(integer.serialize(value, 't'), 't'), value)),
  )
  fc.assert(
    fc.property(fc.double(), value =>
      assert.ok(Object.is(double.deserialize(double.serialize(value, 't'), 't'), value)),
    ),
  )
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), value =>
      assert.equal(long.deserialize(long.serialize(value, 't'), 't'), value),
    ),
  )
  const order = json<{ id: number; items: string[] }>()
  assert.deepEqual(order.deserialize(order.serialize({ id: 1, items: ['ä'] }, 't'), 't'), { id: 1, items: ['ä'] })
  assert.deepEqual(bytes.deserialize(bytes.serialize(Buffer.of(1), 't'), 't'), Buffer.of(1))
})

test('numbers have the bytes that Java gives them', () => {
  assert.deepEqual([...integer.serialize(-2, 't')], [0xff, 0xff, 0xff, 0xfe])
  assert.deepEqual([...double.serialize(1, 't')], [0x3f, 0xf0, 0, 0, 0, 0, 0, 0])
  assert.deepEqual([...long.serialize(258n, 't')], [0, 0, 0, 0, 0, 0, 1, 2])
})

test('a UUID is written as Java writes it, and what is none is neither written nor read', () => {
  const id = '00b31b22-3c9b-4d0f-9d54-0a8b3f6f1c2e'
  assert.equal(Buffer.from(uuid.serialize(id.toUpperCase(), 'orders')).toString(), id)
  assert.equal(uuid.deserialize(Buffer.from(id), 'orders'), id)
  const refusal = { code: 'INVALID_RECORD', message: /orders is no UUID/ }
  for (const wrong of ['', 'order-1', `${id}0`, ` ${id}`, 7 as never, undefined as never, { id } as never]) {
    assert.throws(() => uuid.serialize(wrong, 'orders'), refusal)
  }
  assert.throws(() => uuid.deserialize(Buffer.from('order-1'), 'orders'), refusal)
})

test('what cannot be read is said with its topic', () => {
  assert.throws(() => integer.deserialize(Buffer.of(1, 2), 'orders'), { code: 'INVALID_RECORD', message: /orders/ })
  assert.throws(() => json().deserialize(Buffer.from('{'), 'orders'), { code: 'INVALID_RECORD', message: /orders/ })
})

test('what cannot be written is said with its topic', () => {
  const refusal = { code: 'INVALID_RECORD', message: /orders/ }
  assert.throws(() => integer.serialize(2 ** 31, 'orders'), refusal)
  assert.throws(() => integer.serialize('5' as never, 'orders'), refusal)
  assert.throws(() => double.serialize(undefined as never, 'orders'), refusal)
  assert.throws(() => long.serialize(5 as never, 'orders'), refusal)
})

test('what is no text is not written as one, and bytes stay what they are', () => {
  for (const [wrong, kind] of [
    [5, 'number'],
    [null, 'null'],
    [undefined, 'undefined'],
    [['a'], 'a list'],
  ] as const) {
    const message = `a value for orders is no text: it is of type ${kind}`
    assert.throws(() => string.serialize(wrong as never, 'orders'), { code: 'INVALID_RECORD', message })
  }
  assert.deepEqual(string.serialize(Buffer.of(1) as never, 'orders'), Buffer.of(1))
})

test('null stays null when it is read, as in Java', () => {
  for (const serde of [string, bytes, json(), integer, double, long, uuid])
    assert.equal(serde.deserialize(null as never, 'orders'), null)
})
