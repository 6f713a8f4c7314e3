/** A record as all clients of the matrix write and read it: bytes, with null and empty apart. */
export interface MatrixRecord {
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

const hex = (bytes: Uint8Array | null): string => (bytes === null ? '-' : `x${Buffer.from(bytes).toString('hex')}`)

/** A record as a line: see `java/CodecMatrix.java`. */
export function lineOf({ timestamp, key, value, headers }: MatrixRecord): string {
  const pairs = headers.map(header => `${hex(Buffer.from(header.key))}=${hex(header.value)}`)
  return [timestamp, hex(key), hex(value), ...pairs].join(' ')
}

const TIME = 1_700_000_000_000
const utf8 = (text: string): Uint8Array => Buffer.from(text)

/** Null and empty keys, values and headers, repeated headers, times that go back, and enough of them for several blocks of a codec. */
export function matrixRecords(): MatrixRecord[] {
  const headers = [
    { key: 'trace', value: utf8('tür') },
    { key: 'trace', value: utf8('second') },
    { key: 'kavka černá', value: utf8('') },
  ]
  const kinds: MatrixRecord[] = [
    { timestamp: TIME, key: utf8('ключ'), value: utf8('väl'), headers },
    { timestamp: TIME - 5_000, key: null, value: utf8('no key'), headers: [] },
    { timestamp: TIME + 5_000, key: utf8(''), value: utf8(''), headers: [] },
    { timestamp: TIME + 1, key: utf8('tombstone'), value: null, headers: [{ key: 'why', value: utf8('gone') }] },
    { timestamp: TIME + 2, key: null, value: null, headers: [] },
    { timestamp: TIME + 2, key: null, value: utf8('null in a header'), headers: [{ key: 'none', value: null }] },
    { timestamp: TIME + 3, key: utf8('k'), value: Buffer.alloc(100_000, 'long '), headers: [] },
  ]
  const many = Array.from({ length: 500 }, (_, index) => ({
    timestamp: TIME + index,
    key: utf8(`k${index % 7}`),
    value: utf8(`value ${index} ${(index * 7919) % 1_000_003} `.repeat((index % 20) + 1)),
    headers: [],
  }))
  return [...kinds, ...many]
}
