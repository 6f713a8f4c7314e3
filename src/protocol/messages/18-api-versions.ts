import { array, bool, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** The first request on a connection: which versions does the broker speak? (KIP-35, KIP-511) */
export const ApiVersionsRequest = request(
  'ApiVersions',
  18,
  { versions: '0-4', flexible: '3+' },
  {
    clientSoftwareName: string().from(3).ignorable(),
    clientSoftwareVersion: string().from(3).ignorable(),
  },
)
export type ApiVersionsRequest = MessageOf<typeof ApiVersionsRequest>

/** The versions of each API. Its header is always v0, so that every client can read a refusal. */
export const ApiVersionsResponse = response(
  'ApiVersions',
  18,
  { versions: '0-4', flexible: '3+' },
  {
    errorCode: int16(),
    apiKeys: array({
      apiKey: int16(),
      minVersion: int16(),
      maxVersion: int16(),
    }),
    throttleTimeMs: int32().from(1).ignorable(),
    supportedFeatures: array({
      name: string().from(3),
      minVersion: int16().from(3),
      maxVersion: int16().from(3),
    })
      .from(3)
      .ignorable()
      .tagged(0),
    finalizedFeaturesEpoch: int64().from(3).default(-1).ignorable().tagged(1),
    finalizedFeatures: array({
      name: string().from(3),
      maxVersionLevel: int16().from(3),
      minVersionLevel: int16().from(3),
    })
      .from(3)
      .ignorable()
      .tagged(2),
    zkMigrationReady: bool().from(3).ignorable().tagged(3),
  },
)
export type ApiVersionsResponse = MessageOf<typeof ApiVersionsResponse>
