import { HistoryRecorder, type Isolation, type Operation, type ReadRecord } from './index.ts'

type Produce = Extract<Operation, { readonly kind: 'produce' }>
type Fields<T> = { -readonly [K in keyof T]?: T[K] }

/** Writes histories by hand; everything is in partition `t-0` unless said otherwise. */
export class Story {
  readonly recorder = new HistoryRecorder()

  /** Ids of operations count from 1. */
  sending(values: string, fields: Fields<Produce> = {}): this {
    this.#send(values, fields)
    return this
  }

  #send(values: string, fields: Fields<Produce>): number {
    const records = values.split(' ').map(value => ({ value }))
    const defaults = { producer: 'p', partition: 't-0', isIdempotent: true, survives: true }
    return this.recorder.invoke({ kind: 'produce', records, ...defaults, ...fields })
  }

  sent(values: string, offset: number, fields: Fields<Produce> = {}): this {
    this.recorder.ok(this.#send(values, fields), { offset })
    return this
  }

  /** Reads the partition: `a b` from offset 0 on, `7:a` one at offset 7, `7.2:a` in epoch 2. */
  audit(text: string, isolation?: Isolation, offset = 0): this {
    const records = read(text, offset)
    for (const each of isolation === undefined ? (['uncommitted', 'committed'] as const) : [isolation]) {
      this.recorder.note({ kind: 'audit', partition: 't-0', isolation: each }, { offset, records })
    }
    return this
  }

  poll(position: number, text: string, next: number, more: { seeks?: boolean; isolation?: Isolation } = {}): this {
    const { seeks = false, isolation = 'committed' } = more
    const operation = { kind: 'poll', consumer: 'c', partition: 't-0', isolation, position, seeks } as const
    this.recorder.note(operation, { records: read(text, position), next })
    return this
  }

  end(transaction: string, isCommit = true): this {
    this.recorder.note({ kind: 'end', transaction, isCommit })
    return this
  }

  commitOffset(offset: number, more: { transaction?: string; survives?: boolean } = {}): this {
    this.recorder.note({ kind: 'commit-offset', group: 'g', partition: 't-0', offset, survives: true, ...more })
    return this
  }

  fetchOffset(offset: number): this {
    this.recorder.note({ kind: 'fetch-offset', group: 'g', partition: 't-0' }, { offset })
    return this
  }

  take(
    who: string,
    number: number,
    partitions?: readonly string[],
    more: { survives?: boolean; of?: string; keeps?: readonly string[] } = {},
  ): this {
    const { of = 'g', survives = true, keeps = [] } = more
    const session = { of, number }
    this.recorder.note(
      { kind: 'take-place', of, who, keeps, survives },
      partitions ? { session, partitions } : { session },
    )
    return this
  }

  crash(isLossy: boolean): this {
    this.recorder.note({ kind: 'crash', isLossy })
    return this
  }

  trim(offset: number): this {
    this.recorder.note({ kind: 'trim', partition: 't-0', offset })
    return this
  }
}

function read(text: string, from: number): ReadRecord[] {
  const words = text.split(' ').filter(word => word !== '')
  return words.map((word, index) => {
    const [value = '', place = `${from + index}`] = word.split(':').reverse()
    const [offset, epoch = 0] = place.split('.').map(Number)
    return { offset: offset!, epoch, value }
  })
}
