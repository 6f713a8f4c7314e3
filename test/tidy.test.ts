/**
 * What no compiler or linter says about this tree: size of files and functions, forbidden marks, a README in each layer.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const MAX_FILE_LINES = 500

/** Paths of the project's own sources below `directory`, relative to the root. */
function sources(directory: string): string[] {
  if (!existsSync(join(root, directory))) return []
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(ts|mjs)$/.test(name))
    .map(name => `${directory}/${name}`)
}

const all = ['src', 'test', 'scripts', 'benchmarks'].flatMap(sources)
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

test('no source file is longer than one idea', () => {
  const tooLong = all
    .map(path => ({ path, lines: read(path).split('\n').length }))
    .filter(({ lines }) => lines > MAX_FILE_LINES)
  assert.deepEqual(tooLong, [])
})

test('no file is left with a mark of unfinished work', () => {
  const mark = new RegExp(['TO', 'DO|FIX', 'ME|X', 'XX'].join(''))
  assert.deepEqual(
    all.filter(path => mark.test(read(path))),
    [],
  )
})

test('time, disk, network and randomness are touched in platform alone', () => {
  const seam =
    /\bDate\.now\(|new Date\(\)|Math\.random\(|(?<![.\w])set(Timeout|Interval|Immediate)\(|from 'node:(fs|net|tls|dgram|worker_threads)|performance\.now\(/
  const offenders = all.filter(
    path =>
      path.startsWith('src/') &&
      !path.startsWith('src/platform/') &&
      !path.endsWith('.test.ts') &&
      seam.test(read(path)),
  )
  assert.deepEqual(offenders, [])
})

test('every layer has a README and every file of it a name without utils, helpers or common', () => {
  const layers = readdirSync(join(root, 'src'))
  assert.deepEqual(
    layers.filter(layer => !existsSync(join(root, 'src', layer, 'README.md'))),
    [],
  )
  assert.deepEqual(
    all.filter(path => /(^|[/-])(utils?|helpers?|common)\b/.test(path)),
    [],
  )
})

/** What costs more to load than a client should pay has an entry of its own beside the index of its layer. */
const SECOND_ENTRIES = new Set(['config/broker.ts', 'platform/pino-logger.ts'])

test('an import from another layer goes through one of its entries, or names a message', () => {
  const offenders = all
    .filter(path => path.startsWith('src/'))
    .flatMap(path => {
      const layer = path.split('/')[1]
      return [...read(path).matchAll(/from '((?:\.\.\/)+)([a-z]+)\/([^']+)'/g)]
        .filter(([, up = '', target, file = '']) => {
          const climbsToSrc = up.split('../').length - 1 === path.split('/').length - 2
          const isEntry = file === 'index.ts' || SECOND_ENTRIES.has(`${target}/${file}`)
          return climbsToSrc && target !== layer && !isEntry && !/^messages\/(?:data\/)?[\w-]+\.ts$/.test(file)
        })
        .map(([line]) => `${path}: ${line}`)
    })
  assert.deepEqual(offenders, [])
})

test('each promise of docs/promises.md is the name of a test in the file that it names, and each fault test is promised', () => {
  const page = read('docs/promises.md')
  const promised = [...page.matchAll(/^\| ([^|]+) \|[^|]*\| \[[^\]]+\]\(\.\.\/(test\/faults\/[^)]+)\)/gm)]
    .map(([, promise, file]) => `${file}: ${promise}`)
    .sort()
  const shown = all
    .filter(path => /^test\/faults\/.*\.test\.ts$/.test(path))
    .flatMap(path => [...read(path).matchAll(/^test\(\s*'(.+)',\s/gm)].map(([, name]) => `${path}: ${name}`))
    .sort()
  assert.deepEqual(promised, shown)
})
