/**
 * A configuration value that cannot be used. The message is one line that names key, value and reason, in Kafka's
 * words where Kafka has any, followed by the way out where one is known; operators and client tools see it as it is.
 */
export class ConfigError extends Error {
  /** Key whose value is wrong; undefined when the error is about several keys. */
  readonly key: string | undefined
  /** The value as written, or as its replacement where it must not be shown. */
  readonly value: string | undefined
  /** What is wrong with it. */
  readonly reason: string

  /** Kafka reports it to clients as it is, where other errors get the resource's name before them. */
  readonly standsAlone: boolean

  constructor(
    reason: string,
    at: { readonly key?: string; readonly value?: string | null; readonly standsAlone?: boolean } = {},
  ) {
    const { key, standsAlone = false } = at
    const value = typeof at.value === 'string' ? shortened(at.value) : at.value
    super(
      key === undefined || value === undefined ? reason : `Invalid value ${value} for configuration ${key}: ${reason}`,
    )
    this.name = 'ConfigError'
    this.key = key
    this.value = value ?? undefined
    this.reason = reason
    this.standsAlone = standsAlone
  }
}

const SHOWN_MAX = 300

/** A text that a client or a file gave, fit for one line: not endless, and without control characters. */
export function shortened(text: string): string {
  const start = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  return start.replace(/[\u0000-\u001f\u007f]/g, char => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
