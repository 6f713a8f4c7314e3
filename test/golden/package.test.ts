import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

interface Manifest {
  readonly main: string
  readonly types: string
  readonly typesVersions: { readonly '*': Readonly<Record<string, readonly string[]>> }
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
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

test('require of CommonJS gets what import gets', async () => {
  const require = createRequire(import.meta.url)
  for (const path of ['monedula', 'monedula/testing', 'monedula/protocol']) {
    assert.deepEqual(Object.keys(require(path) as object).sort(), Object.keys((await import(path)) as object).sort())
  }
})
