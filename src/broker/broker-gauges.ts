import type { SocketServer } from '../network/index.ts'
import type { GaugeSource } from './broker-metrics.ts'
import type { BrokerServices } from './broker-services.ts'

/** What the gauges look at. */
export interface GaugedParts {
  readonly services: BrokerServices
  readonly sockets: SocketServer
}

/** The broker's gauges; nothing is looked at before a value is asked for. */
export function brokerGauges(parts: GaugedParts): readonly GaugeSource[] {
  const partitions = (matches: (partition: Hosted) => boolean) => (): number => {
    let count = 0
    for (const partition of parts.services.replicas.partitions()) if (matches(partition)) count += 1
    return count
  }
  return [
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

/** What the gauges ask of a partition. */
interface Hosted {
  readonly isLeader: boolean
  readonly isOffline: boolean
}
