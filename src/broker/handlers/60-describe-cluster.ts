import { KafkaError } from '../../protocol/index.ts'
import { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/messages/60-describe-cluster.ts'
import { liveAddresses } from '../advertised-address.ts'
import { AuthorizedOperations } from '../authorized-operations.ts'
import { handler } from '../handler.ts'

/** Kinds of nodes that a client may expect at the other end (KIP-919). */
const EndpointType = { BROKER: 1, CONTROLLER: 2 } as const

/**
 * DescribeCluster, key 60 (KIP-700): cluster id, controller and live brokers. v1: the client says what it thinks to be
 * talking to. v2: fenced brokers, of which there are none in ZooKeeper mode.
 */
export const describeCluster = handler(DescribeClusterRequest, DescribeClusterResponse, {
  handle: ({ endpointType, includeClusterAuthorizedOperations }, context) => {
    checkEndpointType(endpointType)
    const { services } = context
    return {
      clusterId: services.clusterId,
      controllerId: services.metadata.image().controllerId,
      brokers: liveAddresses(context).map(({ nodeId, host, port, rack }) => ({ brokerId: nodeId, host, port, rack })),
      clusterAuthorizedOperations: includeClusterAuthorizedOperations
        ? AuthorizedOperations.CLUSTER
        : AuthorizedOperations.NOT_REQUESTED,
    }
  },
  failed: error => ({ errorCode: error.errorCode, errorMessage: error.message }),
})

function checkEndpointType(endpointType: number): void {
  if (endpointType === EndpointType.BROKER) return
  if (endpointType === EndpointType.CONTROLLER) {
    throw new KafkaError(
      'MISMATCHED_ENDPOINT_TYPE',
      'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
    )
  }
  throw new KafkaError('UNSUPPORTED_ENDPOINT_TYPE', `Unsupported endpoint type ${endpointType}`)
}
