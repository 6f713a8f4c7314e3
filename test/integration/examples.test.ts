/** Every example runs as its first lines say, and prints what it is meant to show. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { startCluster } from '../../src/testing/index.ts'
import { run } from '../compat/process.ts'
import { fromRoot } from './broker-process.ts'

/** What an example prints when it talks to a cluster with these topics. */
async function output(name: string, topics: Readonly<Record<string, number>>): Promise<string> {
  await using cluster = await startCluster({ topics })
  const file = name.endsWith('.mjs') ? `examples/${name}` : `dist/examples/${name}.js`
  const { stdout } = await run(process.execPath, [fromRoot(file), cluster.bootstrapServers])
  return stdout
}

const shown: Readonly<Record<string, () => Promise<void>>> = {
  'hello.mjs': async () => {
    const lines = (await output('hello.mjs', {})).trim().split('\n')
    assert.deepEqual(lines, [
      'hello-0 offset 0: jackdaw = a small crow',
      'hello-0 offset 1: kavka = the same bird in Czech',
      'hello-0 offset 2: Monedula = the same bird in Latin',
    ])
  },
  producer: async () => {
    const text = await output('producer', { first: 2 })
    for (const line of [/^awaited 2: partition [01], offset \d+$/m, /^at once: 100 acknowledged$/m])
      assert.match(text, line)
    for (const line of [/^callback: offset \d+$/m, /^in one call: 1000 acknowledged$/m]) assert.match(text, line)
  },
  partitioner: async () => {
    const text = await output('partitioner', { orders: 3 })
    const [, guest, anna, again, bob] = /^by hash of the key, as Java: (\d) (\d) (\d) (\d)$/m.exec(text) ?? []
    assert.ok(guest !== undefined && guest === again && anna !== undefined && bob !== undefined)
    assert.match(text, /^in turn: (?:0 1 2 0|1 2 0 1|2 0 1 2)$/m)
    assert.match(text, /^at random: [012] [012] [012] [012]$/m)
    assert.match(text, /^guests first: 0 1 0 2$/m)
  },
  consumer: async () => {
    await using cluster = await startCluster({ topics: { first: 1, orders: 1 } })
    const of = (name: string): string => fromRoot(`dist/examples/${name}.js`)
    await run(process.execPath, [of('producer'), cluster.bootstrapServers])
    const { stdout } = await run(process.execPath, [of('consumer'), cluster.bootstrapServers])
    const [assigned, first, ...others] = stdout.trim().split('\n')
    assert.equal(assigned, 'assigned: first-0 orders-0')
    assert.equal(first, 'first-0 0: key-0 = awaited 0')
    assert.equal(others.length, 9)
  },
  'manual-commit': async () => {
    const text = await output('manual-commit', { orders: 1 })
    assert.equal(text, 'at most once: worked on 0 1 2 4 5\nat least once: worked on 0 1 2 3 4 5\n')
  },
  'exactly-once': async () => {
    assert.equal(await output('exactly-once', { words: 1, shouted: 1 }), 'JACKDAW\nKAVKA\nMONEDULA\n')
  },
  tracing: async () => {
    const tree = 'send orders\n  process orders\n    send bills\n'
    assert.equal(await output('tracing', { orders: 1, bills: 1 }), tree)
  },
  'embedded.test': async () => {
    const { stdout } = await run(process.execPath, [fromRoot('dist/examples/embedded.test.js')], {
      // A test runner inside of a test would report to the outer one.
      env: { NODE_TEST_CONTEXT: '' },
    })
    assert.match(stdout, /an order that was sent is read, also when the broker fails once/)
  },
}

test('each example is among those that are run', () => {
  const files = readdirSync(fromRoot('examples')).filter(name => /\.(ts|mjs)$/.test(name))
  assert.deepEqual(files.map(name => name.replace(/\.ts$/, '')).sort(), Object.keys(shown).sort())
})

for (const [name, check] of Object.entries(shown)) test(`example ${name}`, check)
