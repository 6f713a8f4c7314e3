import { resolve } from 'node:path'
import { nodeDisk } from '../platform/index.ts'
import { helloExample, ownCommand } from './own-command.ts'
import { runBroker } from './run-broker.ts'
import { readServerProperties } from './server-properties.ts'

/** Options of `monedula start`, as the command line gives them. */
export interface StartOptions {
  readonly config?: string
  readonly port: string
  readonly data: string
  readonly override?: readonly string[]
  readonly metricsPort?: string
  readonly json?: boolean
  readonly verbose?: boolean
}

/** Keys of the configuration, and the options that set them where no file is given. */
const SHORT_FORMS = [
  ['listeners', '--port'],
  ['log.dirs', '--data'],
  ['monedula.metrics.port', '--metrics-port'],
] as const

/** `monedula start`: a broker for development, or the one that a `server.properties` describes. */
export async function start(options: StartOptions): Promise<void> {
  let properties: Map<string, string>
  try {
    properties = readServerProperties(nodeDisk, options.config, options.override ?? [])
  } catch (error) {
    console.error(`monedula: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  }
  const shortForms = new Map(SHORT_FORMS.filter(([key]) => options.config === undefined && !properties.has(key)))
  if (options.config === undefined) addDevelopmentDefaults(properties, options)
  if (options.metricsPort !== undefined) properties.set('monedula.metrics.port', options.metricsPort)
  const server = await runBroker({
    properties,
    shortForms,
    isJson: options.json ?? false,
    isVerbose: options.verbose ?? false,
  })
  if (options.json || options.config !== undefined) return
  const [listener] = server.listeners
  if (listener) console.log(whatNext(`${listener.host}:${listener.port}`, options.data))
}

/** What suits one broker on a laptop, where nothing else was asked for. */
function addDevelopmentDefaults(properties: Map<string, string>, options: StartOptions): void {
  const defaults = {
    'broker.id': '0',
    listeners: `PLAINTEXT://127.0.0.1:${options.port}`,
    'log.dirs': resolve(options.data, 'logs'),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
  }
  for (const [key, value] of Object.entries(defaults)) if (!properties.has(key)) properties.set(key, value)
}

function whatNext(address: string, data: string): string {
  const command = ownCommand()
  const example = helloExample()
  const lines: [command: string, what: string][] = [
    [`${command} produce first -b ${address}`, 'publishes lines (end with Ctrl-D)'],
    [`${command} consume first -f -b ${address}`, 'reads what comes'],
  ]
  if (example !== undefined)
    lines.unshift([`node ${example} ${address}`, 'publishes three records and reads them back'])
  const width = Math.max(...lines.map(([typed]) => typed.length))
  const commands = lines.map(([typed, what]) => `  ${typed.padEnd(width)}  ${what}`).join('\n')
  return `\nMonedula listens on ${address}. In another terminal:\n\n${commands}\n\nRecords are kept in ${data}. Stop with Ctrl-C.`
}
