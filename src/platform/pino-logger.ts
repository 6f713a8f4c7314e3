import { type DestinationStream, pino } from 'pino'
import type { Logger } from './logger.ts'

/** Severity of a log line, least first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** How {@link createLogger} writes. */
export interface LoggerOptions {
  /** Lines below this are dropped. */
  readonly level: LogLevel
  /** `kafka`: `[2026-01-02 03:04:05,678] INFO message (logger)`, as log4j prints in Kafka. `json`: one object a line. */
  readonly format: 'kafka' | 'json'
  /** Where lines go. */
  readonly write: (line: string) => void
}

/** A logger on pino. */
export function createLogger(options: LoggerOptions): Logger {
  const destination: DestinationStream = {
    write: line => options.write(options.format === 'json' ? line : kafkaLine(line)),
  }
  return pino({ level: options.level, base: null }, destination)
}

const LEVEL_NAMES: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR' }

/** pino's JSON line in the layout of Kafka's log4j.properties: `[%d] %p %m (%c)`. */
function kafkaLine(json: string): string {
  const { level, time, msg, logger, err, ...fields } = JSON.parse(json) as Record<string, unknown>
  const at = new Date(Number(time))
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  const millis = String(at.getMilliseconds()).padStart(3, '0')
  const extra = Object.entries(fields)
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('')
  const cause = err && typeof err === 'object' && 'message' in err ? `: ${String(err.message)}` : ''
  return `[${date} ${clock},${millis}] ${LEVEL_NAMES[Number(level)] ?? 'INFO'} ${escapeControls(
    `${String(msg)}${cause}${extra}`,
  )} (${String(logger ?? 'monedula')})\n`
}

/** Control characters as `\xNN`, so that a name a client chose cannot forge a line. */
function escapeControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  return text.replace(/[\u0000-\u001f\u007f]/g, char => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
