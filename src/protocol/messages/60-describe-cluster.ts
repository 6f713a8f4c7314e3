import { array, bool, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for the brokers or controllers of the cluster (KIP-700). */
export const DescribeClusterRequest = request(
  'DescribeCluster',
  60,
  { versions: '0-2', flexible: '0+' },
  {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8().from(1).default(1),
    includeFencedBrokers: bool().from(2),
  },
)
export type DescribeClusterRequest = MessageOf<typeof DescribeClusterRequest>

/** Cluster id, controller and nodes. */
export const DescribeClusterResponse = response(
  'DescribeCluster',
  60,
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable().default(null),
    endpointType: int8().from(1).default(1),
    clusterId: string(),
    controllerId: int32().default(-1),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: string().nullable().default(null),
      isFenced: bool().from(2),
    }),
    clusterAuthorizedOperations: int32().default(-0x8000_0000),
  },
)
export type DescribeClusterResponse = MessageOf<typeof DescribeClusterResponse>
