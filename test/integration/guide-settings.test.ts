/** Settings that the guides name are there, and have the defaults that the guides say. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { adminKeys } from '../../src/client/admin/admin-config.ts'
import { consumerKeys } from '../../src/client/consumer/consumer-config.ts'
import { producerKeys } from '../../src/client/producer/producer-config.ts'
import type { ConfigKey } from '../../src/config/index.ts'
import { fromRoot } from './broker-process.ts'

const keys: Readonly<Record<string, ConfigKey>> = { ...producerKeys, ...consumerKeys, ...adminKeys }

/** A setting with its default, as a row says it. */
interface Said {
  readonly page: string
  readonly name: string
  readonly value: string
}

/** What the tables of a page whose columns are `setting`, ..., `default` or `ours` say. */
function saidOn(page: string): Said[] {
  const lines = readFileSync(fromRoot(`docs/guides/${page}`), 'utf8').split('\n')
  const said: Said[] = []
  let column = -1
  for (const line of lines) {
    if (line.startsWith('|-')) continue
    const cells = line.split(' | ').map(cell => cell.replace(/^\| | \|$/g, ''))
    if (!line.startsWith('| ')) column = -1
    else if (cells[0] === 'setting') column = cells.includes('ours') ? cells.indexOf('ours') : cells.indexOf('default')
    else if (column > 0 && cells[0] !== undefined) {
      const given = cells[column] === 'the same' ? cells[column - 1] : cells[column]
      const values = (given ?? '')
        .split(';')[0]!
        .replaceAll('`', '')
        .split(/, (?=\S)/)
      const names = [...cells[0].matchAll(/`([a-z0-9.]+)`/g)].map(([, name = '']) => name)
      for (const [index, name] of names.entries())
        said.push({ page, name, value: values[index] ?? values.at(-1) ?? '' })
    }
  }
  return said
}

const shown = (value: unknown): string =>
  value === null || value === '' || value === undefined ? 'none' : String(value)

test('the defaults that guides name are those of the code', () => {
  const said = readdirSync(fromRoot('docs/guides')).flatMap(saidOn)
  assert.ok(said.length > 80, `${said.length} settings`)
  const wrong = said.filter(({ name, value }) => {
    const key = keys[name]
    return key === undefined || shown(key.default) !== value
  })
  assert.deepEqual(
    wrong.map(({ page, name, value }) => `${page}: ${name} is ${shown(keys[name]?.default)}, not ${value}`),
    [],
  )
})
