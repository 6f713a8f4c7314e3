import type { AnyConfigValue } from './config-value.ts'

/** A rule for the value of a key. */
export interface Validator {
  /** What is wrong with `value`, or undefined when nothing is; with the item at fault where only one of a list is. */
  check(value: AnyConfigValue | null): string | { readonly reason: string; readonly item: string } | undefined
  /** The rule as Kafka's documentation prints it, such as `[0,...]`. */
  toString(): string
}

function validator(text: string, check: Validator['check']): Validator {
  return { check, toString: () => text }
}

/** Numbers of at least `low`. */
export function atLeast(low: number): Validator {
  return validator(`[${low},...]`, value =>
    typeof value !== 'number' ? 'Value must be non-null' : value < low ? `Value must be at least ${low}` : undefined,
  )
}

/** Numbers from `low` to `high`, both included. */
export function between(low: number, high: number): Validator {
  return validator(`[${low},...,${high}]`, value => {
    if (typeof value !== 'number') return 'Value must be non-null'
    if (value < low) return `Value must be at least ${low}`
    return value > high ? `Value must be no more than ${high}` : undefined
  })
}

/** A rule that allows nothing but `options`, so that types can name them. */
export interface OneOf<Option extends string> extends Validator {
  readonly options: readonly Option[]
}

/** One of `options`, or for a list nothing but them. */
export function oneOf<const Option extends string>(...options: readonly Option[]): OneOf<Option> {
  const known: readonly string[] = options
  const reason = `String must be one of: ${options.join(', ')}`
  const rule = validator(`[${options.join(', ')}]`, value => {
    if (Array.isArray(value)) {
      const item = value.find(one => !known.includes(one))
      return item === undefined ? undefined : { reason, item }
    }
    return typeof value === 'string' && known.includes(value) ? undefined : reason
  })
  return { ...rule, options }
}

/** One of `options`, in any case. */
export function oneOfAnyCase(...options: readonly string[]): Validator {
  const reason = `String must be one of (case insensitive): ${options.join(', ')}`
  return validator(`(case insensitive) [${options.join(', ')}]`, value =>
    typeof value === 'string' && options.includes(value.toUpperCase()) ? undefined : reason,
  )
}

/** A string that, where there is one, is not empty. */
export const nonEmpty: Validator = validator('non-empty string', value =>
  value === '' ? 'String must be non-empty' : undefined,
)

/** Anything but null. */
export const nonNull: Validator = validator('non-null string', value =>
  value === null ? 'entry must be non null' : undefined,
)

/** Levels of gzip: 1 to 9, or -1 for the codec's own choice. */
export const gzipLevel: Validator = validator('[1,...,9] or -1', value =>
  value === -1 || (typeof value === 'number' && value >= 1 && value <= 9)
    ? undefined
    : 'Value must be between 1 and 9 or equal to -1',
)

/** A size of a thread pool, where -1 stands for that of another. */
export const poolSizeOrInherited: Validator = validator(
  'The default value of -1 means that this will be set to the configured value of ' +
    'remote.log.manager.thread.pool.size, if available; otherwise, it defaults to 10.',
  value =>
    value === -1 || (typeof value === 'number' && value >= 1) ? undefined : 'Value must be at least 1 or equal to -1',
)

/** Addresses or voters of a KRaft quorum; nothing reads them here, so any list is taken. */
export const quorumList: Validator = validator('non-empty list', () => undefined)

/** Replicas under a throttle: `*`, or `partition:broker` items. */
export function throttledReplicas(key: string): Validator {
  const form = '[partitionId]:[brokerId],[partitionId]:[brokerId],...'
  return validator(form, value => {
    if (!Array.isArray(value)) return `${key} not a list`
    const text = value.join(',').trim()
    if (text === '' || text === '*' || value.every(item => /^\d+:\d+$/.test(item.trim()))) return undefined
    return `${key} must be the literal '*' or a list of replicas in the following format: ${form}`
  })
}
