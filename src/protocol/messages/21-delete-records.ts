import { array, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Moves the log start offset of partitions forward. */
export const DeleteRecordsRequest = request(
  'DeleteRecords',
  21,
  { versions: '0-2', flexible: '2+' },
  {
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        /** -1 for the high watermark. */
        offset: int64().orLongMax(),
      }),
    }),
    timeoutMs: int32(),
  },
)
export type DeleteRecordsRequest = MessageOf<typeof DeleteRecordsRequest>

/** The new low watermarks. */
export const DeleteRecordsResponse = response(
  'DeleteRecords',
  21,
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        lowWatermark: int64(),
        errorCode: int16(),
      }),
    }),
  },
)
export type DeleteRecordsResponse = MessageOf<typeof DeleteRecordsResponse>
