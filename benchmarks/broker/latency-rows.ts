/** How long a record takes to be acknowledged, and to reach a consumer. */
import { join } from 'node:path'
import { repositoryRoot } from '../../test/compat/jars.ts'
import { java } from '../../test/compat/java.ts'
import type { Figure, Row } from './row.ts'

const FIGURES: readonly Figure[] = ['p50', 'p99', 'p99.9'].map(name => ({ name, unit: 'ms', digits: 2 }))
const RUN_TIMEOUT_MS = 180_000

interface LatencyLoad {
  readonly mode: 'ack' | 'flow' | 'single'
  readonly title: string
  /** Records a second; no meaning for `single`. */
  readonly rate: number
  /** Records that count in a full run. */
  readonly records: number
  readonly quick: boolean
}

function latencyRow({ mode, title, rate, records, quick }: LatencyLoad): Row {
  return {
    id: `latency-${mode}`,
    title,
    figures: FIGURES,
    ownsBroker: false,
    quick,
    measure: async (contender, scale) => {
      const topic = await contender.newTopic(1)
      const count = Math.round(records * scale.load)
      // Java needs some ten thousand records until its compiler has settled.
      const warmUp = mode === 'ack' ? 30_000 : 5_000
      const program = join(repositoryRoot, 'benchmarks/broker/java/Latency.java')
      const args = [mode, contender.bootstrap, topic, `${rate}`, `${count}`, `${warmUp}`]
      const { stdout } = await java(program, args, { flags: ['-Xmx512m'], timeoutMs: RUN_TIMEOUT_MS })
      return stdout
        .trim()
        .split(' ')
        .map(micros => Number(micros) / 1_000)
    },
  }
}

/** Every measurement of latency. */
export const latencyRows: readonly Row[] = [
  latencyRow({
    mode: 'ack',
    title: 'produce to ack, 10,000 records/s, linger 0 (Java)',
    rate: 10_000,
    records: 100_000,
    quick: true,
  }),
  latencyRow({ mode: 'flow', title: 'end to end, 2,000 records/s (Java)', rate: 2_000, records: 20_000, quick: true }),
  latencyRow({ mode: 'single', title: 'end to end, one at a time (Java)', rate: 1, records: 10_000, quick: false }),
]
