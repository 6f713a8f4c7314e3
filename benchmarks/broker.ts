/**
 * Compares Apache Kafka 3.9.1 with Monedula on this machine, both driven by the same foreign clients:
 * `npm run bench:broker -- [--quick] [--runs N] [--rows REGEX] [--targets kafka,monedula]`.
 *
 * Runs alternate between the two; the table on standard output holds medians. Ratios are what counts: absolute figures
 * move with whatever else the machine does. `--targets kafka,kafka` shows how far two equals come apart.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Target } from '../test/compat/broker-process.ts'
import { compactionRows } from './broker/compaction-rows.ts'
import { type Comparison, compare, markdownTable } from './broker/comparison.ts'
import { consumeRows } from './broker/consume-rows.ts'
import { Contender } from './broker/contender.ts'
import { latencyRows } from './broker/latency-rows.ts'
import { lifecycleRows } from './broker/lifecycle-rows.ts'
import { manyRows } from './broker/many-rows.ts'
import { produceRows } from './broker/produce-rows.ts'
import type { Row, Scale } from './broker/row.ts'
import { tinyRequestRows } from './broker/tiny-request-rows.ts'
import { transactionRows } from './broker/transaction-rows.ts'

const ROWS: readonly Row[] = [
  ...produceRows,
  ...transactionRows,
  ...consumeRows,
  ...tinyRequestRows,
  ...latencyRows,
  ...lifecycleRows,
  ...compactionRows,
  ...manyRows,
]
const QUICK: Scale = { load: 0.2, runs: 1 }
const FULL: Scale = { load: 1, runs: 3 }

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    rows: { type: 'string' },
    targets: { type: 'string', default: process.env.TARGETS ?? 'kafka,monedula' },
    directory: { type: 'string', default: process.env.BENCH_DIR ?? tmpdir() },
    list: { type: 'boolean', default: false },
  },
})

/** The rows asked for. */
function chosenRows(): Row[] {
  const pattern = values.rows === undefined ? undefined : new RegExp(values.rows)
  return ROWS.filter(row => (pattern === undefined ? row.quick || !values.quick : pattern.test(row.id)))
}

function contendersIn(directory: string): Contender[] {
  const targets = values.targets.split(',')
  return targets.map((target, index) => {
    if (target !== 'kafka' && target !== 'monedula') throw new Error(`unknown target ${target}`)
    const label = targets.indexOf(target) === index ? target : `${target} again`
    return new Contender(label, target satisfies Target, directory)
  })
}

/** Measures rows, first those that share two running brokers; a row that fails is told and left out. */
async function measureAll(rows: readonly Row[], contenders: readonly Contender[], scale: Scale): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  const measure = async (row: Row): Promise<void> => {
    try {
      comparisons.push(...(await compare(row, contenders, scale)))
    } catch (error) {
      process.exitCode = 1
      console.error(`${row.id} failed: ${(error as Error).message}`)
    }
  }
  const shared = rows.filter(({ ownsBroker }) => !ownsBroker)
  if (shared.length > 0) {
    for (const contender of contenders) await contender.start()
    for (const row of shared) await measure(row)
    for (const contender of contenders) await contender.dispose()
  }
  for (const row of rows.filter(({ ownsBroker }) => ownsBroker)) await measure(row)
  return comparisons
}

/** The machine, in one line. */
function machine(): string {
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown CPU'
  return `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
}

async function main(): Promise<void> {
  if (values.list) {
    for (const { id, title, quick } of ROWS) console.log(`${id.padEnd(24)} ${quick ? 'quick' : '     '}  ${title}`)
    return
  }
  const scale = values.quick ? QUICK : FULL
  const runs = values.runs === undefined ? scale.runs : Number(values.runs)
  const directory = mkdtempSync(join(values.directory, 'monedula-bench-'))
  const contenders = contendersIn(directory)
  const stop = async (): Promise<void> => {
    for (const contender of contenders) await contender.dispose()
    rmSync(directory, { recursive: true, force: true })
  }
  process.once('SIGINT', () => {
    const exit = (): void => process.exit(130)
    stop().then(exit, exit)
  })
  try {
    const started = Date.now()
    const comparisons = await measureAll(chosenRows(), contenders, { ...scale, runs })
    console.log(
      `${machine()}; medians of ${runs}${values.quick ? ', quick' : ''}; ${Math.round((Date.now() - started) / 1_000)} s\n`,
    )
    console.log(
      markdownTable(
        comparisons,
        contenders.map(({ label }) => label),
      ),
    )
  } finally {
    await stop()
  }
}

await main()
