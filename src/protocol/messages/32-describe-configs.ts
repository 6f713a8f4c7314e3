import { array, bool, int8, int16, int32, type MessageOf, request, response, string } from '../schema.ts'

/** Asks for configs of topics, brokers and other resources. */
export const DescribeConfigsRequest = request(
  'DescribeConfigs',
  32,
  { versions: '0-4', flexible: '4+' },
  {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      /** Null for all. */
      configurationKeys: array(string()).nullable(),
    }),
    includeSynonyms: bool().from(1),
    includeDocumentation: bool().from(3),
  },
)
export type DescribeConfigsRequest = MessageOf<typeof DescribeConfigsRequest>

/** Configs with their source, type and, on request, synonyms. */
export const DescribeConfigsResponse = response(
  'DescribeConfigs',
  32,
  { versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string().nullable(),
      resourceType: int8(),
      resourceName: string(),
      configs: array({
        name: string(),
        value: string().nullable(),
        readOnly: bool(),
        isDefault: bool().until(0),
        configSource: int8().from(1).default(-1).ignorable(),
        isSensitive: bool(),
        synonyms: array({
          name: string().from(1),
          value: string().nullable().from(1),
          source: int8().from(1),
        })
          .from(1)
          .ignorable(),
        configType: int8().from(3).ignorable(),
        documentation: string().nullable().from(3).ignorable(),
      }),
    }),
  },
)
export type DescribeConfigsResponse = MessageOf<typeof DescribeConfigsResponse>
