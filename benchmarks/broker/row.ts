/** What one line of the comparison measures. */
import type { Contender } from './contender.ts'

/** One number that a measurement gives. */
export interface Figure {
  readonly name: string
  readonly unit: string
  /** Digits after the point. */
  readonly digits: number
}

/** How large the loads are. */
export interface Scale {
  /** Factor on the number of records: 1 for the full comparison. */
  readonly load: number
  /** Alternating runs of each contender; medians are taken over them. */
  readonly runs: number
}

/** A measurement. */
export interface Row {
  readonly id: string
  readonly title: string
  readonly figures: readonly Figure[]
  /** Whether the measurement starts and stops the broker itself, alone on the machine. */
  readonly ownsBroker: boolean
  /** Whether it belongs to the fast subset. */
  readonly quick: boolean
  /** Runs whose figures are thrown away before those that count; 1 when absent. */
  readonly warmUps?: number
  /** The figures of one run, in the order of `figures`. */
  readonly measure: (contender: Contender, scale: Scale) => Promise<readonly number[]>
}

/** Bytes of a GB, in which CPU seconds are counted. */
export const GB = 1e9

/** Runs a load and gives what it gives, with the CPU seconds that the broker spent meanwhile. */
export async function withCpu<T>(contender: Contender, load: () => Promise<T>): Promise<[T, number]> {
  const before = contender.cpuSeconds
  const result = await load()
  return [result, contender.cpuSeconds - before]
}
