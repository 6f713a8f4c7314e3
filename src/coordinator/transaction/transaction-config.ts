import type { BrokerConfig } from '../../config/broker.ts'

/** Broker settings that transactions depend on. */
export interface TransactionConfig {
  /** `transaction.max.timeout.ms`. */
  readonly maxTimeoutMs: number
  /** `transactional.id.expiration.ms`. */
  readonly idExpirationMs: number
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms`. */
  readonly timeoutCheckIntervalMs: number
  /** `transaction.remove.expired.transaction.cleanup.interval.ms`. */
  readonly expirationCheckIntervalMs: number
}

/** The transaction settings of a broker's configuration. */
export function transactionConfig(config: Pick<BrokerConfig, 'get'>): TransactionConfig {
  return {
    maxTimeoutMs: config.get('transaction.max.timeout.ms'),
    idExpirationMs: config.get('transactional.id.expiration.ms'),
    timeoutCheckIntervalMs: config.get('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    expirationCheckIntervalMs: config.get('transaction.remove.expired.transaction.cleanup.interval.ms'),
  }
}
