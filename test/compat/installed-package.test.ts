/** The package for those who do not trace: nothing of OpenTelemetry is needed, and who asks for it is told what to install. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromRoot } from '../integration/broker-process.ts'
import { installedPackage } from './installed-package.ts'
import { run } from './process.ts'
import { toolOrSkip } from './tools.ts'

const TIMEOUT_MS = 120_000

const PROGRAM = `
import { connect, json } from 'monedula'
import { startCluster } from 'monedula/testing'
const cluster = await startCluster({ topics: ['orders'] })
const producer = connect(cluster.bootstrapServers).producer({ value: json<{ n: number }>() })
const { offset }: { offset: number } = await producer.send('orders', { value: { n: 1 } })
await producer.close()
await cluster.stop()
console.log('offset', offset)
`

/** Runs `body` in a copy of the installed package outside of this tree, where nobody has OpenTelemetry. */
async function withoutOpenTelemetry(installed: string, body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'monedula-installed-'))
  try {
    cpSync(installed, directory, { recursive: true, filter: path => !path.endsWith('@opentelemetry') })
    await body(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('the package without @opentelemetry/api', { timeout: 600_000 }, async context => {
  const installed = await toolOrSkip(context, 'the package', () => installedPackage('runtimes'))
  if (installed === undefined) return
  await withoutOpenTelemetry(installed, async directory => {
    await context.test('clients and monedula/testing have all their types, and run', async () => {
      const compilerOptions = {
        target: 'es2023',
        lib: ['es2023', 'esnext.disposable'],
        module: 'nodenext',
        strict: true,
        types: ['node'],
        typeRoots: [fromRoot('node_modules/@types')],
      }
      writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
      writeFileSync(join(directory, 'program.ts'), PROGRAM)
      const tsc = fromRoot('node_modules/typescript/bin/tsc')
      await run(process.execPath, [tsc, '-p', directory], { cwd: directory, timeoutMs: TIMEOUT_MS })
      const { stdout } = await run(process.execPath, ['program.js'], { cwd: directory, timeoutMs: TIMEOUT_MS })
      assert.equal(stdout, 'offset 0\n')
    })

    await context.test('monedula/opentelemetry says what to install', async () => {
      const args = ['--input-type=module', '--eval', "await import('monedula/opentelemetry')"]
      const { stderr } = await run(process.execPath, args, { cwd: directory, expectedCodes: [1] })
      assert.match(stderr, /monedula\/opentelemetry needs @opentelemetry\/api: npm install @opentelemetry\/api/)
    })
  })
})
