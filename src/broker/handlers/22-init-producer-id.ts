import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/22-init-producer-id.ts'
import { handler } from '../handler.ts'

const NO_PRODUCER = -1

/**
 * InitProducerId, key 22: a new producer id, epoch 0, for an idempotent producer. A producer that gives its id and epoch
 * (v3+, KIP-360) asks for a fresh one as well: without a transactional id nothing ties it to the old one. With one, the
 * transaction coordinator decides. v6 is unstable in Kafka and not served.
 */
export const initProducerId = handler(InitProducerIdRequest, InitProducerIdResponse, {
  versions: { min: 0, max: 5 },
  handle: async (request, { services, apiVersion }) => {
    const { transactionalId } = request
    if (transactionalId !== null) {
      return services.transactions.initProducerId({ ...request, transactionalId }, { apiVersion })
    }
    const isContinued = request.producerId !== NO_PRODUCER
    if (isContinued !== (request.producerEpoch !== NO_PRODUCER)) throw new KafkaError('INVALID_REQUEST')
    return { errorCode: ErrorCode.NONE, producerId: await services.producerIds.next(), producerEpoch: 0 }
  },
  failed: error => ({ errorCode: error.errorCode, producerId: NO_PRODUCER, producerEpoch: NO_PRODUCER }),
})
