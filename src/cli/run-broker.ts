import { KafkaServer, type KafkaServerOptions } from '../broker/index.ts'
import {
  descriptorLimit,
  type Logger,
  nodeDisk,
  nodeNetwork,
  nodeThreads,
  nodeWorkers,
  systemClock,
  systemRandom,
} from '../platform/index.ts'
import { createLogger } from '../platform/pino-logger.ts'
import { EXIT_CODES } from './exit-codes.ts'

export interface RunBrokerOptions {
  /** Keys of `server.properties` as written. */
  readonly properties: ReadonlyMap<string, string>
  /** Options that the user can give for keys of it: a failure that names the key names the option, too. */
  readonly shortForms?: ReadonlyMap<string, string>
  /** Log JSON instead of Kafka's layout. */
  readonly isJson?: boolean
  /** Log each request. */
  readonly isVerbose?: boolean
}

/**
 * Starts a broker in this process on the machine's disk and network. It stops cleanly on SIGTERM and SIGINT; a start that
 * fails says why in one line and ends the process with code 1, as does an error nobody expected.
 */
export async function runBroker(options: RunBrokerOptions): Promise<KafkaServer> {
  const logger = createLogger({
    level: options.isVerbose ? 'debug' : 'info',
    format: options.isJson ? 'json' : 'kafka',
    write: line => process.stdout.write(line),
  })
  const log = logger.child({ logger: 'kafka.server.KafkaServer' })
  let server: KafkaServer | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({}, `Terminating process due to signal ${signal}`)
      void stop(server, signal, log)
    })
  }
  process.on('uncaughtException', error => halt(log, error))
  process.on('unhandledRejection', error => halt(log, error))
  try {
    const serverOptions: KafkaServerOptions = {
      properties: options.properties,
      disk: nodeDisk,
      network: nodeNetwork,
      cleanerThreads: nodeThreads,
      clock: systemClock,
      random: systemRandom,
      workers: nodeWorkers(),
      descriptorLimit: descriptorLimit(),
      logger,
      isVerbose: options.isVerbose ?? false,
      onHalt: () => process.exit(1),
    }
    server = await KafkaServer.start(serverOptions)
    return server
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.error({}, `Cannot start: ${reason}${shortFormsOf(reason, options.shortForms)}`)
    if (options.isVerbose && error instanceof Error) log.debug({ stack: error.stack }, 'Where it failed')
    process.exit(1)
  }
}

function shortFormsOf(reason: string, shortForms: ReadonlyMap<string, string> = new Map()): string {
  const words = new Set(reason.split(/[\s,;:=]+/))
  const named = [...shortForms].filter(([key]) => words.has(key)).map(([key, option]) => `${option} sets ${key}`)
  return named.length === 0 ? '' : ` (${named.join(', ')})`
}

async function stop(server: KafkaServer | undefined, signal: keyof typeof EXIT_CODES, log: Logger): Promise<void> {
  try {
    await server?.stop()
    process.exit(EXIT_CODES[signal])
  } catch (error) {
    log.error({ err: error }, 'The stop was not clean')
    process.exit(1)
  }
}

/** A broken invariant: going on could spread it. Recovery at the next start repairs what this leaves. */
function halt(log: Logger, error: unknown): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  log.error({}, `Halting because of an unexpected error: ${reason}`)
  process.exit(1)
}
