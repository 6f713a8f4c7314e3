import { addressOptions, environmentOptions, Kafka, propertiesFile } from '../client/index.ts'
import { tellingOfFirstContact } from './first-contact.ts'
import type { NameValue } from './option-values.ts'

/** How a command is told which cluster it is about. */
export interface ClusterOptions {
  readonly bootstrapServer?: string
  /** A `.properties` file with settings of clients. */
  readonly commandConfig?: string
  /** Settings of the client, over those of the file. */
  readonly set?: readonly NameValue[]
}

/** Somebody who types waits less long for a broker that is slow than a program does, */
const PATIENCE_MS = 10_000
/** and still less for one that is not there. */
const FIRST_CONTACT_MS = 1_000
const FOR_EVER_MS = 2 ** 31 - 1
const LOCAL = 'localhost:9092'

/**
 * The cluster that `--bootstrap-server` names, or else the file of `--command-config`, the environment, or nobody: then one on this machine.
 * Where no broker is there, or none answers, a warning says so; a command that waits for one (`isPatient`) goes on trying.
 */
export function toCluster(options: ClusterOptions, { isPatient = false } = {}): Kafka {
  const { bootstrapServer, commandConfig } = options
  const file = commandConfig === undefined ? undefined : propertiesFile(commandConfig).properties
  // Here for all clients of a command; {@link settings} are for the one that they are meant for, which refuses what it does not know.
  const firstContact: NameValue[] = isPatient ? [] : [['bootstrap.timeout.ms', String(FIRST_CONTACT_MS)]]
  const properties = new Map([...firstContact, ...(file ?? []), ...typed(options)])
  const parts = { properties, ...tellingOfFirstContact() }
  if (bootstrapServer !== undefined) return new Kafka({ ...parts, ...addressOptions(bootstrapServer) })
  if (properties.has('bootstrap.servers')) return new Kafka(parts)
  return new Kafka({ ...parts, ...(environmentOptions() ?? addressOptions(LOCAL)) })
}

/** What `-X`, or else the file of `--command-config`, says of a setting; undefined when neither does. */
export function settingOf(options: ClusterOptions, name: string): string | undefined {
  const { commandConfig } = options
  const value = new Map(typed(options)).get(name)
  return value ?? (commandConfig === undefined ? undefined : propertiesFile(commandConfig).properties.get(name))
}

/** What was set by `-X`, by Java's names, however it was written: over what a command sets by them. */
const typed = ({ set = [] }: ClusterOptions): NameValue[] =>
  set.map(([name, value]) => [name.replaceAll(/[A-Z]/g, letter => `.${letter.toLowerCase()}`), value])

/** The same as options of the client that a command is about. */
const settings = (options: ClusterOptions): object => Object.fromEntries(typed(options))

/** Options of an admin client of the command line. */
export const adminOptions = (options: ClusterOptions) => ({
  'default.api.timeout.ms': PATIENCE_MS,
  ...settings(options),
})

/** Options of a producer of the command line. */
export const producerOptions = (options: ClusterOptions) => ({ 'max.block.ms': PATIENCE_MS, ...settings(options) })

/** Options of a consumer of the command line. */
export const consumerOptions = (options: ClusterOptions) => ({ ...settings(options) })

/** Options of an admin client that only looks something up for another client: it leaves alone what that one was set to. */
export const lookUpOptions = ({ isPatient = false } = {}) =>
  isPatient ? { defaultApiTimeoutMs: FOR_EVER_MS } : { defaultApiTimeoutMs: PATIENCE_MS }
