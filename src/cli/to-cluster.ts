import { connect, type Kafka } from '../client/index.ts'

/** Somebody who types waits less long for a broker that is not there than a program does. */
const PATIENCE_MS = 10_000

/** The cluster that `--bootstrap-server` names. */
export const toCluster = (bootstrapServer: string): Kafka => connect({ bootstrapServers: bootstrapServer })

/** Settings of admin clients and producers of the command line. */
export const adminPatience = { defaultApiTimeoutMs: PATIENCE_MS } as const
export const producerPatience = { maxBlockMs: PATIENCE_MS } as const
