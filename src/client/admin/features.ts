import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { ApiVersionsRequest, ApiVersionsResponse } from '../../protocol/messages/18-api-versions.ts'
import { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../../protocol/messages/57-update-features.ts'
import { CLIENT_SOFTWARE } from '../served-apis.ts'
import { type AdminCall, asked, brokerTimeoutMs, settle } from './admin-call.ts'
import type { ValidatedOptions } from './topics.ts'

const API_VERSIONS = { request: ApiVersionsRequest, response: ApiVersionsResponse }
const UPDATE_FEATURES = { request: UpdateFeaturesRequest, response: UpdateFeaturesResponse }

/** The first version of UpdateFeatures that tells how far down one wants to go. */
const FIRST_WITH_TYPES = 1
const UPGRADE_TYPES = { upgrade: 1, 'safe-downgrade': 2, 'unsafe-downgrade': 3 } as const

/** Levels of a feature: `metadata.version`, `transaction.version`, ... */
export interface FeatureRange {
  readonly feature: string
  readonly minVersionLevel: number
  readonly maxVersionLevel: number
}

/** What a cluster can do, and what it has agreed on (KIP-584). Brokers in ZooKeeper mode have no features. */
export interface FeatureDescription {
  /** What all brokers have agreed on. */
  readonly finalized: readonly FeatureRange[]
  /** Grows with each change of what is finalized; undefined where the broker does not tell. */
  readonly finalizedEpoch: number | undefined
  /** What the broker that was asked is able to do. */
  readonly supported: readonly FeatureRange[]
}

const NEEDED = { feature: 'text', maxVersionLevel: 'integer' } as const

/** A feature is to have another level. */
export interface FeatureUpdate {
  readonly feature: string
  /** 0 gives the feature up, which is a downgrade. */
  readonly maxVersionLevel: number
  /** `upgrade` when left out; `unsafe-downgrade` may lose metadata. */
  readonly type?: keyof typeof UPGRADE_TYPES
}

export async function describeFeatures(call: AdminCall): Promise<FeatureDescription> {
  const answer = await asked(call, 'describing features', () =>
    call.cluster.requestAny(API_VERSIONS, version => (version >= 3 ? CLIENT_SOFTWARE : {})),
  )
  const { finalizedFeatures, finalizedFeaturesEpoch, supportedFeatures } = answer
  return {
    finalized: finalizedFeatures.map(({ name, minVersionLevel, maxVersionLevel }) => ({
      feature: name,
      minVersionLevel,
      maxVersionLevel,
    })),
    finalizedEpoch: finalizedFeaturesEpoch < 0 ? undefined : finalizedFeaturesEpoch,
    supported: supportedFeatures.map(({ name, minVersion, maxVersion }) => ({
      feature: name,
      minVersionLevel: minVersion,
      maxVersionLevel: maxVersion,
    })),
  }
}

export async function updateFeatures(
  call: AdminCall,
  updates: readonly FeatureUpdate[],
  { validateOnly = false }: ValidatedOptions,
): Promise<void> {
  const form = {
    what: 'updating features',
    items: updates,
    keyOf: ({ feature }: FeatureUpdate) => feature,
    needed: NEEDED,
  }
  await settle(call, form, async left => {
    const { errorCode, errorMessage, results } = await call.cluster.requestController(UPDATE_FEATURES, version => ({
      featureUpdates: left.map(({ feature, maxVersionLevel, type = 'upgrade' }) => ({
        feature,
        maxVersionLevel,
        ...(version >= FIRST_WITH_TYPES
          ? { upgradeType: UPGRADE_TYPES[type] }
          : { allowDowngrade: UPGRADE_TYPES[type] !== UPGRADE_TYPES.upgrade }),
      })),
      timeoutMs: brokerTimeoutMs(call),
      validateOnly,
    }))
    if (errorCode !== ErrorCode.NONE) throw KafkaError.fromCode(errorCode, errorMessage)
    // From v2 on all of them have been changed when none is named.
    const all = left.map(({ feature }) => ({ feature, errorCode: ErrorCode.NONE, errorMessage: null }))
    return (results.length > 0 ? results : all).map(({ feature, ...one }) => ({
      ...one,
      key: feature,
      result: undefined,
    }))
  })
}
