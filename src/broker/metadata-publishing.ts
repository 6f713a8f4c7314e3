import type { DynamicBrokerConfig } from '../config/broker.ts'
import type { GroupCoordinator, TransactionCoordinator } from '../coordinator/index.ts'
import type { ClusterDelta, ClusterImage, MetadataPublisher, TopicChange } from '../metadata/index.ts'
import { OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../metadata/index.ts'
import type { Logger } from '../platform/index.ts'
import type { ReplicaManager } from '../replication/index.ts'
import type { LogManager } from '../storage/index.ts'
import { logSettings } from './log-settings.ts'

/** Who acts on changes of the cluster's metadata in this broker. */
export interface MetadataFollowers {
  readonly brokerId: number
  readonly config: DynamicBrokerConfig
  readonly logs: LogManager
  readonly replicas: ReplicaManager
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly logger: Logger
}

/**
 * Makes the broker follow the metadata (Kafka's BrokerMetadataPublisher): settings of topics first, because logs are made
 * with them; then partitions; then the coordinators whose partitions those are. Dynamic settings of the broker itself are
 * in effect by then: the controller subscribes before.
 */
export function metadataPublisher(followers: MetadataFollowers): MetadataPublisher {
  return (image, delta) => {
    applyTopicConfigs(image, delta, followers)
    followers.replicas.applyDelta(image, delta)
    for (const change of delta.topics) {
      if (change.name === OFFSETS_TOPIC) applyCoordinator(change, followers.groups, followers)
      if (change.name === TRANSACTION_STATE_TOPIC) applyCoordinator(change, followers.transactions, followers)
    }
    forgetOffsets(delta, followers)
  }
}

/** A broker setting may be the default of every topic; a topic's own setting concerns its logs alone. */
function applyTopicConfigs(image: ClusterImage, delta: ClusterDelta, { config, logs }: MetadataFollowers): void {
  const all = [...delta.configs].some(entity => entity.startsWith('brokers/'))
  const names = all
    ? [...image.topics()].map(({ name }) => name)
    : [...delta.configs].flatMap(entity => (entity.startsWith('topics/') ? [entity.slice('topics/'.length)] : []))
  if (names.length === 0) return
  logs.topicConfigsChanged(
    new Map(names.map(name => [name, logSettings(config.current, image.config('topics', name))])),
  )
}

function applyCoordinator(
  { name, before, after }: TopicChange,
  coordinator: Pick<GroupCoordinator, 'onElected' | 'onResigned'>,
  { brokerId, logger }: MetadataFollowers,
): void {
  const count = Math.max(before?.partitions.length ?? 0, after?.partitions.length ?? 0)
  for (let index = 0; index < count; index++) {
    const is = after?.partitions[index]
    // A topic that was deleted and made anew under its name has nothing of the one before.
    const isAnother = before !== undefined && before.topicId !== after?.topicId
    if (isAnother && before.partitions[index]?.leader === brokerId) coordinator.onResigned(index)
    const was = isAnother ? undefined : before?.partitions[index]
    if (is?.leader === brokerId) {
      if (was?.leader === brokerId && was.leaderEpoch === is.leaderEpoch) continue
      coordinator.onElected(index, is.leaderEpoch).catch(error => {
        logger.error({ err: error }, `Could not load ${name}-${index}`)
      })
    } else if (was?.leader === brokerId) coordinator.onResigned(index, is?.leaderEpoch)
  }
}

/** Offsets for a topic that is gone, or has been made anew under its name, mean nothing. */
function forgetOffsets(delta: ClusterDelta, { groups }: MetadataFollowers): void {
  const gone = delta.topics.flatMap(({ before, after }) =>
    before !== undefined && before.topicId !== after?.topicId
      ? before.partitions.map((_, partition) => ({ topic: before.name, partition }))
      : [],
  )
  // It never rejects: what cannot be removed now is logged, and expires.
  if (gone.length > 0) void groups.onPartitionsDeleted(gone)
}
