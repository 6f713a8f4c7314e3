/** What the README shows is what a broker prints. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, test } from 'node:test'
import { RunningProgram, run } from '../compat/process.ts'
import { bin, freePort, fromRoot, Workspace } from './broker-process.ts'

const SHOWN_PORT = '9092'
const SHOWN_DATA = 'monedula-data'
const LAST_LINE = 'Stop with Ctrl-C.\n'

let workspace: Workspace
let broker: RunningProgram | undefined
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(async () => {
  broker?.kill('SIGKILL')
  await broker?.ended()
  workspace.remove()
})

/** Blocks of the README between fences, without the fences. */
function blocks(): string[] {
  const readme = readFileSync(fromRoot('README.md'), 'utf8')
  return [...readme.matchAll(/^```\n(.*?)^```$/gms)].map(([, text = '']) => text)
}

/** Without times, which differ, and with single blanks: what stands in columns moves with the length of a port. */
function comparable(text: string): string {
  return text.replaceAll(/^\[[\d -]+[\d:]+,\d{3}\]/gm, '[time]').replaceAll(/ {2,}/g, ' ')
}

test('a start ends as the README shows', async () => {
  const port = String(await freePort())
  const data = workspace.of('data')
  const args = [bin('monedula.js'), 'start', '--port', port, '--data', data]
  broker = new RunningProgram(process.execPath, args, { cwd: fromRoot('.') })
  await broker.until(stdout => stdout.endsWith(LAST_LINE))
  const shown = blocks().find(block => block.endsWith(LAST_LINE))
  assert.ok(shown, 'the README shows the end of a start')
  const lines = broker.stdout.replaceAll(data, SHOWN_DATA).replaceAll(port, SHOWN_PORT).split('\n')
  const end = lines.slice(-shown.split('\n').length).join('\n')
  assert.equal(comparable(end), comparable(shown))
})

test('kafka-server-start.sh takes the configuration that the README names', async () => {
  const readme = readFileSync(fromRoot('README.md'), 'utf8')
  assert.ok(readme.includes('bin/kafka-server-start.sh config/server.properties'))
  const overrides = ['listeners=PLAINTEXT://127.0.0.1:0', `log.dirs=${workspace.of('logs')}`]
  const args = ['config/server.properties', ...overrides.flatMap(override => ['--override', override])]
  broker = new RunningProgram(bin('kafka-server-start.sh'), args, { cwd: fromRoot('.') })
  await broker.until(stdout => /started \(kafka\.server\.KafkaServer\)/.test(stdout))
})

test('the package is called as in package.json, and each command that the README names is one of its', async () => {
  const readme = readFileSync(fromRoot('README.md'), 'utf8')
  const { name, version } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8'))
  assert.ok(readme.includes(`${name}-${version}.tgz`))
  const { stdout } = await run(process.execPath, [bin('monedula.js'), '--help'])
  const named = [...readme.matchAll(/(?:npx monedula|node bin\/monedula\.js) ([a-z]+)/g)].map(([, word = '']) => word)
  assert.ok(named.includes('demo') && named.includes('start'))
  for (const command of new Set(named)) assert.match(stdout, new RegExp(`^  ${command}\\b`, 'm'))
})

test('monedula start --help names every option', async () => {
  const { stdout } = await run(process.execPath, [bin('monedula.js'), 'start', '--help'])
  for (const option of ['--config', '--port', '--data', '--override', '--metrics-port', '--json', '--verbose']) {
    assert.ok(stdout.includes(option), option)
  }
})
