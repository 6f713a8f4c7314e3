import type { Job, Logger, Workers } from '../platform/index.ts'
import { downconvert, ErrorCode, type ErrorName, KafkaError, type LegacyMagic } from '../protocol/index.ts'
import { type FetchPartition, type FetchPartitionResult, fetchError } from './fetch-result.ts'

/** What a compressed batch may grow to while it is converted. */
const MAX_DECOMPRESSED_BYTES = 128 * 2 ** 20

interface ConversionInput {
  /** Whole batches. */
  readonly bytes: Uint8Array
  readonly magic: LegacyMagic
  readonly startOffset: number
}

type ConversionOutput = { readonly bytes: Uint8Array } | { readonly error: ErrorName }

/** Converts what one partition gives; in a worker, since a batch may have to be unpacked and packed again. */
export const convertForOldReader: Job<ConversionInput, ConversionOutput> = {
  module: import.meta.url,
  name: 'convertForOldReader',
  run: ({ bytes, magic, startOffset }) => {
    try {
      const limits = { maxBytes: MAX_DECOMPRESSED_BYTES, maxSetBytes: bytes.length }
      return { bytes: downconvert(bytes, { ...limits, magic, startOffset }) }
    } catch (error) {
      if (error instanceof KafkaError) return { error: error.code }
      throw error
    }
  },
}

/** What a fetch found, and for whom it is converted. */
export interface ConversionRequest {
  readonly requests: readonly FetchPartition[]
  readonly results: readonly FetchPartitionResult[]
  readonly magic: LegacyMagic
  readonly workers: Workers
  readonly logger: Logger
}

/**
 * The results of a fetch with records of format 0 or 1, for readers that know no batches (KIP-283). One partition after
 * the other, so that a response holds the records of no more than one of them in both forms.
 */
export async function convertResults(request: ConversionRequest): Promise<readonly FetchPartitionResult[]> {
  const results = [...request.results]
  for (const [index, result] of results.entries()) {
    if (result.recordBytes === 0) continue
    results[index] = await convertOne(result, request.requests[index]!, request)
  }
  return results
}

async function convertOne(
  result: FetchPartitionResult,
  { topic, fetchOffset }: FetchPartition,
  { magic, workers, logger }: ConversionRequest,
): Promise<FetchPartitionResult> {
  const { records, partitionIndex } = result
  const bytes = records.length === 1 ? records[0]! : Buffer.concat(records)
  try {
    const converted = await workers.run(convertForOldReader, { bytes, magic, startOffset: fetchOffset })
    if ('error' in converted) return fetchError(partitionIndex, ErrorCode[converted.error])
    return { ...result, records: [converted.bytes], recordBytes: converted.bytes.length }
  } catch (error) {
    logger.error({ err: error }, `Error converting records of partition ${topic}-${partitionIndex}`)
    return fetchError(partitionIndex, ErrorCode.UNKNOWN_SERVER_ERROR)
  }
}
