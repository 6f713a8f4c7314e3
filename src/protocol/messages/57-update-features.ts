import { array, bool, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Raises or lowers finalized feature levels. */
export const UpdateFeaturesRequest = request(
  'UpdateFeatures',
  57,
  { versions: '0-2', flexible: '0+' },
  {
    timeoutMs: int32().default(60_000),
    featureUpdates: array({
      feature: string(),
      maxVersionLevel: int16(),
      allowDowngrade: bool().until(0),
      upgradeType: int8().from(1).default(1),
    }),
    validateOnly: bool().from(1),
  },
)
export type UpdateFeaturesRequest = MessageOf<typeof UpdateFeaturesRequest>

/** Which features were changed. */
export const UpdateFeaturesResponse = response(
  'UpdateFeatures',
  57,
  { versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
    results: array({
      feature: string(),
      errorCode: int16(),
      errorMessage: string().nullable(),
    })
      .until(1)
      .ignorable(),
  },
)
export type UpdateFeaturesResponse = MessageOf<typeof UpdateFeaturesResponse>
