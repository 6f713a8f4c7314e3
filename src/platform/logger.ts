/**
 * What the layers log to; a pino logger fits it, so users may pass their own. `info` is for state changes that an
 * operator wants to see, `debug` for single requests. A logger is named after the Kafka class that does the same job,
 * so that operators' filters and eyes keep working.
 */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A logger that adds `fields` to each line; `logger` among them names it (`kafka.server.KafkaServer`). */
  child(fields: { readonly logger?: string; readonly [field: string]: unknown }): Logger
}

/** What is logged to by who names no loggers; Node's `console` does, too. */
export type LogLevels = Omit<Logger, 'child'>

/** A logger that drops everything; for tests and embedded use. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}
