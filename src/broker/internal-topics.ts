import { OFFSETS_TOPIC } from '../coordinator/index.ts'

export { OFFSETS_TOPIC }
/** Where the transaction coordinator of Kafka keeps its state; a directory that comes from a Kafka may hold it. */
export const TRANSACTION_STATE_TOPIC = '__transaction_state'

/** Whether the broker writes `name` for itself: clients may read and describe it, not write to it. */
export function isInternalTopic(name: string): boolean {
  return name === OFFSETS_TOPIC || name === TRANSACTION_STATE_TOPIC
}
