import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

interface Target {
  /** What a compiler reads that does not know that ES modules can be required. */
  readonly require: { readonly types: string; readonly default: string }
  readonly types: string
  readonly default: string
}

interface Manifest {
  readonly main: string
  readonly types: string
  readonly typesVersions: { readonly '*': Readonly<Record<string, readonly string[]>> }
  readonly exports: Readonly<Record<string, string | Target>>
}

const file = fileURLToPath(new URL('../../../package.json', import.meta.url))
const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest

test('compilers that know no exports find the same files (moduleResolution node)', () => {
  const entries = Object.entries(manifest.exports).flatMap(([path, target]) =>
    typeof target === 'string' ? [] : [[path.replace('./', ''), target.types] as const],
  )
  const older = Object.entries(manifest.typesVersions['*']).map(([path, [types]]) => [path, types] as const)
  assert.deepEqual(new Map([['.', manifest.types], ...older]), new Map(entries))
  const main = manifest.exports['.']
  assert.equal(manifest.main, typeof main === 'object' ? main.default : undefined)
})

test('compilers that resolve a require find the declarations that an import has', () => {
  for (const target of Object.values(manifest.exports)) {
    if (typeof target === 'string') continue
    assert.equal(target.require.default, target.default)
    const declared = readFileSync(new URL(`../../../${target.require.types}`, import.meta.url), 'utf8')
    assert.equal(
      /^export \* from '\.(.+)'$/m.exec(declared)?.[1],
      target.types.replace('./', './').replace('.d.ts', '.js'),
    )
  }
})

test('require of CommonJS gets what import gets', async () => {
  const require = createRequire(import.meta.url)
  for (const path of ['monedula', 'monedula/testing', 'monedula/protocol']) {
    assert.deepEqual(Object.keys(require(path) as object).sort(), Object.keys((await import(path)) as object).sort())
  }
})
