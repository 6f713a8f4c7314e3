/**
 * Makes a fresh clone runnable: installs the locked dependencies when they are missing or stale, then builds.
 * Plain JavaScript on purpose, because it runs before there is a compiler. `--quiet` prints only what went wrong; `--fresh` leaves
 * nothing of earlier builds.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const quiet = process.argv.includes('--quiet')
const stamp = `${root}node_modules/.monedula-lock`

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`monedula needs Node 20.19 or newer; this is ${process.version}`)
  process.exit(1)
}

/** Runs a program, keeping its output back unless it fails. */
function run(what, command, args, options = {}) {
  if (!quiet) console.log(`${what} ...`)
  try {
    execFileSync(command, args, { cwd: root, stdio: 'pipe', encoding: 'utf8', ...options })
  } catch (error) {
    process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}`)
    console.error(`monedula: ${what} failed: ${command} ${args.join(' ')}`)
    process.exit(1)
  }
}

const lock = readFileSync(`${root}package-lock.json`, 'utf8')
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  const windows = process.platform === 'win32'
  run('installing dependencies', windows ? 'npm.cmd' : 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    shell: windows,
  })
  writeFileSync(stamp, lock)
}
if (process.argv.includes('--fresh')) rmSync(`${root}dist`, { recursive: true, force: true })
run('building', process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-b', root])
run('bundling the command line', process.execPath, [`${root}dist/scripts/bundle.js`])
