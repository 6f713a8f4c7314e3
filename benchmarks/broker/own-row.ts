/** Rows that have a broker of their own, and what they measure with. */
import { untilMetadata } from '../../test/compat/metadata-probe.ts'
import type { Contender } from './contender.ts'
import { untilLeaders } from './partition-leaders.ts'
import type { Figure, Row } from './row.ts'

export const START_TIMEOUT_MS = 180_000

export const seconds = (name: string): Figure => ({ name, unit: 's', digits: 2 })
export const mebibytes = (name: string): Figure => ({ name, unit: 'MiB', digits: 0 })

/** Seconds that something takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1_000
}

/** Starts the process of a broker that has been started before, until Metadata answers and `partitions` have leaders. */
export async function restart(contender: Contender, partitions: number): Promise<number> {
  return secondsOf(async () => {
    await contender.broker.spawn()
    await untilMetadata(contender.broker.port, START_TIMEOUT_MS, () => true)
    await untilLeaders(contender.broker.port, partitions, START_TIMEOUT_MS)
  })
}

/** Percent of one core that the broker uses while `work` goes on. */
export async function cpuPercent(contender: Contender, work: () => Promise<unknown>): Promise<number> {
  const before = contender.cpuSeconds
  const elapsed = await secondsOf(work)
  return ((contender.cpuSeconds - before) / elapsed) * 100
}

/** A row whose measurement begins with a fresh broker and ends with none. */
export function ownRow(row: Omit<Row, 'ownsBroker' | 'warmUps'>): Row {
  return {
    ...row,
    ownsBroker: true,
    warmUps: 0,
    measure: async (contender, scale) => {
      await contender.start()
      try {
        return await row.measure(contender, scale)
      } finally {
        await contender.dispose()
      }
    },
  }
}
