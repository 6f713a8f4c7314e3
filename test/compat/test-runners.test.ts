/** The package, installed as users install it, under the test runners and the bundler that they have. */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromRoot } from '../integration/broker-process.ts'
import { blocksOf } from '../integration/guide-blocks.ts'
import { installedPackage } from './installed-package.ts'
import { run } from './process.ts'
import { toolOrSkip } from './tools.ts'

const RUNNERS = ['vitest@4.1.12', 'jest@30.5.2', '@swc/core@1.16.22', '@swc/jest@0.2.39']

const runners = [
  { name: 'vitest', module: 'vitest', command: ['vitest', 'run', '--root', '.'], env: {}, passed: /2 passed/ },
  {
    name: 'jest',
    module: '@jest/globals',
    command: ['jest', '--rootDir', '.'],
    env: { NODE_OPTIONS: '--experimental-vm-modules' },
    passed: /2 passed/,
  },
]

let installed: Promise<string> | undefined
const installedProject = (): Promise<string> => {
  installed ??= installedPackage('test-runners', RUNNERS)
  return installed
}

/** The test of docs/guides/testing.md that imports `module`. */
function testOfGuide(module: string): string {
  const block = blocksOf('testing').find(({ code }) => code.includes(`from '${module}'`))
  assert.ok(block, `the guide shows a test with ${module}`)
  return block.code
}

test('a test with a Kafka of its own runs under vitest and jest', { timeout: 600_000 }, async context => {
  const directory = await toolOrSkip(context, RUNNERS.join(' and '), installedProject)
  if (directory === undefined) return
  for (const { name, module, command, env, passed } of runners) {
    await context.test(name, async () => {
      cpSync(fromRoot(`examples/${name}`), join(directory, name), { recursive: true })
      writeFileSync(join(directory, name, 'guide.test.mjs'), testOfGuide(module))
      const [program = '', ...args] = command
      const bin = join(directory, 'node_modules', '.bin', program)
      const options = { cwd: join(directory, name), env: { ...env, NO_COLOR: '1' } }
      const { stdout, stderr } = await run(bin, args, options)
      assert.match(stdout + stderr, passed)
    })
  }
})

const COMMON_JS_TEST = `const { connect, json } = require('monedula')
const { startCluster } = require('monedula/testing')

test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('%s', async compressionType => {
  const cluster = await startCluster({ topics: ['orders'] })
  const kafka = connect(cluster.bootstrapServers)
  const producer = kafka.producer({ value: json(), compressionType })
  const consumer = kafka.consumer({ groupId: 'g', value: json(), autoOffsetReset: 'earliest' })
  await producer.send('orders', { value: { id: 'x'.repeat(1_000) } })
  consumer.subscribe('orders')
  for await (const { value } of consumer) {
    expect(value).toEqual({ id: 'x'.repeat(1_000) })
    break
  }
  await Promise.all([producer.close(), consumer.close()])
  await cluster.stop()
})
`

test('a program of CommonJS runs under jest as the guide sets it', { timeout: 600_000 }, async context => {
  const directory = await toolOrSkip(context, RUNNERS.join(' and '), installedProject)
  if (directory === undefined) return
  const config = blocksOf('testing').find(({ code }) => code.includes('transformIgnorePatterns'))
  assert.ok(config, 'the guide shows the configuration')
  const work = join(directory, 'common-js')
  mkdirSync(work, { recursive: true })
  writeFileSync(join(work, 'package.json'), '{ "private": true }\n')
  writeFileSync(join(work, 'jest.config.js'), config.code)
  writeFileSync(join(work, 'orders.test.js'), COMMON_JS_TEST)
  const options = { cwd: work, env: { NO_COLOR: '1' } }
  const { stdout, stderr } = await run(join(directory, 'node_modules/.bin/jest'), [], options)
  assert.match(stdout + stderr, /5 passed/)
})

test('the command of the package is bundled, and runs brokers and clients', { timeout: 600_000 }, async context => {
  const directory = await toolOrSkip(context, 'the package', installedProject)
  if (directory === undefined) return
  assert.ok(existsSync(join(directory, 'node_modules/monedula/dist/bundle/cli/monedula.js')))
  const { stdout } = await run(join(directory, 'node_modules/.bin/monedula'), ['demo', '--count', '1'])
  assert.match(stdout, /orders-0 at 0 +user0/)
})

/** What Vite makes of a program that imports the package; what the package itself imports is taken in, too. */
async function bundled(directory: string, name: string, program: string): Promise<string> {
  const work = join(directory, 'bundles', name)
  mkdirSync(work, { recursive: true })
  writeFileSync(join(work, 'program.js'), program)
  const config = { logLevel: 'error', ssr: { noExternal: true }, build: { ssr: 'program.js', minify: false } }
  writeFileSync(join(work, 'vite.config.js'), `export default ${JSON.stringify(config)}\n`)
  await run(join(directory, 'node_modules/.bin/vite'), ['build'], { cwd: work })
  return readFileSync(join(work, 'dist/program.js'), 'utf8')
}

test('a bundle has what a program uses of the package, and nothing else', { timeout: 600_000 }, async context => {
  const directory = await toolOrSkip(context, RUNNERS.join(' and '), installedProject)
  if (directory === undefined) return
  for (const name of ['monedula', 'monedula/protocol', 'monedula/testing', 'monedula/opentelemetry']) {
    await context.test(`nothing of ${name} where nothing of it is used`, async () => {
      assert.equal((await bundled(directory, 'nothing', `import '${name}'\n`)).trim(), 'export {};')
    })
  }
  const classes = ['Consumer', 'Producer', 'Admin', 'Cluster']
  const among = (bundle: string): string[] =>
    classes.filter(name => new RegExp(`\\b(?:${name} = class|class ${name})\\b`).test(bundle))
  await context.test('a serializer comes without clients', async () => {
    const program = "import { json } from 'monedula'\nconsole.log(json().serialize({ id: 1 }).length)\n"
    assert.deepEqual(among(await bundled(directory, 'json', program)), [])
  })
  await context.test('a producer comes without the other clients', async () => {
    const program = "import { Producer } from 'monedula'\nexport default new Producer({ bootstrapServers: 'a:1' })\n"
    assert.deepEqual(among(await bundled(directory, 'producer', program)), ['Producer', 'Cluster'])
  })
})
