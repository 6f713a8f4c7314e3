import type { SocketServer } from '../network/index.ts'
import type { CleanerFigures, LogManager } from '../storage/index.ts'
import type { GaugeSource } from './broker-metrics.ts'
import type { BrokerServices } from './broker-services.ts'

/** What the gauges look at. */
export interface GaugedParts {
  readonly services: BrokerServices
  readonly sockets: SocketServer
  readonly logs: LogManager
}

/** The broker's gauges; nothing is looked at before a value is asked for. */
export function brokerGauges(parts: GaugedParts): readonly GaugeSource[] {
  const partitions = (matches: (partition: Hosted) => boolean) => (): number => {
    let count = 0
    for (const partition of parts.services.replicas.partitions()) if (matches(partition)) count += 1
    return count
  }
  return [
    ...cleanerGauges(parts),
    {
      name: 'kafka_server_socketservermetrics_connection_count',
      help: 'Open connections',
      value: () => parts.sockets.connectionCount,
    },
    {
      name: 'kafka_network_socketserver_queuedbytes',
      help: 'Bytes of requests in progress',
      value: () => parts.sockets.queuedBytes,
    },
    {
      name: 'kafka_server_replicamanager_partitioncount',
      help: 'Partitions hosted here',
      value: partitions(() => true),
    },
    {
      name: 'kafka_server_replicamanager_leadercount',
      help: 'Partitions led here',
      value: partitions(({ isLeader }) => isLeader),
    },
    {
      name: 'kafka_server_replicamanager_offlinereplicacount',
      help: 'Partitions whose log directory has failed',
      value: partitions(({ isOffline }) => isOffline),
    },
    {
      name: 'kafka_controller_kafkacontroller_globaltopiccount',
      help: 'Topics of the cluster',
      value: () => parts.services.metadata.image().topicCount,
    },
    {
      name: 'kafka_coordinator_group_groupmetadatamanager_numgroups',
      help: 'Groups coordinated here',
      value: () => parts.services.groups.counts().groups,
    },
  ]
}

/** Compaction in numbers (Kafka's LogCleaner and LogCleanerManager); all 0 where `log.cleaner.enable` is false. */
function cleanerGauges(parts: GaugedParts): readonly GaugeSource[] {
  const figure = (key: keyof CleanerFigures) => (): number => parts.logs.cleanerFigures?.[key] ?? 0
  return [
    {
      name: 'kafka_log_logcleanermanager_uncleanable_partitions_count',
      help: 'Compacted partitions that cannot be cleaned and are left alone',
      value: figure('uncleanablePartitions'),
    },
    {
      name: 'kafka_log_logcleanermanager_uncleanable_bytes',
      help: 'Bytes that wait for cleaning in partitions that cannot be cleaned',
      value: figure('uncleanableBytes'),
    },
    {
      name: 'kafka_log_logcleanermanager_max_dirty_percent',
      help: 'Uncleaned share of the log that most wants cleaning',
      value: figure('maxDirtyPercent'),
    },
    {
      name: 'kafka_log_logcleanermanager_time_since_last_run_ms',
      help: 'Milliseconds since the cleaner last looked for work',
      value: figure('timeSinceLastRunMs'),
    },
    {
      name: 'kafka_log_logcleaner_cleaner_recopy_percent',
      help: 'Bytes written per hundred bytes read in the last cleaning of each cleaner',
      value: figure('recopyPercent'),
    },
    {
      name: 'kafka_log_logcleaner_max_clean_time_secs',
      help: 'Seconds of the longest of the last cleanings',
      value: figure('maxCleanTimeSecs'),
    },
    {
      name: 'kafka_log_logcleaner_max_compaction_delay_secs',
      help: 'Seconds by which the log that waits longest is over its max.compaction.lag.ms',
      value: figure('maxCompactionDelaySecs'),
    },
    {
      name: 'kafka_log_logcleaner_deadthreadcount',
      help: 'Cleaners whose thread has died; it is started again for the next cleaning',
      value: figure('deadThreads'),
    },
    {
      name: 'kafka_log_logcleaner_max_buffer_utilization_percent',
      help: 'How full the fullest table of keys got in the last cleanings',
      value: figure('maxBufferUtilizationPercent'),
    },
  ]
}

/** What the gauges ask of a partition. */
interface Hosted {
  readonly isLeader: boolean
  readonly isOffline: boolean
}
