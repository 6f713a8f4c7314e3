/** Groups and their committed offsets live in it. */
export const OFFSETS_TOPIC = '__consumer_offsets'

/** Transactions live in it. */
export const TRANSACTION_STATE_TOPIC = '__transaction_state'

/** Whether brokers write `name` for themselves: clients may read and describe it, not write to it. */
export function isInternalTopic(name: string): boolean {
  return name === OFFSETS_TOPIC || name === TRANSACTION_STATE_TOPIC
}
