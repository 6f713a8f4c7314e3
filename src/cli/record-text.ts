/** Records as text for people and for scripts. */
import type { ConsumerRecord } from '../client/index.ts'
import { isoDate } from '../platform/index.ts'
import { FORMAT_FIELDS, unescaped } from './option-values.ts'

/** Parts of a line; bytes pass as they are. */
export type Pieces = readonly (string | Uint8Array)[]

/** `key TAB value`, or the value alone where there is no key. What is null is shown as `nullMarker`. */
export function asLine({ keyBytes, valueBytes }: ConsumerRecord, nullMarker: string): Pieces {
  const value = valueBytes ?? nullMarker
  return keyBytes === null ? [value, '\n'] : [keyBytes, '\t', value, '\n']
}

type Field = (record: ConsumerRecord, nullMarker: string) => Pieces

const lengthOf = (bytes: Uint8Array | null): Pieces => [String(bytes?.length ?? -1)]

/** What stands for what in a format, as in kcat's `-f`. */
const FIELDS: Readonly<Record<string, Field>> = {
  t: ({ topic }) => [topic],
  p: ({ partition }) => [String(partition)],
  o: ({ offset }) => [String(offset)],
  k: ({ keyBytes }, nullMarker) => [keyBytes ?? nullMarker],
  s: ({ valueBytes }, nullMarker) => [valueBytes ?? nullMarker],
  K: ({ keyBytes }) => lengthOf(keyBytes),
  S: ({ valueBytes }) => lengthOf(valueBytes),
  h: ({ headers }, nullMarker) =>
    headers.flatMap(({ key, value }, index) => [`${index === 0 ? '' : ','}${key}=`, value ?? nullMarker]),
  T: ({ timestamp }) => [String(timestamp)],
  d: ({ timestamp }) => [timestamp < 0 ? '-' : (isoDate(timestamp) ?? String(timestamp))],
  '%': () => ['%'],
}

/**
 * Reads a format such as `%p %o %k: %s\n`, once for all records.
 * @throws Error for a mark that there is not
 */
export function recordFormat(format: string): (record: ConsumerRecord, nullMarker: string) => Pieces {
  const fields: Field[] = unescaped(format)
    .split(/(%.)/s)
    .filter(part => part !== '')
    .map(part => {
      if (!part.startsWith('%')) return () => [part]
      const field = FIELDS[part.slice(1)]
      if (field === undefined) throw new Error(`--format: there is no ${part}; there are ${FORMAT_FIELDS}`)
      return field
    })
  return (record, nullMarker) => fields.flatMap(field => field(record, nullMarker))
}
