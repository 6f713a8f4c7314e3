import { OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../coordinator/index.ts'

export { OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC }

/** Whether the broker writes `name` for itself: clients may read and describe it, not write to it. */
export function isInternalTopic(name: string): boolean {
  return name === OFFSETS_TOPIC || name === TRANSACTION_STATE_TOPIC
}
