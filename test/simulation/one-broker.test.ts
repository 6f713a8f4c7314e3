import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runSeed } from './one-broker/run.ts'
import type { SeedReport } from './one-broker/seeds.ts'

/** As `npm run simulate` says: `SEED` runs one seed and prints its history, `SEEDS` that many from `FIRST_SEED` on. */
const SEED = process.env.SEED
const FIRST = Number(process.env.FIRST_SEED ?? 1)
const SEEDS = Number(process.env.SEEDS ?? 2_000)

/** Failures of so many seeds are told; one is enough to look into. */
const TOLD = 5

/** What must have happened, and in how many seeds one of it may be missing. */
const WORK: Readonly<Record<string, number>> = {
  acknowledged: 1,
  'sent again': 4,
  read: 1,
  joined: 1,
  'joined as instance': 4,
  'partition let go': 40,
  'offset committed': 2,
  'old format': 4,
  'session continued': 1,
  committed: 1,
  aborted: 2,
  fenced: 10,
  'topic deleted': 10,
  'records deleted': 10,
  'config changed': 10,
  'partition added': 10,
  'directory changed': 10,
  'hanging transaction aborted': 80,
  'start moved': 10,
  compacted: 4,
  kill: 4,
  power: 4,
  stop: 20,
  cut: 10,
  slow: 10,
  'full disk': 20,
  'failing disk': 20,
  'clock jump': 20,
}

/** Runs every `step`th of `count` seeds from `first` on in a process of its own. */
async function reports(first: number, count: number, step: number): Promise<SeedReport[]> {
  const path = fileURLToPath(new URL('./one-broker/seeds.js', import.meta.url))
  const args = ['--enable-source-maps', path, `${first}`, `${count}`, `${step}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  const found: SeedReport[] = []
  for await (const line of createInterface(child.stdout)) found.push(JSON.parse(line))
  assert.equal(await ended, 0, `the process died at seed ${found.length === 0 ? first : found.at(-1)!.seed + step}`)
  return found
}

function told({ seed, failures }: Pick<SeedReport, 'seed' | 'failures'>): string {
  return `SEED=${seed} npm run simulate -- one-broker\n    ${failures.slice(0, 10).join('\n    ')}`
}

if (SEED !== undefined) {
  test(`a broker and its clients keep every promise through seed ${SEED}`, async () => {
    const { lines, failures, hash } = await runSeed(Number(SEED))
    console.log([...lines, `hash ${hash}`].join('\n'))
    assert.ok(failures.length === 0, told({ seed: Number(SEED), failures }))
  })
} else {
  test(`a broker and its clients keep every promise through ${SEEDS} seeds of crashes and faults`, async () => {
    const processes = Math.min(availableParallelism(), 4, SEEDS)
    const parts = Array.from({ length: processes }, (_, part) => reports(FIRST + part, SEEDS - part, processes))
    const all = (await Promise.all(parts)).flat()
    assert.equal(all.length, SEEDS)
    const bad = all.filter(({ failures }) => failures.length > 0)
    assert.ok(bad.length === 0, `${bad.length} of ${SEEDS} seeds failed\n${bad.slice(0, TOLD).map(told).join('\n')}`)
    const totals: Record<string, number> = {}
    for (const { counts } of all)
      for (const [what, count] of Object.entries(counts)) totals[what] = (totals[what] ?? 0) + count
    console.log(`# ${JSON.stringify(totals)}`)
    if (SEEDS < 200) return
    for (const [what, seeds] of Object.entries(WORK)) {
      assert.ok((totals[what] ?? 0) >= SEEDS / seeds, `only ${totals[what] ?? 0} times: ${what}`)
    }
  })

  test('a seed has one history, in every process and after any other seed', async () => {
    const alone = await Promise.all([7, 8, 9].map(seed => reports(seed, 1, 1)))
    const together = await reports(6, 5, 1)
    for (const [report] of alone) {
      const other = together.find(({ seed }) => seed === report!.seed)
      assert.equal(other?.hash, report!.hash, `seed ${report!.seed}`)
    }
    assert.equal(new Set(together.map(({ hash }) => hash)).size, 5)
  })
}
