/** What the values of options may be; each reader refuses a wrong one with what would be right. */
import { InvalidArgumentError } from 'commander'
import { momentOf } from '../platform/index.ts'

const MAX_INT32 = 2 ** 31 - 1

/** A whole number from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return text => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= least && number <= MAX_INT32) return number
    throw new InvalidArgumentError(`Give a whole number from ${least} on.`)
  }
}

const MAX_PORT = 65_535

/** A port, in the text that a setting takes. */
export function port(text: string): string {
  if (/^\d+$/.test(text) && Number(text) <= MAX_PORT) return text
  throw new InvalidArgumentError(`Give a port, 0 to ${MAX_PORT}.`)
}

/** Numbers of partitions: `0`, or several with commas. */
export function partitions(text: string, before: readonly number[] = []): number[] {
  return [...before, ...text.split(',').map(wholeNumber(0))]
}

/** A moment, in milliseconds since 1970: such a number, or a date of ISO 8601. */
export function moment(text: string): number {
  const found = /^\d+$/.test(text) ? Number(text) : momentOf(text)
  if (found !== undefined && Number.isSafeInteger(found)) return found
  throw new InvalidArgumentError('Give milliseconds since 1970, or a date such as 2026-01-31T12:00:00Z.')
}

/** A name and a value; an option that may be given several times. */
export type NameValue = readonly [name: string, value: string]

/** `name=value`, added to what was given before. */
export function nameValue(text: string, before: readonly NameValue[] = []): NameValue[] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Give name=value.')
  return [...before, [text.slice(0, at), text.slice(at + 1)]]
}

/** A text, added to those that were given before. */
export function texts(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

/** Where reading begins, or a group is put. */
export type Place =
  | { readonly at: 'beginning' | 'end' }
  /** This offset. */
  | { readonly at: 'offset'; readonly offset: number }
  /** So many records before the end. */
  | { readonly at: 'before-end'; readonly count: number }
  /** The first record that is not older than a moment, in milliseconds since 1970. */
  | { readonly at: 'time'; readonly timestamp: number }

const NAMED_PLACES: Readonly<Record<string, Place>> = {
  beginning: { at: 'beginning' },
  earliest: { at: 'beginning' },
  end: { at: 'end' },
  latest: { at: 'end' },
}

/** `beginning`, `end`, an offset, `-N` before the end, `@` and a moment. */
export function place(text: string): Place {
  const named = NAMED_PLACES[text]
  if (named !== undefined) return named
  if (text.startsWith('@')) return { at: 'time', timestamp: moment(text.slice(1)) }
  const offset = Number(text)
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(offset)) {
    return text.startsWith('-') ? { at: 'before-end', count: -offset } : { at: 'offset', offset }
  }
  throw new InvalidArgumentError(
    'Give beginning, end, an offset, -N for N before the end, or @ and a time such as @2026-01-31T12:00:00Z.',
  )
}

/** What can stand in `--format`, for people. */
export const FORMAT_FIELDS =
  '%t topic, %p partition, %o offset, %k key, %s value, %h headers, %T time in ms, %d time as a date, %K and %S bytes of key and value, %% a %'

/** What stands for characters that are hard to type: `\t`, `\n`, `\r`, `\0`, `\\`, `\xNN`. */
export function unescaped(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-fA-F]{2})|([tnr0\\]))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? ESCAPES[letter]! : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '0': '\0', '\\': '\\' }
