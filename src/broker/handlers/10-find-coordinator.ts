import { OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../../metadata/index.ts'
import { ErrorCode, type ErrorName } from '../../protocol/index.ts'
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/10-find-coordinator.ts'
import { addressOf } from '../advertised-address.ts'
import { handler, type RequestContext } from '../handler.ts'

const KEY_TYPE = { group: 0, transaction: 1 } as const

/** What is found for one key. */
interface Found {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/**
 * FindCoordinator, key 10: which broker looks after a group or a transactional id. Makes the coordinator's topic when it
 * is not there. v1+: kinds of keys. v4+: several keys (KIP-699).
 */
export const findCoordinator = handler(FindCoordinatorRequest, FindCoordinatorResponse, {
  handle: async (request, context) => {
    if (context.apiVersion < 4) return find(request.keyType, request.key, context)
    const coordinators = request.coordinatorKeys.map(async key => ({
      key,
      ...(await find(request.keyType, key, context)),
    }))
    return { coordinators: await Promise.all(coordinators) }
  },
  failed: (error, request, { apiVersion }) =>
    apiVersion < 4
      ? none(error.code, error.message)
      : { coordinators: request.coordinatorKeys.map(key => ({ key, ...none(error.code, error.message) })) },
})

async function find(keyType: number, key: string, context: RequestContext): Promise<Found> {
  const { services } = context
  if (keyType !== KEY_TYPE.group && keyType !== KEY_TYPE.transaction) {
    return none('INVALID_REQUEST', `Unsupported coordinator key type ${keyType}`)
  }
  const topic = keyType === KEY_TYPE.group ? OFFSETS_TOPIC : TRANSACTION_STATE_TOPIC
  const coordinator = keyType === KEY_TYPE.group ? services.groups : services.transactions
  if (!services.metadata.image().topic(topic)) await services.autoTopics.create([topic])
  const partition = coordinator.partitionFor(key)
  const leader = services.metadata.image().partition(topic, partition)?.leader ?? -1
  const address = addressOf(leader, context)
  if (!address) return none('COORDINATOR_NOT_AVAILABLE', 'The coordinator is not available')
  const { nodeId, host, port } = address
  return { errorCode: ErrorCode.NONE, errorMessage: context.apiVersion < 4 ? 'NONE' : '', nodeId, host, port }
}

function none(error: ErrorName, message: string): Found {
  return { errorCode: ErrorCode[error], errorMessage: message, nodeId: -1, host: '', port: -1 }
}
