import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { referencePages } from '../../scripts/docs.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

for (const [path, text] of referencePages()) {
  test(`${path} says what the code does: otherwise run npm run docs`, () => {
    assert.equal(readFileSync(join(root, path), 'utf8'), text)
  })
}

test('every link from one page to another leads somewhere', () => {
  const pages = ['', 'docs', 'benchmarks', 'src', 'test'].flatMap(directory =>
    readdirSync(join(root, directory), { recursive: directory !== '', encoding: 'utf8' })
      .filter(name => name.endsWith('.md'))
      .map(name => join(directory, name)),
  )
  assert.ok(pages.includes('README.md') && pages.includes(join('docs', 'architecture.md')), pages.join())
  const dead = pages.flatMap(page =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map(([, target = '']) => target)
      .filter(target => !existsSync(join(root, dirname(page), target)))
      .map(target => `${page}: ${target}`),
  )
  assert.deepEqual(dead, [])
})

test('docs/compatibility.md names only files that are there and versions that they run', () => {
  const text = readFileSync(join(root, 'docs/compatibility.md'), 'utf8')
  const directory = join(root, 'test/compat')
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const words = [...text.matchAll(/(?:\| `([\w-]+)` \|$|\(`([\w-]+)`\))/gm)].map(
    ([, cell, aside]) => cell ?? aside ?? '',
  )
  assert.ok(words.length > 15, words.join())
  assert.deepEqual(
    words.filter(word => !files.some(name => name.includes(word) && name.endsWith('.test.ts'))),
    [],
  )
  const tested = ['package.json', ...files.map(name => join('test/compat', name))]
    .map(path => readFileSync(join(root, path), 'utf8'))
    .join()
  const versions = [...text.matchAll(/^\|[^|]+\|([^|]+)\|[^|]+\|[^|]+\|$/gm)].flatMap(
    ([, cell = '']) => cell.match(/\d+(\.\d+){2,}/g) ?? [],
  )
  assert.ok(versions.length > 10, versions.join())
  assert.deepEqual(
    versions.filter(version => !tested.includes(version)),
    [],
  )
})
