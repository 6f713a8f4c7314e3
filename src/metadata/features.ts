/** Levels of features that the cluster has agreed on (KIP-584). */
export interface FinalizedFeatures {
  /** Grows with each change: the version of the znode `/feature`. */
  readonly epoch: number
  /** By name; a feature that is not there is not agreed on. */
  readonly levels: ReadonlyMap<string, number>
}

/** What nobody has agreed on. */
export const NO_FEATURES: FinalizedFeatures = { epoch: 0, levels: new Map() }

/** The protocol of transactions: 1 gives `__transaction_state` values of version 1, 2 an epoch for each transaction (KIP-890). */
export const TRANSACTION_VERSION = 'transaction.version'

/** Levels that this broker can do; 0 is that of a feature that is not finalized. */
export const SUPPORTED_FEATURES: ReadonlyMap<string, { readonly min: number; readonly max: number }> = new Map([
  [TRANSACTION_VERSION, { min: 0, max: 2 }],
])
