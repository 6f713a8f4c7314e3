import { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/messages/60-describe-cluster.ts'
import type { BrokerInfo } from '../cluster-metadata.ts'
import { type AclOperation, operationsIn } from './acls.ts'
import { type AdminCall, asked } from './admin-call.ts'
import type { DescribeOptions } from './groups.ts'

const DESCRIBE_CLUSTER = { request: DescribeClusterRequest, response: DescribeClusterResponse }

export interface ClusterDescription {
  readonly clusterId: string
  /** Id of the controller; -1 while there is none. */
  readonly controllerId: number
  readonly brokers: readonly BrokerInfo[]
  /** What the asker may do with the cluster, where that was asked for. */
  readonly authorizedOperations?: readonly AclOperation[] | undefined
}

export async function describeCluster(
  call: AdminCall,
  { includeAuthorizedOperations = false }: DescribeOptions,
): Promise<ClusterDescription> {
  const answer = await asked(call, 'describing the cluster', () =>
    call.cluster.requestAny(DESCRIBE_CLUSTER, {
      includeClusterAuthorizedOperations: includeAuthorizedOperations,
    }),
  )
  const { clusterId, controllerId, brokers, clusterAuthorizedOperations } = answer
  return {
    clusterId,
    controllerId,
    brokers: brokers.map(({ brokerId, host, port, rack }) => ({ id: brokerId, host, port, rack })),
    ...(includeAuthorizedOperations && { authorizedOperations: operationsIn(clusterAuthorizedOperations) }),
  }
}
