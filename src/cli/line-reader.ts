import type { ProducerRecord } from '../client/index.ts'
import { type NameValue, unescaped } from './option-values.ts'

/** How a line holds headers, key and value; names and defaults of Kafka's console producer (LineMessageReader). */
interface LineProperties {
  readonly 'parse.key': string
  readonly 'key.separator': string
  readonly 'parse.headers': string
  readonly 'headers.delimiter': string
  readonly 'headers.separator': string
  readonly 'headers.key.separator': string
  readonly 'null.marker': string | undefined
  readonly 'ignore.error': string
}

const DEFAULTS: LineProperties = {
  'parse.key': 'false',
  'key.separator': '\t',
  'parse.headers': 'false',
  'headers.delimiter': '\t',
  'headers.separator': ',',
  'headers.key.separator': ':',
  'null.marker': undefined,
  'ignore.error': 'false',
}

const MARKS = ['headers.delimiter', 'headers.separator', 'headers.key.separator'] as const

/** A part of a line that ends with a mark, which the line may have to have. */
interface Part {
  readonly bytes: Buffer
  readonly rest: Buffer
}

/**
 * Makes records of lines as Kafka's console producer does: `name:value,name:value TAB key TAB value`, of which headers and key are there
 * only when asked for. What equals the null marker is null: a key, a value, a header's value, or all headers. Bytes pass as they are.
 */
export class LineReader {
  readonly #marks: Readonly<Record<'key' | 'headers' | 'pair' | 'header', Buffer>>
  readonly #nullMarker: Buffer | undefined
  readonly #hasKey: boolean
  readonly #hasHeaders: boolean
  readonly #isLenient: boolean
  #lineNumber = 0

  /** @throws Error for a property that there is not, and for marks that cannot be told apart */
  constructor(given: readonly NameValue[]) {
    const unknown = given.find(([name]) => !(name in DEFAULTS))
    if (unknown) throw new Error(`--property ${unknown[0]}: there are ${Object.keys(DEFAULTS).join(', ')}`)
    const properties = { ...DEFAULTS, ...Object.fromEntries(given.map(([name, text]) => [name, unescaped(text)])) }
    checkMarks(properties)
    const isTrue = (name: keyof LineProperties): boolean => properties[name]?.trim().toLowerCase() === 'true'
    this.#hasKey = isTrue('parse.key')
    this.#hasHeaders = isTrue('parse.headers')
    this.#isLenient = isTrue('ignore.error')
    const nullMarker = properties['null.marker']
    this.#nullMarker = nullMarker === undefined ? undefined : Buffer.from(nullMarker)
    this.#marks = {
      key: Buffer.from(properties['key.separator']),
      headers: Buffer.from(properties['headers.delimiter']),
      pair: Buffer.from(properties['headers.separator']),
      header: Buffer.from(properties['headers.key.separator']),
    }
  }

  /** @throws Error for a line without what it has to have, unless `ignore.error` is set */
  read(line: Buffer): ProducerRecord {
    this.#lineNumber += 1
    const headers = this.#hasHeaders ? this.#partOf(line, 'headers', 'headers.delimiter') : undefined
    const afterHeaders = headers?.rest ?? line
    const key = this.#hasKey ? this.#partOf(afterHeaders, 'key', 'key.separator') : undefined
    return {
      key: key === undefined ? null : this.#orNull(key.bytes),
      value: this.#orNull(key?.rest ?? afterHeaders),
      ...(headers !== undefined && this.#orNull(headers.bytes) !== null && { headers: this.#headersOf(headers.bytes) }),
    }
  }

  #partOf(line: Buffer, mark: 'key' | 'headers', property: keyof LineProperties): Part | undefined {
    const part = cut(line, this.#marks[mark])
    if (part === undefined && !this.#isLenient) {
      const shown = JSON.stringify(this.#marks[mark].toString())
      const what = mark === 'key' ? 'a line has no key' : 'a line has no headers'
      throw new Error(
        `${what}: ${shown} (${property}) is not in line ${this.#lineNumber}: ${JSON.stringify(line.toString())}`,
      )
    }
    return part
  }

  #headersOf(bytes: Buffer): { key: string; value: Buffer | null }[] {
    const pairs: Buffer[] = []
    let rest = bytes
    for (let part = cut(rest, this.#marks.pair); part !== undefined; part = cut(rest, this.#marks.pair)) {
      pairs.push(part.bytes)
      rest = part.rest
    }
    pairs.push(rest)
    // As in Java, where marks at the end of what is split are followed by nothing.
    while (pairs.length > 1 && pairs.at(-1)?.length === 0) pairs.pop()
    return pairs.map(pair => this.#headerOf(pair))
  }

  #headerOf(pair: Buffer): { key: string; value: Buffer | null } {
    const part = cut(pair, this.#marks.header)
    if (part === undefined) {
      if (this.#isLenient) return { key: pair.toString(), value: null }
      const shown = JSON.stringify(this.#marks.header.toString())
      throw new Error(`header ${JSON.stringify(pair.toString())} of line ${this.#lineNumber} has no ${shown} in it`)
    }
    if (this.#orNull(part.bytes) === null) {
      throw new Error(`a header of line ${this.#lineNumber} has the null marker as its name, and a name cannot be null`)
    }
    return { key: part.bytes.toString(), value: this.#orNull(part.rest) }
  }

  #orNull(bytes: Buffer): Buffer | null {
    return this.#nullMarker?.equals(bytes) ? null : bytes
  }
}

function cut(bytes: Buffer, mark: Buffer): Part | undefined {
  const at = bytes.indexOf(mark)
  return at < 0 ? undefined : { bytes: bytes.subarray(0, at), rest: bytes.subarray(at + mark.length) }
}

/** Marks that are equal, or nothing, could not be told apart in a line. */
function checkMarks(properties: LineProperties): void {
  const empty = ([...MARKS, 'key.separator'] as const).find(name => properties[name] === '')
  if (empty) throw new Error(`${empty} is empty: give a character, such as \\t`)
  const names = [...MARKS, 'null.marker', 'key.separator'] as const
  for (const [index, name] of names.entries()) {
    const other = names.slice(index + 1).find(one => properties[one] === properties[name])
    // Headers and key may end alike: the first mark ends the headers.
    const mayBeEqual = other === 'key.separator' && name !== 'null.marker'
    if (other !== undefined && !mayBeEqual) throw new Error(`${name} and ${other} may not be equal`)
  }
}
