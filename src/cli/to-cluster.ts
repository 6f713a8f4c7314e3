import { addressOptions, environmentOptions, Kafka, propertiesFile } from '../client/index.ts'

/** How a command is told which cluster it is about. */
export interface ClusterOptions {
  readonly bootstrapServer?: string
  /** A `.properties` file with settings of clients. */
  readonly commandConfig?: string
}

/** Somebody who types waits less long for a broker that is not there than a program does. */
const PATIENCE_MS = 10_000
const LOCAL = 'localhost:9092'

/** The cluster that `--bootstrap-server` names, or else the file of `--command-config`, the environment, or nobody: then one on this machine. */
export function toCluster({ bootstrapServer, commandConfig }: ClusterOptions): Kafka {
  const file = commandConfig === undefined ? undefined : propertiesFile(commandConfig)
  if (bootstrapServer !== undefined) return new Kafka({ ...file, ...addressOptions(bootstrapServer) })
  if (file?.properties.has('bootstrap.servers')) return new Kafka(file)
  return new Kafka({ ...file, ...(environmentOptions() ?? addressOptions(LOCAL)) })
}

/** Settings of admin clients and producers of the command line. */
export const adminPatience = { defaultApiTimeoutMs: PATIENCE_MS } as const
export const producerPatience = { maxBlockMs: PATIENCE_MS } as const
