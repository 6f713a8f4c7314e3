/** Runs measurements of two contenders by turns and lays their medians side by side. */
import type { Contender } from './contender.ts'
import type { Figure, Row, Scale } from './row.ts'

/** What came out for one figure of one row. */
export interface Comparison {
  readonly row: Row
  readonly figure: Figure
  /** One median for each contender. */
  readonly medians: readonly number[]
}

/** Measures a row: warm-ups, then alternating runs, the order turned round every time. */
export async function compare(row: Row, contenders: readonly Contender[], scale: Scale): Promise<Comparison[]> {
  const warmUps = row.warmUps ?? 1
  const results = contenders.map((): (readonly number[])[] => [])
  for (let run = -warmUps; run < scale.runs; run++) {
    const order = [...contenders.keys()]
    if (run % 2 !== 0) order.reverse()
    for (const index of order) {
      const contender = contenders[index]
      if (contender === undefined) continue
      const figures = await row.measure(contender, scale)
      if (run >= 0) results[index]?.push(figures)
      const shown = row.figures.map(({ name, digits }, i) => `${name} ${figures[i]?.toFixed(digits)}`).join(', ')
      console.error(`${row.id} ${run < 0 ? 'warm-up' : `run ${run + 1}`} ${contender.label}: ${shown}`)
    }
  }
  return row.figures.map((figure, i) => ({
    row,
    figure,
    medians: results.map(runs => median(runs.map(figures => figures[i] ?? Number.NaN))),
  }))
}

/** The middle of some numbers, NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** A Markdown table: one line for each figure; the ratio is the second contender's median by the first's. */
export function markdownTable(comparisons: readonly Comparison[], labels: readonly string[]): string {
  const lines = comparisons.map(({ row, figure, medians }, index) => {
    const title = comparisons[index - 1]?.row === row ? '' : row.title
    const cells = medians.map(value => format(value, figure.digits))
    const [first = Number.NaN, second = Number.NaN] = medians
    return `| ${[title, `${figure.name}, ${figure.unit}`, ...cells, (second / first).toFixed(2)].join(' | ')} |`
  })
  const header = ['measurement', 'figure', ...labels, 'ratio']
  const rule = ['---', '---', ...labels.map(() => '---:'), '---:']
  return [`| ${header.join(' | ')} |`, `| ${rule.join(' | ')} |`, ...lines].join('\n')
}

function format(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
