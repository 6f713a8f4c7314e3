/**
 * Writes the `monedula` command into few files, `dist/bundle/cli`, which load in a fraction of the time of the hundreds that it is
 * compiled to: `node dist/scripts/bundle.js`, part of every build. What runs brokers stays outside, since it starts threads from files of
 * its own; so do other people's packages.
 */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('..', import.meta.url))
const source = join(dist, 'src')
const target = join(dist, 'bundle', 'cli')
const ENTRY = 'monedula.js'
/** Commands that are loaded from where they are compiled. */
const OUTSIDE: ReadonlySet<string> = new Set(['./start.js', './demo.js'])

/** When the newest layer was compiled, or the bundle written; 0 where there is none. */
const modifiedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
const compiledMs = Math.max(
  ...readdirSync(source).map(layer => modifiedMs(join(source, layer, '.tsbuildinfo'))),
  modifiedMs(fileURLToPath(import.meta.url)),
)

if (modifiedMs(join(target, ENTRY)) <= compiledMs) {
  // Loaded where there is something to bundle: every `npm start` comes by here.
  const { rolldown } = await import('rolldown')
  rmSync(target, { recursive: true, force: true })
  const build = await rolldown({
    input: join(source, 'cli', ENTRY),
    platform: 'node',
    external: /^[@a-z]/,
    plugins: [
      {
        name: 'commands that stay outside',
        resolveId: id => (OUTSIDE.has(id) ? { id: `../../src/cli/${id.slice(2)}`, external: true } : undefined),
      },
    ],
  })
  await build.write({ dir: target, format: 'esm' })
}
