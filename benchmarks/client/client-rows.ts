/** What one line of the comparison of clients measures. */

/** A workload; what the modes do stands in `scripts/workload.mjs`. */
export interface ClientRow {
  readonly id: string
  readonly title: string
  readonly mode: 'batched' | 'single' | 'awaited' | 'each' | 'batches'
  readonly recordBytes: 100 | 1_024
  readonly codec: 'none' | 'lz4'
  /** Records of a full run: some seconds for most clients. */
  readonly records: number
  /** Whether it belongs to the fast subset. */
  readonly quick: boolean
}

const TITLES = {
  batched: 'produce, 1,000 a send, 5 sends in flight',
  single: 'produce, one a send, 1,000 in flight',
  awaited: 'produce, one a send, each awaited, acks=all',
  each: 'consume, a call a record',
  batches: 'consume, a call a batch',
}

function row(
  shape: Pick<ClientRow, 'mode' | 'recordBytes' | 'records'> & Partial<Pick<ClientRow, 'codec' | 'quick'>>,
): ClientRow {
  const { mode, recordBytes, codec = 'none', quick = false, records } = shape
  const size = recordBytes === 100 ? '100 B' : '1 KiB'
  const title = `${TITLES[mode]}, ${size}${codec === 'none' ? '' : `, ${codec}`}`
  return { id: `${mode}-${recordBytes}-${codec}`, title, mode, recordBytes, codec, records, quick }
}

export const clientRows: readonly ClientRow[] = [
  row({ mode: 'batched', recordBytes: 100, records: 1_000_000, quick: true }),
  row({ mode: 'batched', recordBytes: 1_024, records: 300_000 }),
  row({ mode: 'batched', recordBytes: 100, codec: 'lz4', records: 1_000_000 }),
  row({ mode: 'batched', recordBytes: 1_024, codec: 'lz4', records: 300_000 }),
  row({ mode: 'single', recordBytes: 100, records: 200_000, quick: true }),
  row({ mode: 'awaited', recordBytes: 100, records: 5_000, quick: true }),
  row({ mode: 'each', recordBytes: 100, records: 2_000_000, quick: true }),
  row({ mode: 'each', recordBytes: 1_024, records: 500_000 }),
  row({ mode: 'each', recordBytes: 100, codec: 'lz4', records: 2_000_000 }),
  row({ mode: 'batches', recordBytes: 100, records: 2_000_000, quick: true }),
  row({ mode: 'batches', recordBytes: 1_024, codec: 'lz4', records: 500_000 }),
]
