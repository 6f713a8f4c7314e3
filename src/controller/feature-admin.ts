import { encodeFeatures, SUPPORTED_FEATURES, ZnodePath } from '../metadata/index.ts'
import { ErrorCode } from '../protocol/index.ts'
import type { UpdateFeaturesResponse } from '../protocol/messages/57-update-features.ts'
import type { ControllerState } from './controller-state.ts'
import type { FencedWriter } from './fenced-writer.ts'

/** What UpdateFeatures asks for: up, down without loss, or down at any price. Here a level never brings a loss. */
export const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const

/** A feature is to have another level; below 1 with a downgrade it is given up. */
export interface FeatureUpdate {
  readonly feature: string
  readonly maxVersionLevel: number
  /** One of {@link UpgradeType}. */
  readonly upgradeType: number
}

/** Changes what the cluster has finalized (KIP-584), in the znode `/feature`. */
export class FeatureAdmin {
  readonly #state: ControllerState

  constructor(state: ControllerState) {
    this.#state = state
  }

  /** Every feature succeeds or fails by itself, as in Kafka's ZooKeeper mode: with INVALID_REQUEST. */
  update(
    updates: readonly FeatureUpdate[],
    { validateOnly = false }: { readonly validateOnly?: boolean } = {},
  ): Promise<UpdateFeaturesResponse['results']> {
    return this.#state.change(async writer => {
      const { features } = this.#state.options.metadata.image()
      const levels = new Map(features.levels)
      const results = updates.map(update => {
        const refusal = refusalOf(update, features.levels.get(update.feature))
        if (refusal === undefined) {
          if (update.maxVersionLevel < 1) levels.delete(update.feature)
          else levels.set(update.feature, update.maxVersionLevel)
        }
        const errorCode = refusal === undefined ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST
        return { feature: update.feature, errorCode, errorMessage: refusal ?? null }
      })
      const isChanged = results.some(({ errorCode }) => errorCode === ErrorCode.NONE)
      if (isChanged && !validateOnly) await this.#write(levels, features.epoch, writer)
      return results
    })
  }

  async #write(levels: ReadonlyMap<string, number>, version: number, writer: FencedWriter): Promise<void> {
    const { metadata, logger } = this.#state.options
    try {
      await writer.write([{ type: 'setData', path: ZnodePath.feature, data: encodeFeatures(levels), version }])
    } catch (error) {
      throw this.#state.toKafkaError(error, 'updating features')
    }
    metadata.publish(builder => builder.setFeatures({ epoch: version + 1, levels }))
    const all = [...levels].map(([feature, level]) => `${feature}=${level}`).join(', ')
    logger.info({}, `Finalized features are now: ${all || 'none'} (epoch ${version + 1})`)
  }
}

/** Why an update is refused; undefined when it is not. */
function refusalOf(update: FeatureUpdate, existing: number | undefined): string | undefined {
  const { feature, maxVersionLevel: level, upgradeType } = update
  if (feature === '') return 'Feature name can not be empty.'
  if (!Object.values<number>(UpgradeType).includes(upgradeType)) return 'Received unknown upgrade type.'
  const isUpgrade = upgradeType === UpgradeType.UPGRADE
  if (level < 1) {
    if (isUpgrade) return `level ${level} gives ${feature} up, which is a downgrade; ask for one`
    return existing === undefined ? `${feature} is not finalized: there is nothing to give up` : undefined
  }
  if (level === existing) return `${feature} has level ${level} already`
  if (existing !== undefined && level < existing && isUpgrade) {
    return `level ${level} of ${feature} is below ${existing}, which is a downgrade; ask for one`
  }
  if (existing !== undefined && level > existing && !isUpgrade) {
    return `level ${level} of ${feature} is above ${existing}: that is no downgrade`
  }
  const supported = SUPPORTED_FEATURES.get(feature)
  if (supported === undefined) return `the feature ${feature} is not supported`
  if (level > supported.max) return `${feature} is supported up to level ${supported.max}, not ${level}`
  return undefined
}
