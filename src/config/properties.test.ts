import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProperties } from './properties.ts'

test('a file reads as java.util.Properties reads it', () => {
  const text = [
    '# a comment \\',
    '! another',
    'broker.id=0',
    '  log.dirs : /a,\\',
    '    /b',
    'rack  one two ',
    'path=C:\\\\data',
    'name=\\u00e9\\t!',
    'with\\ space\\:key=v=w:x',
    'empty=',
    'bare',
    'broker.id=7',
    'log.retention.hours=168 ## one week',
    '\f \t',
    'last=1\\',
  ].join('\r\n')
  assert.deepEqual(Object.fromEntries(parseProperties(text)), {
    'broker.id': '7',
    'log.dirs': '/a,/b',
    rack: 'one two ',
    path: 'C:\\data',
    name: 'é\t!',
    'with space:key': 'v=w:x',
    empty: '',
    bare: '',
    'log.retention.hours': '168 ## one week',
    last: '1',
  })
})

test('a broken escape is an error in one line', () => {
  assert.throws(() => parseProperties('a=\\u00zz'), /^ConfigError: Properties file cannot be read: .*u00zz/)
})
