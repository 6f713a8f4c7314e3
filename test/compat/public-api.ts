/**
 * What the package exports, as API Extractor writes it down into docs/reference/, and pages for readers by TypeDoc in
 * docs/api: `npm run docs:api`. A test fails when the committed report is not what the code exports.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory } from './jars.ts'
import { run } from './process.ts'
import { npmPackage } from './tools.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const API_EXTRACTOR = '@microsoft/api-extractor@7.60.1'
const TYPEDOC = 'typedoc@0.28.20'
const TIMEOUT_MS = 120_000

/** What `monedula`, `monedula/testing` and `monedula/opentelemetry` export: by the name of the report, the layer. */
export const entryPoints: Readonly<Record<string, string>> = {
  client: 'src/client',
  testing: 'src/testing',
  opentelemetry: 'src/opentelemetry',
}

/** Where the report of an entry point is committed. */
export const reportPath = (name: string): string => join(root, 'docs/reference', `${name}.api.md`)

/** What the compiled declarations of an entry point export, as text that shows each change of it. */
export async function apiReport(name: string): Promise<string> {
  const installed = await npmPackage(API_EXTRACTOR)
  const work = join(cacheDirectory, 'public-api')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(join(work, 'made'), { recursive: true })
  const declarations = join(root, 'dist', entryPoints[name] ?? '', 'index.d.ts')
  const silent = { default: { logLevel: 'none' } }
  const config = {
    projectFolder: root,
    mainEntryPointFilePath: declarations,
    compiler: { overrideTsconfig: { extends: join(root, 'tsconfig.base.json'), files: [declarations] } },
    apiReport: {
      enabled: true,
      reportFileName: `${name}.api.md`,
      reportFolder: join(work, 'made'),
      reportTempFolder: work,
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: { extractorMessageReporting: silent, tsdocMessageReporting: silent, compilerMessageReporting: silent },
  }
  const file = join(work, 'api-extractor.json')
  writeFileSync(file, JSON.stringify(config))
  const program = join(dirname(installed), 'node_modules/@microsoft/api-extractor/bin/api-extractor')
  await run(process.execPath, [program, 'run', '--local', '--config', file], { cwd: root, timeoutMs: TIMEOUT_MS })
  return readFileSync(join(work, 'made', `${name}.api.md`), 'utf8')
}

/** What public types are made from, and nobody needs by its name. */
const WITHOUT_PAGES = [
  ...['OPERATIONS', 'PERMISSIONS', 'RESOURCES'].map(name => `src/client/admin/acls.ts:${name}`),
  'src/client/admin/admin-config.ts:adminKeys',
  ...['CamelCase', 'ConfigInputOf'].map(name => `src/client/client-options.ts:${name}`),
  'src/client/producer/producer-config.ts:producerKeys',
  'src/config/config-def.ts:ConfigTable',
  ...['OneOf', 'Validator'].map(name => `src/config/validators.ts:${name}`),
  // A client's surroundings are replaced by simulations.
  'src/platform/network.ts:Network',
  'src/platform/random.ts:Random',
  ...['CLIENT_ERRORS', 'TABLE'].map(name => `src/protocol/errors.ts:${name}`),
  'src/security/scram-exchange.ts:SCRAM_HASHES',
]

/** Writes pages about all that is exported into `directory`; what TypeDoc warns of. */
export async function referencePages(directory: string): Promise<string> {
  const installed = await npmPackage(TYPEDOC)
  const program = join(dirname(installed), 'node_modules/typedoc/bin/typedoc')
  const files = Object.values(entryPoints).map(layer => join(root, layer, 'index.ts'))
  const options = [
    '--out',
    directory,
    '--readme',
    'none',
    '--skipErrorChecking',
    '--excludePrivate',
    '--excludeInternal',
  ]
  const tsconfig = join(cacheDirectory, 'typedoc.tsconfig.json')
  const compilerOptions = {
    composite: false,
    noEmit: true,
    allowImportingTsExtensions: true,
    typeRoots: [join(root, 'node_modules/@types')],
  }
  writeFileSync(tsconfig, JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, files }))
  const inside = WITHOUT_PAGES.flatMap(name => ['--intentionallyNotExported', name])
  const entries = files.flatMap(file => ['--entryPoints', file])
  const args = [program, '--tsconfig', tsconfig, ...options, ...inside, ...entries]
  const { stdout, stderr } = await run(process.execPath, args, { cwd: root, timeoutMs: TIMEOUT_MS })
  return stdout + stderr
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of Object.keys(entryPoints)) writeFileSync(reportPath(name), await apiReport(name))
  console.log(await referencePages(join(root, 'docs/api')))
}
