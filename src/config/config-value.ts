/**
 * Reading and writing of single values, as Kafka's ConfigDef does: what a text means for each type, and how a value
 * is described back.
 */

/** Kafka's types of configuration values, in lower case. */
export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password'

/** What a value of each type is in TypeScript. A `class` is the name of a Java class. */
export interface ConfigTypes {
  readonly boolean: boolean
  readonly string: string
  readonly int: number
  readonly short: number
  readonly long: number
  readonly double: number
  readonly list: readonly string[]
  readonly class: string
  readonly password: Password
}

/** Any value of a configuration. */
export type AnyConfigValue = ConfigTypes[ConfigType]

/** A secret. It prints as `[hidden]` wherever it may end up; {@link Password.reveal} gives it away. */
export class Password {
  /** What stands for a secret in logs and errors. */
  static readonly HIDDEN = '[hidden]'
  readonly #secret: string

  constructor(secret: string) {
    this.#secret = secret
  }

  reveal(): string {
    return this.#secret
  }

  toString(): string {
    return Password.HIDDEN
  }

  toJSON(): string {
    return Password.HIDDEN
  }
}

/** A parsed value, and the text in which Kafka describes it. */
export interface ParsedValue {
  readonly value: AnyConfigValue
  readonly text: string
}

const INTEGERS = {
  short: { low: -(2n ** 15n), high: 2n ** 15n - 1n },
  int: { low: -(2n ** 31n), high: 2n ** 31n - 1n },
  long: { low: -(2n ** 63n), high: 2n ** 63n - 1n },
} as const
const NUMBER_LENGTH_MAX = 100
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?$/

/** Reads `written` as `type`; returns the reason when it cannot be one. Spaces around it do not count. */
export function parseValue(type: ConfigType, written: string): ParsedValue | { readonly reason: string } {
  const trimmed = written.trim()
  switch (type) {
    case 'boolean': {
      const text = trimmed.toLowerCase()
      if (text !== 'true' && text !== 'false') return { reason: 'Expected value to be either true or false' }
      return { value: text === 'true', text }
    }
    case 'short':
    case 'int':
    case 'long':
      return parseInteger(type, trimmed)
    case 'double':
      return parseDouble(trimmed)
    case 'list': {
      const value = trimmed === '' ? [] : trimmed.split(',').map(item => item.trim())
      return { value, text: value.join(',') }
    }
    case 'password':
      return { value: new Password(trimmed), text: Password.HIDDEN }
    case 'string':
    case 'class':
      return { value: trimmed, text: trimmed }
  }
}

/**
 * Values beyond ±(2^53-1), which a number cannot hold exactly, saturate there: they mean "for ever" wherever they
 * occur. The text keeps them as they are.
 */
function parseInteger(type: keyof typeof INTEGERS, trimmed: string): ParsedValue | { readonly reason: string } {
  const reason = `Not a number of type ${type.toUpperCase()}`
  if (trimmed.length > NUMBER_LENGTH_MAX || !/^[+-]?\d+$/.test(trimmed)) return { reason }
  const exact = BigInt(trimmed.replace(/^\+/, ''))
  const { low, high } = INTEGERS[type]
  if (exact < low || exact > high) return { reason }
  const limit = Number.MAX_SAFE_INTEGER
  return { value: Math.min(Math.max(Number(exact), -limit), limit), text: String(exact) }
}

function parseDouble(trimmed: string): ParsedValue | { readonly reason: string } {
  const reason = 'Not a number of type DOUBLE'
  if (trimmed.length > NUMBER_LENGTH_MAX) return { reason }
  const special = /^([+-]?)(NaN|Infinity)$/.exec(trimmed)
  if (!special && !DECIMAL.test(trimmed)) return { reason }
  const value = Number(trimmed.replace(/[fFdD]$/, ''))
  return { value: special?.[2] === 'NaN' ? Number.NaN : value, text: doubleText(value) }
}

/** A double as Java prints it: plain from 0.001 up to ten million, else with an exponent, always with a fraction. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const size = Math.abs(value)
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value)
    return text.includes('.') ? text : `${text}.0`
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent.replace('+', '')}`
}
