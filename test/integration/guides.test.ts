/**
 * The code of docs/guides is code that runs. The `ts` blocks of a page are one program, each `##` section a scope of its own, compiled
 * against the package's types and run against a broker made for the page. `ts no-run` is compiled only: it needs what a test has not,
 * or has no end. `text` is what the program prints. `js` is for other tests: it shows other libraries.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { startCluster } from '../../src/testing/index.ts'
import { run } from '../compat/process.ts'
import { fromRoot } from './broker-process.ts'
import { blocksOf } from './guide-blocks.ts'

const SHOWN_ADDRESS = 'localhost:9092'
const built = fromRoot('dist/guides')

const IMPORT = /^import (?:type )?[^'\n]*(?:\{[^}]*\} from )?'[^']+'\n/gm
const NAMED = /^import \{([^}]*)\} from '([^']+)'\n$/

/** What a page imports, each name once. */
function importsOf(code: string): string {
  const names = new Map<string, Set<string>>()
  const others = new Set<string>()
  for (const [statement] of code.matchAll(IMPORT)) {
    const [, list, from] = NAMED.exec(statement) ?? []
    if (list === undefined || from === undefined) others.add(statement)
    else {
      const known = names.get(from) ?? new Set()
      for (const name of list.split(',')) if (name.trim() !== '') known.add(name.trim())
      names.set(from, known)
    }
  }
  const merged = Array.from(names, ([from, list]) => `import { ${[...list].join(', ')} } from '${from}'\n`)
  return [...others, ...merged].join('')
}

function programOf(page: string): string {
  const shown = blocksOf(page).filter(({ language }) => language === 'ts' || language === 'ts no-run')
  const sections = new Map<number, string>()
  for (const { language, code, section } of shown) {
    const body = code.replaceAll(IMPORT, '')
    const kept = language === 'ts' ? body : `void async function () {\n${body}}\n`
    sections.set(section, `${sections.get(section) ?? ''}${kept}`)
  }
  const scopes = Array.from(sections, ([section, code]) => (section === 0 ? code : `{\n${code}}\n`))
  return `${importsOf(shown.map(({ code }) => code).join(''))}${scopes.join('')}export {}\n`
}

const pages = readdirSync(fromRoot('docs/guides')).map(name => name.replace(/\.md$/, ''))

before(async () => {
  rmSync(built, { recursive: true, force: true })
  mkdirSync(built, { recursive: true })
  for (const page of pages) writeFileSync(join(built, `${page}.ts`), programOf(page))
  const compilerOptions = { composite: false, declaration: false, sourceMap: false, noUnusedLocals: false }
  const config = { extends: fromRoot('tsconfig.base.json'), compilerOptions, include: ['*.ts'] }
  writeFileSync(join(built, 'tsconfig.json'), JSON.stringify(config))
  const compiler = fromRoot('node_modules/typescript/bin/tsc')
  await run(process.execPath, [compiler, '-p', built, '--pretty', 'false'])
})

for (const page of pages) {
  test(`the code of docs/guides/${page}.md runs, and prints what is shown`, async () => {
    await using cluster = await startCluster()
    const file = join(built, `${page}.js`)
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(SHOWN_ADDRESS, cluster.bootstrapServers))
    // A test runner inside of a test would report to the outer one.
    const env = { NODE_TEST_CONTEXT: '', KAFKA_URL: cluster.bootstrapServers }
    const { stdout } = await run(process.execPath, [file], { env })
    for (const { language, code } of blocksOf(page)) if (language === 'text') assert.ok(stdout.includes(code), code)
  })
}
