/** Where Kafka 3.9 keeps what, relative to the chroot. */
export const ZnodePath = {
  controller: '/controller',
  controllerEpoch: '/controller_epoch',
  clusterId: '/cluster/id',
  brokerIds: '/brokers/ids',
  topics: '/brokers/topics',
  configChanges: '/config/changes',
  configChangePrefix: '/config/changes/config_change_',
  deleteTopics: '/admin/delete_topics',
  preferredElection: '/admin/preferred_replica_election',
  reassignPartitions: '/admin/reassign_partitions',
  isrChanges: '/isr_change_notification',
  isrChangePrefix: '/isr_change_notification/isr_change_',
  logDirEvents: '/log_dir_event_notification',
  logDirEventPrefix: '/log_dir_event_notification/log_dir_event_',
  producerIdBlock: '/latest_producer_id_block',
  brokerSequence: '/brokers/seqid',
  feature: '/feature',
  broker: (brokerId: number): string => `/brokers/ids/${brokerId}`,
  topic: (topic: string): string => `/brokers/topics/${topic}`,
  partitions: (topic: string): string => `/brokers/topics/${topic}/partitions`,
  partition: (topic: string, partition: number): string => `/brokers/topics/${topic}/partitions/${partition}`,
  partitionState: (topic: string, partition: number): string =>
    `/brokers/topics/${topic}/partitions/${partition}/state`,
  deleteTopic: (topic: string): string => `/admin/delete_topics/${topic}`,
  /** `entity` as {@link configEntity} gives it: `topics/t`, `brokers/<default>`, `users/u/clients/c`. */
  config: (entity: string): string => `/config/${entity}`,
} as const

/** Kinds of things that have settings, by the name of their folder below `/config`. */
export const CONFIG_TYPES = ['topics', 'clients', 'users', 'brokers', 'ips'] as const
export type ConfigEntityType = (typeof CONFIG_TYPES)[number]

/** The name that stands for all entities of a kind that have no setting of their own. */
export const DEFAULT_ENTITY = '<default>'

/** Paths that every broker makes at its start, without data. */
export const PERSISTENT_PATHS: readonly string[] = [
  '/consumers',
  ZnodePath.brokerIds,
  ZnodePath.topics,
  ZnodePath.configChanges,
  ZnodePath.deleteTopics,
  ZnodePath.brokerSequence,
  ZnodePath.isrChanges,
  ZnodePath.producerIdBlock,
  ZnodePath.logDirEvents,
  ...CONFIG_TYPES.map(type => `/config/${type}`),
]

/**
 * The path below `/config` of an entity. Users and clients are escaped as Kafka's `Sanitizer` does (URL encoding, space
 * as `%20`, `*` as `%2A`), for they may hold a slash; pass {@link DEFAULT_ENTITY} as it is.
 */
export function configEntity(type: ConfigEntityType, name: string): string {
  return `${type}/${type === 'users' || type === 'clients' ? sanitize(name) : name}`
}

/** Escapes a user or client name; {@link DEFAULT_ENTITY} stays. */
export function sanitize(name: string): string {
  if (name === DEFAULT_ENTITY) return name
  return encodeURIComponent(name).replace(/[!'()*~]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** The opposite of {@link sanitize}. */
export function desanitize(name: string): string {
  return name === DEFAULT_ENTITY ? name : decodeURIComponent(name)
}
