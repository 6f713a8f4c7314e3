import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { defineConfig } from './config-def.ts'
import { ConfigError } from './config-error.ts'
import { Password } from './config-value.ts'
import { LONG_MAX } from './limits.ts'
import { atLeast, between, nonEmpty, oneOf, throttledReplicas } from './validators.ts'

const doc = 'A key.'
const importance = 'low'
const example = defineConfig({
  flag: { type: 'boolean', default: false, importance, doc },
  small: { type: 'short', default: 3, importance, doc },
  count: { type: 'int', default: 1, valid: atLeast(1), importance, doc },
  bytes: { type: 'long', default: LONG_MAX, importance, doc },
  ratio: { type: 'double', default: 0.5, valid: between(0, 1), importance, doc },
  names: { type: 'list', default: ['a', 'b'], importance, doc },
  policy: { type: 'list', default: 'delete', valid: oneOf('compact', 'delete'), importance, doc },
  directory: { type: 'string', default: null, valid: nonEmpty, importance, doc },
  secret: { type: 'password', default: null, importance, doc },
})

const failure = (properties: Record<string, string>): string => {
  try {
    example.parse(properties)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    assert.ok(!error.message.includes('\n'))
    return error.message
  }
  return assert.fail('accepted')
}

test('values have the type of their key, and defaults where none is given', () => {
  const config = example.parse({ flag: ' TRUE ', count: ' +7 ', names: ' x , y,z ', small: '-1' })
  const flag: boolean = config.get('flag')
  const count: number = config.get('count')
  const names: readonly string[] = config.get('names')
  const directory: string | null = config.get('directory')
  assert.deepEqual({ flag, count, names, directory }, { flag: true, count: 7, names: ['x', 'y', 'z'], directory: null })
  assert.equal(config.get('small'), -1)
  assert.equal(config.isDefault('count'), false)
  assert.equal(config.isDefault('ratio'), true)
})

test('a long beyond what a number holds saturates and is described as written', () => {
  const config = example.parse({ bytes: '9223372036854775806' })
  assert.equal(config.get('bytes'), Number.MAX_SAFE_INTEGER)
  assert.equal(config.text('bytes'), '9223372036854775806')
  assert.equal(example.parse({}).text('bytes'), LONG_MAX)
  assert.equal(example.parse({ bytes: '-9223372036854775808' }).get('bytes'), -Number.MAX_SAFE_INTEGER)
})

test('every whole number reads back as itself within its type, and is refused outside', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }), value => {
      const fits = value >= -(2n ** 63n) && value < 2n ** 63n
      if (fits) assert.equal(example.parse({ bytes: String(value) }).text('bytes'), String(value))
      else assert.match(failure({ bytes: String(value) }), /Not a number of type LONG$/)
    }),
  )
})

test('doubles are described as Java prints them', () => {
  const def = defineConfig({ x: { type: 'double', default: 0, importance, doc } })
  const texts = [
    '1',
    '0.50',
    '1e7',
    '12345678',
    '0.001',
    '0.0001',
    '1.7976931348623157E308',
    '1f',
    'NaN',
    '-Infinity',
    '0',
  ]
  const expected = ['1.0', '0.5', '1.0E7', '1.2345678E7', '0.001', '1.0E-4', '1.7976931348623157E308', '1.0', 'NaN']
  assert.deepEqual(
    texts.map(text => def.check('x', text)),
    [...expected, '-Infinity', '0.0'],
  )
})

test('a refused value is named with its key and the reason, in one line', () => {
  assert.equal(failure({ count: 'abc' }), 'Invalid value abc for configuration count: Not a number of type INT')
  assert.equal(failure({ count: '0' }), 'Invalid value 0 for configuration count: Value must be at least 1')
  assert.equal(
    failure({ count: '2147483648' }),
    'Invalid value 2147483648 for configuration count: Not a number of type INT',
  )
  assert.equal(failure({ small: '32768' }), 'Invalid value 32768 for configuration small: Not a number of type SHORT')
  assert.equal(failure({ ratio: '1.5' }), 'Invalid value 1.5 for configuration ratio: Value must be no more than 1')
  assert.equal(failure({ ratio: 'x' }), 'Invalid value x for configuration ratio: Not a number of type DOUBLE')
  assert.equal(
    failure({ flag: 'yes' }),
    'Invalid value yes for configuration flag: Expected value to be either true or false',
  )
  assert.equal(
    failure({ policy: 'compact,foo' }),
    'Invalid value foo for configuration policy: String must be one of: compact, delete',
  )
  assert.equal(failure({ directory: '' }), 'Invalid value  for configuration directory: String must be non-empty')
})

test('a comment behind a number is named as what is wrong', () => {
  assert.equal(
    failure({ count: '168 ## one week' }),
    'Invalid value 168 ## one week for configuration count: Not a number of type INT; a properties file has no ' +
      "comments behind a value: move '## one week' to a line of its own",
  )
  assert.match(failure({ bytes: '1GB' }), /write a plain number without a unit$/)
})

test('a secret is never shown', () => {
  const config = example.parse({ secret: 'hunter2' })
  const secret = config.get('secret')
  assert.ok(secret instanceof Password)
  assert.equal(secret.reveal(), 'hunter2')
  assert.equal(
    `${secret} ${JSON.stringify({ secret })} ${config.text('secret')}`,
    '[hidden] {"secret":"[hidden]"} [hidden]',
  )
})

test('unknown keys are kept and listed in the order given', () => {
  const config = example.parse(
    new Map([
      ['colour', 'red'],
      ['count', '2'],
      ['__proto__', 'x'],
    ]),
  )
  assert.deepEqual(config.unknownKeys(), ['colour', '__proto__'])
  assert.equal(config.properties.get('colour'), 'red')
  assert.equal(example.key('constructor'), undefined)
})

test('a key without a default must be given', () => {
  const def = defineConfig({ id: { type: 'int', importance, doc } })
  assert.throws(() => def.parse({}), /Missing required configuration id which has no default value/)
  assert.equal(def.parse({ id: '4' }).get('id'), 4)
})

test('throttled replicas are * or pairs', () => {
  const rule = throttledReplicas('key')
  assert.equal(rule.check(['*']), undefined)
  assert.equal(rule.check([]), undefined)
  assert.equal(rule.check(['0:1', '1:2']), undefined)
  assert.match(String(rule.check(['0:1', '*'])), /must be the literal '\*' or a list of replicas/)
})

test('huge and strange values are refused at once, with a short line', () => {
  const size = 1_000_000
  for (const value of [
    ' '.repeat(size),
    '1'.repeat(size),
    `${'1'.repeat(size)}x`,
    `${'a '.repeat(size)}#`,
    'a\nb\u0007',
  ]) {
    for (const key of ['flag', 'count', 'bytes', 'ratio', 'policy'] as const) {
      if (key === 'policy' && value.trim() === '') continue
      assert.ok(failure({ [key]: value }).length < 800)
    }
  }
  assert.match(failure({ count: 'a\nb' }), /^Invalid value a\\x0ab for/)
})
