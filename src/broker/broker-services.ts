import type { DynamicBrokerConfig } from '../config/broker.ts'
import type { Controller } from '../controller/index.ts'
import type { GroupCoordinator, MarkerWriter, TransactionCoordinator } from '../coordinator/index.ts'
import type { MetadataCache } from '../metadata/index.ts'
import type { ServerConnection } from '../network/index.ts'
import type { Clock, Logger, Random } from '../platform/index.ts'
import type { FetchSessions, ReplicaManager } from '../replication/index.ts'
import type { AutoTopics } from './auto-topics.ts'
import type { Handler } from './handler.ts'
import type { ImplicitPartitions } from './implicit-partitions.ts'
import type { ProducerIds } from './producer-ids.ts'

/** Everything that handlers may call, put together by `KafkaServer`. Each manager owns its matter; handlers translate. */
export interface BrokerServices {
  readonly brokerId: number
  readonly clusterId: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Settings of this broker, as they change. */
  readonly config: DynamicBrokerConfig
  /** Changes topics, settings and leaders. */
  readonly controller: Controller
  /** The cluster as this broker knows it. */
  readonly metadata: MetadataCache
  /** The partitions that this broker hosts. */
  readonly replicas: ReplicaManager
  readonly fetchSessions: FetchSessions
  readonly producerIds: ProducerIds
  /** Creates topics that somebody asks for. */
  readonly autoTopics: AutoTopics
  /** Classic groups and committed offsets. */
  readonly groups: GroupCoordinator
  /** Transactions. */
  readonly transactions: TransactionCoordinator
  /** Partitions that transactions get by writing to them. */
  readonly implicitPartitions: ImplicitPartitions
  /** Ends transactions in the partitions that this broker leads. */
  readonly markers: MarkerWriter
  /** The list of APIs: `handlers/index.ts`. */
  readonly handlers: readonly Handler[]
  /** Whether a listener of this broker is on every interface and has no advertised address. */
  answersOnEveryInterface(listener: string): boolean
  /** A client went away: whatever waits on its behalf is dropped. */
  disconnected(connection: ServerConnection): void
}
