/** The package as `npm publish` would give it, installed as users install it. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromRoot } from '../integration/broker-process.ts'
import { cacheDirectory } from './jars.ts'
import { run } from './process.ts'

const INSTALL_TIMEOUT_MS = 300_000

/** A directory, called `name` in the cache, in which the package of this tree is installed, and `others` beside it (`jest@30.5.2`). */
export async function installedPackage(name: string, others: readonly string[] = []): Promise<string> {
  const directory = join(cacheDirectory, name)
  const flags = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--no-save']
  mkdirSync(directory, { recursive: true })
  if (!existsSync(join(directory, 'package.json')))
    writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n')
  const packed = mkdtempSync(join(cacheDirectory, 'packed-'))
  try {
    const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed]
    const { stdout } = await run('npm', pack, { cwd: fromRoot('.'), timeoutMs: INSTALL_TIMEOUT_MS })
    const tarball = join(packed, stdout.trim())
    await run('npm', ['install', ...flags, ...others, tarball], { cwd: directory, timeoutMs: INSTALL_TIMEOUT_MS })
  } finally {
    rmSync(packed, { recursive: true })
  }
  return directory
}
