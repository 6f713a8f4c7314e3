import type { Clock, Logger, Timer } from '../../platform/index.ts'
import { fence, isExpired, isTimedOut } from './end-transaction.ts'
import type { TransactionConfig } from './transaction-config.ts'
import type { TransactionLookup } from './transaction-lookup.ts'
import type { TransactionEntry } from './transaction-shard.ts'

/** Ids that are looked at before others get their turn, and forgotten with one batch. */
const IDS_PER_SLICE = 500

export interface TransactionUpkeepOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly config: TransactionConfig
  readonly lookup: TransactionLookup
  /** What the cluster has agreed on. */
  readonly transactionVersion: () => number
}

/** What time does to transactions: those past their timeout are aborted, ids past their expiration forgotten. */
export class TransactionUpkeep {
  readonly #options: TransactionUpkeepOptions
  readonly #timers = new Map<string, Timer>()
  #isClosed = false

  constructor(options: TransactionUpkeepOptions) {
    this.#options = options
    const { timeoutCheckIntervalMs, expirationCheckIntervalMs } = options.config
    this.#repeat('timeouts', timeoutCheckIntervalMs, () => this.abortTimedOut())
    this.#repeat('expiration', expirationCheckIntervalMs, () => this.forgetExpired())
  }

  /** Aborts and fences what is past its timeout. Resolves when that is decided in the log. */
  async abortTimedOut(): Promise<void> {
    const { clock, logger, lookup, transactionVersion } = this.#options
    for (const shard of [...lookup.runtime.active()]) {
      let seen = 0
      for (const entry of shard.entries()) {
        if (++seen % IDS_PER_SLICE === 0) await new Promise<void>(resolve => clock.soon(resolve))
        const { transaction, transactionalId } = entry
        const ageMs = clock.monotonicMs() - entry.beganMs
        if (transaction === undefined || entry.isPending || !isTimedOut(transaction, ageMs)) continue
        const fenced = fence(transaction, { now: clock.now(), transactionVersion: transactionVersion() })
        const error = await shard.exclusively(entry, () => shard.write(entry, fenced))
        if (error === 'NONE') {
          logger.info(
            {},
            `Completed rollback of ongoing transaction for transactionalId ${transactionalId} due to timeout`,
          )
          shard.endPrepared(entry)
        } else {
          logger.warn({ error }, `Rollback of ongoing transaction for transactionalId ${transactionalId} failed`)
        }
      }
    }
  }

  /** Forgets ids that had no transaction for `transactional.id.expiration.ms`. */
  async forgetExpired(): Promise<void> {
    const { clock, logger, lookup, config } = this.#options
    for (const shard of [...lookup.runtime.active()]) {
      const expired: TransactionEntry[] = []
      for (const entry of shard.entries()) {
        const { transaction, isPending } = entry
        if (transaction && !isPending && isExpired(transaction, clock.now(), config.idExpirationMs)) expired.push(entry)
      }
      for (let start = 0; start < expired.length; start += IDS_PER_SLICE) {
        const slice = expired.slice(start, start + IDS_PER_SLICE).filter(({ isPending }) => !isPending)
        try {
          if (slice.length > 0) await shard.forget(slice)
        } catch (error) {
          logger.error({ err: error }, 'Failed to write the tombstones of expired transactional ids')
        }
      }
    }
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers.values()) timer.cancel()
  }

  #repeat(name: string, intervalMs: number, work: () => Promise<void>): void {
    const { clock, logger } = this.#options
    const timer = clock.schedule(intervalMs, () => {
      work()
        .catch(error => logger.error({ err: error }, `Looking after the ${name} of transactions failed`))
        .finally(() => {
          if (!this.#isClosed) this.#repeat(name, intervalMs, work)
        })
    })
    this.#timers.set(name, timer)
  }
}
