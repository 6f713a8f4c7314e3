/** The package as others install it: its declarations for the compilers that there are; and without OpenTelemetry, for those who do not trace: nothing of OpenTelemetry is needed, and who asks for it is told what to install. */
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

const IMPORTS = `
import { connect, json } from 'monedula'
import { startCluster } from 'monedula/testing'
export * from 'monedula/protocol'
`
const BODY = `
const cluster = await startCluster({ topics: ['orders'] })
const producer = connect(cluster.bootstrapServers).producer({ value: json<{ n: number }>() })
const { offset }: { offset: number } = await producer.send('orders', { value: { n: 1 } })
await producer.close()
await cluster.stop()
console.log('offset', offset)
`
const PROGRAM = `${IMPORTS}${BODY}`
/** Without an await at its top, which CommonJS does not have. */
const PROGRAM_IN_FUNCTION = `${IMPORTS}export async function main() {${BODY}}`

/** From the first compiler that reads the declarations to ours, each by another name, and the resolutions that it knows. */
const COMPILERS: readonly (readonly [version: string, resolutions: readonly (readonly string[])[]])[] = [
  [
    '5.0.4',
    [
      ['commonjs', 'node'],
      ['node16', 'node16'],
      ['esnext', 'bundler'],
    ],
  ],
  [
    '5.9.3',
    [
      ['commonjs', 'node'],
      ['node16', 'node16'],
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ],
  ],
  [
    '7.0.2',
    [
      ['node16', 'node16'],
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
      ['commonjs', 'bundler'],
    ],
  ],
]

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

test('the declarations compile in a package of CommonJS with each compiler and resolution', {
  timeout: 600_000,
}, async context => {
  const compilers = COMPILERS.map(([version]) => `typescript-${version}@npm:typescript@${version}`)
  const directory = await toolOrSkip(context, 'the compilers', () =>
    installedPackage('compilers', [...compilers, '@types/node@20.19.43']),
  )
  if (directory === undefined) return
  // A package is of CommonJS unless it says otherwise, and so are its files: who asks for ES modules there requires them.
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
  writeFileSync(join(directory, 'program.ts'), PROGRAM_IN_FUNCTION)
  for (const [version, resolutions] of COMPILERS) {
    for (const [module, moduleResolution] of resolutions) {
      await context.test(`${version} with module ${module}, moduleResolution ${moduleResolution}`, async () => {
        const compilerOptions = {
          target: 'es2020',
          module,
          moduleResolution,
          strict: true,
          skipLibCheck: false,
          noEmit: true,
        }
        writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
        const tsc = join(directory, `node_modules/typescript-${version}/bin/tsc`)
        await run(process.execPath, [tsc, '-p', directory], { cwd: directory, timeoutMs: TIMEOUT_MS })
      })
    }
  }
})
