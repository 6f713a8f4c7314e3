/**
 * How long `monedula` takes from the start of its process to the first record on the screen, beside kcat and beside a Node that does
 * nothing: `npm run bench:cli -- [--runs N]`. Runs alternate; the table holds medians.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { connect } from '../src/client/index.ts'
import { startCluster } from '../src/testing/index.ts'
import { programExists } from '../test/compat/process.ts'
import { bin } from '../test/integration/broker-process.ts'

interface Run {
  readonly firstMs: number
  readonly endMs: number
}

const RECORDS = 10

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20' } } })
const runs = Number(values.runs)

/** Runs a program to its end; when it printed first, and when it had ended. */
async function timed(command: string, args: readonly string[]): Promise<Run> {
  const started = performance.now()
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let firstMs = Number.NaN
  child.stdout?.on('data', () => {
    if (Number.isNaN(firstMs)) firstMs = performance.now() - started
  })
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${code}`)
  return { firstMs, endMs: performance.now() - started }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)]!
}

await using cluster = await startCluster({ topics: ['first'] })
const { bootstrapServers } = cluster
await using producer = connect(bootstrapServers).producer()
await producer.sendBatch(
  'first',
  Array.from({ length: RECORDS }, (_, index) => ({ key: `key ${index}`, value: `value ${index}` })),
)
const monedula = [bin('monedula.js')]
const contenders: [name: string, command: string, args: readonly string[]][] = [
  ['node -p 1', process.execPath, ['-p', '1']],
  ['monedula consume', process.execPath, [...monedula, 'consume', 'first', '-b', bootstrapServers]],
  [
    'monedula consume --group',
    process.execPath,
    [...monedula, 'consume', 'first', '-b', bootstrapServers, '-g', 'readers', '-o', 'beginning', '-p', '0'],
  ],
  ['monedula topic list', process.execPath, [...monedula, 'topic', 'list', '-b', bootstrapServers]],
]
if (await programExists('kcat')) {
  contenders.push(['kcat -C -e', 'kcat', ['-b', bootstrapServers, '-t', 'first', '-C', '-o', 'beginning', '-e', '-q']])
}
const seen = new Map<string, Run[]>(contenders.map(([name]) => [name, []]))
for (let run = 0; run <= runs; run++) {
  for (const [name, command, args] of contenders) {
    const result = await timed(command, args)
    // The first run of each fills the caches of the disk.
    if (run > 0) seen.get(name)!.push(result)
  }
}
console.log('| command | first output, ms | end, ms | first output, node = 1 |')
console.log('| --- | ---: | ---: | ---: |')
const node = median(seen.get('node -p 1')!.map(({ firstMs }) => firstMs))
for (const [name, all] of seen) {
  const first = median(all.map(({ firstMs }) => firstMs))
  const end = median(all.map(({ endMs }) => endMs))
  console.log(`| ${name} | ${first.toFixed(0)} | ${end.toFixed(0)} | ${(first / node).toFixed(2)} |`)
}
