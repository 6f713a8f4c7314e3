import { UpgradeType } from '../../controller/index.ts'
import { ErrorCode } from '../../protocol/index.ts'
import { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../../protocol/messages/57-update-features.ts'
import { handler } from '../handler.ts'

/**
 * UpdateFeatures, key 57: raises and lowers finalized features (KIP-584). v0 knows two kinds of change. v2 is newer than
 * Kafka 3.9.
 */
export const updateFeatures = handler(UpdateFeaturesRequest, UpdateFeaturesResponse, {
  versions: { min: 0, max: 1 },
  handle: async ({ featureUpdates, validateOnly }, { services, apiVersion }) => {
    const updates = featureUpdates.map(({ feature, maxVersionLevel, allowDowngrade, upgradeType }) => {
      const ofFirst = allowDowngrade ? UpgradeType.SAFE_DOWNGRADE : UpgradeType.UPGRADE
      return { feature, maxVersionLevel, upgradeType: apiVersion === 0 ? ofFirst : upgradeType }
    })
    const results = await services.controller.updateFeatures(updates, { validateOnly })
    return { errorCode: ErrorCode.NONE, errorMessage: null, results }
  },
  failed: ({ errorCode, message }) => ({ errorCode, errorMessage: message }),
})
