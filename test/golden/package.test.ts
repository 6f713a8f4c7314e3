import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { posix } from 'node:path'
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

const root = fileURLToPath(new URL('../../..', import.meta.url))
const file = posix.join(root, 'package.json')
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

/**
 * Pages about the repository alone: how the code is made, changed and measured, and which of its tests show a promise. The registry would
 * lead README.md's links to them to the repository, which package.json cannot name yet.
 */
const ofTheRepository = ['CONTRIBUTING.md', 'benchmarks/BENCHMARKS.md', 'docs/architecture.md', 'docs/promises.md']

test('every link of a page in the package leads to a file or a heading in the package', () => {
  const files = packedFiles()
  const pages = files.filter(path => path.endsWith('.md') && !path.startsWith('dist/'))
  for (const page of ['README.md', 'CHANGELOG.md', 'docs/clients.md', 'docs/guides/testing.md']) {
    assert.ok(pages.includes(page), `${page} is not packed: ${pages.join()}`)
  }
  const outside = new Set<string>()
  const dead = pages.flatMap(page =>
    links(text(page))
      .filter(([path, anchor]) => {
        const target = path === '' ? page : posix.join(posix.dirname(page), path)
        if (ofTheRepository.includes(target)) {
          outside.add(target)
          return false
        }
        const found = files.includes(target) || (anchor === '' && files.some(name => name.startsWith(`${target}/`)))
        return !found || (anchor !== '' && !anchors(text(target)).includes(anchor))
      })
      .map(([path, anchor]) => `${page}: ${path}${anchor && `#${anchor}`}`),
  )
  assert.deepEqual(dead, [])
  assert.deepEqual([...outside].sort(), ofTheRepository, 'an exception that no link needs')
  assert.deepEqual(
    ofTheRepository.filter(path => files.includes(path)),
    [],
  )
})

/** The paths that npm would pack, by its own word. */
function packedFiles(): string[] {
  const answer = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
  })
  const [packed] = JSON.parse(answer) as { readonly files: readonly { readonly path: string }[] }[]
  return packed?.files.map(({ path }) => path) ?? []
}

function text(path: string): string {
  return readFileSync(posix.join(root, path), 'utf8')
}

/** What a page links to, but for other sites: path and anchor of each. */
function links(markdown: string): (readonly [path: string, anchor: string])[] {
  return [...prose(markdown).matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(
    ([, path = '', anchor = '']) => [path, anchor] as const,
  )
}

/** The anchors that GitHub and npm give the headings of a page. */
function anchors(markdown: string): string[] {
  const seen = new Map<string, number>()
  return [...prose(markdown).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-')
    const before = seen.get(slug) ?? 0
    seen.set(slug, before + 1)
    return before === 0 ? slug : `${slug}-${String(before)}`
  })
}

/** A page without its blocks of code. */
function prose(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```/gm, '')
}
