import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** What a run of a seed leaves. */
export interface SeedRun {
  /** What happened, each line with its time. */
  readonly lines: readonly string[]
  readonly failures: readonly string[]
  /** How often each thing was done. */
  readonly counts: ReadonlyMap<string, number>
  /** Two runs of a seed have the same. */
  readonly hash: string
}

/** What is told of a run by the process that made it. */
export interface SeedReport {
  readonly seed: number
  readonly hash: string
  readonly failures: readonly string[]
  readonly counts: Readonly<Record<string, number>>
}

/** A simulation of which each seed is a run. */
export interface SeededSimulation {
  /** As `npm run simulate -- <name>` has it. */
  readonly name: string
  /** What holds through every seed. */
  readonly promise: string
  /** The module with `runSeed`, compiled. */
  readonly module: URL
  /** Seeds without being told otherwise. */
  readonly seeds: number
  /** What must have happened, and in how many seeds one of it may be missing. */
  readonly work: Readonly<Record<string, number>>
}

/** Failures of so many seeds are told; one is enough to look into. */
const TOLD = 5

/** Declares the tests. As `npm run simulate` says: `SEED` runs one seed and prints its history, `SEEDS` that many from `FIRST_SEED` on. */
export function testSeeds(simulation: SeededSimulation): void {
  const { SEED, FIRST_SEED = '1', SEEDS } = process.env
  if (SEED !== undefined) testOne(simulation, Number(SEED))
  else testMany(simulation, Number(FIRST_SEED), Number(SEEDS ?? simulation.seeds))
}

function testOne({ name, promise, module }: SeededSimulation, seed: number): void {
  test(`${promise}, seed ${seed}`, async () => {
    const { runSeed } = (await import(module.href)) as { readonly runSeed: (seed: number) => Promise<SeedRun> }
    const { lines, failures, hash } = await runSeed(seed)
    console.log([...lines, `hash ${hash}`].join('\n'))
    assert.ok(failures.length === 0, told(name, { seed, failures }))
  })
}

function testMany({ name, promise, module, work }: SeededSimulation, first: number, seeds: number): void {
  test(`${promise}, ${seeds} seeds`, async () => {
    const processes = Math.min(availableParallelism(), 4, seeds)
    const parts = Array.from({ length: processes }, (_, part) =>
      reports(module, [first + part, seeds - part, processes]),
    )
    const all = (await Promise.all(parts)).flat()
    assert.equal(all.length, seeds)
    const bad = all.filter(({ failures }) => failures.length > 0)
    const texts = bad.slice(0, TOLD).map(report => told(name, report))
    assert.ok(bad.length === 0, `${bad.length} of ${seeds} seeds failed\n${texts.join('\n')}`)
    const totals: Record<string, number> = {}
    for (const { counts } of all)
      for (const [what, count] of Object.entries(counts)) totals[what] = (totals[what] ?? 0) + count
    console.log(`# ${JSON.stringify(totals)}`)
    if (seeds < 200) return
    for (const [what, within] of Object.entries(work)) {
      assert.ok((totals[what] ?? 0) >= seeds / within, `only ${totals[what] ?? 0} times: ${what}`)
    }
  })

  test(`a seed of ${name} has one history, in every process and after any other seed`, async () => {
    const alone = await Promise.all([7, 8, 9].map(seed => reports(module, [seed, 1, 1])))
    const together = await reports(module, [6, 5, 1])
    for (const [report] of alone) {
      const other = together.find(({ seed }) => seed === report!.seed)
      assert.equal(other?.hash, report!.hash, `seed ${report!.seed}`)
    }
    assert.equal(new Set(together.map(({ hash }) => hash)).size, 5)
  })
}

/** Runs every `step`th of `count` seeds from `first` on in a process of its own. */
async function reports(module: URL, [first, count, step]: readonly [number, number, number]): Promise<SeedReport[]> {
  const path = fileURLToPath(new URL('./seeds.js', import.meta.url))
  const args = ['--enable-source-maps', path, module.href, `${first}`, `${count}`, `${step}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  const found: SeedReport[] = []
  for await (const line of createInterface(child.stdout)) found.push(JSON.parse(line))
  assert.equal(await ended, 0, `the process died at seed ${found.length === 0 ? first : found.at(-1)!.seed + step}`)
  return found
}

function told(name: string, { seed, failures }: Pick<SeedReport, 'seed' | 'failures'>): string {
  return `SEED=${seed} npm run simulate -- ${name}\n    ${failures.slice(0, 10).join('\n    ')}`
}
