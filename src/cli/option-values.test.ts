import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgumentError } from 'commander'
import { moment, nameValue, partitions, place, port, unescaped, wholeNumber } from './option-values.ts'

test('a place is a name, an offset, a distance to the end, or a time', () => {
  assert.deepEqual(place('beginning'), { at: 'beginning' })
  assert.deepEqual(place('earliest'), { at: 'beginning' })
  assert.deepEqual(place('end'), { at: 'end' })
  assert.deepEqual(place('17'), { at: 'offset', offset: 17 })
  assert.deepEqual(place('-17'), { at: 'before-end', count: 17 })
  assert.deepEqual(place('@1000'), { at: 'time', timestamp: 1_000 })
  assert.deepEqual(place('@1970-01-01T00:00:01+00:00'), { at: 'time', timestamp: 1_000 })
  for (const wrong of ['', 'start', '1.5', '9007199254740993', '@', '@yesterday', '@2026-13-01', '--1']) {
    assert.throws(() => place(wrong), InvalidArgumentError, wrong)
  }
})

test('numbers, times and pairs are refused when they are none', () => {
  assert.deepEqual(partitions('2,0', [1]), [1, 2, 0])
  assert.equal(moment('2026-01-01'), Date.UTC(2026, 0, 1))
  assert.deepEqual(nameValue('a=b=c', [['x', '']]), [
    ['x', ''],
    ['a', 'b=c'],
  ])
  for (const wrong of ['', '0', '-1', '1e3', '2147483648', ' 1']) {
    assert.throws(() => wholeNumber(1)(wrong), InvalidArgumentError, wrong)
  }
  for (const right of ['0', '9092', '65535']) assert.equal(port(right), right)
  for (const wrong of ['', '-1', '65536', 'http']) assert.throws(() => port(wrong), InvalidArgumentError, wrong)
  for (const wrong of ['', '1,', 'a']) assert.throws(() => partitions(wrong), InvalidArgumentError, wrong)
  for (const wrong of ['', 'today', '-5', '2026-02-31x']) {
    assert.throws(() => moment(wrong), InvalidArgumentError, wrong)
  }
  for (const wrong of ['', 'name', '=value']) assert.throws(() => nameValue(wrong), InvalidArgumentError, wrong)
})

test('characters that are hard to type have names', () => {
  assert.equal(unescaped('\\t\\n\\r\\0\\x41\\\\t\\q'), '\t\n\r\0A\\t\\q')
})
