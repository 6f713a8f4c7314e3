import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

/** Compiles one line as if it stood in `layer`, with that layer's own references; returns what the compiler says. */
function compileIn(layer: string, line: string): string {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const directory = mkdtempSync(join(root, '.cache', 'layering-'))
  const output = join(root, 'dist', '.cache', basename(directory))
  try {
    const { references } = JSON.parse(readFileSync(join(root, 'src', layer, 'tsconfig.json'), 'utf8'))
    const config = {
      extends: '../../tsconfig.base.json',
      compilerOptions: { rootDir: '.', outDir: output, tsBuildInfoFile: join(output, '.tsbuildinfo') },
      include: ['*.ts'],
      references: references.map(({ path }: { path: string }) => ({ path: join('../../src', layer, path) })),
    }
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config))
    writeFileSync(join(directory, 'probe.ts'), `${line}\n`)
    return spawnSync(process.execPath, [tsc, '-p', directory], { encoding: 'utf8' }).stdout
  } finally {
    rmSync(directory, { recursive: true })
    rmSync(output, { recursive: true, force: true })
  }
}

test('an import of a layer below compiles', () => {
  assert.equal(compileIn('storage', "export type { Disk } from '../../src/platform/index.ts'"), '')
})

test('an import of a layer above, or beside, does not compile, not even of a type', () => {
  assert.match(compileIn('platform', "export * from '../../src/protocol/index.ts'"), /TS6307|TS6059/)
  assert.match(compileIn('storage', "import type {} from '../../src/replication/index.ts'\nexport {}"), /TS6307|TS6059/)
  assert.match(compileIn('network', "export * from '../../src/storage/index.ts'"), /TS6307|TS6059/)
})
