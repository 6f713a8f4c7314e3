import type { GroupCoordinator } from '../coordinator/index.ts'
import type { MetadataCache } from '../metadata/index.ts'
import type { ServerConnection } from '../network/index.ts'
import type { Clock, Logger, Random } from '../platform/index.ts'
import type { Handler } from './handler.ts'

/** Everything that handlers may call, put together by `KafkaServer`. Each manager owns its matter; handlers translate. */
export interface BrokerServices {
  readonly brokerId: number
  readonly clusterId: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** The cluster as this broker knows it. */
  readonly metadata: MetadataCache
  /** Classic groups and committed offsets. */
  readonly groups: GroupCoordinator
  /** The list of APIs: `handlers/index.ts`. */
  readonly handlers: readonly Handler[]
  /** A client went away: whatever waits on its behalf is dropped. */
  disconnected(connection: ServerConnection): void
}
