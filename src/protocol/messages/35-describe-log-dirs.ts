import { array, bool, int16, int32, int64, type MessageOf, request, response, string } from '../schema.ts'

/** Asks what is in the log directories of a broker. */
export const DescribeLogDirsRequest = request(
  'DescribeLogDirs',
  35,
  { versions: '0-5', flexible: '2+' },
  {
    topics: array({
      topic: string(),
      partitions: array(int32()),
    }).nullable(),
  },
)
export type DescribeLogDirsRequest = MessageOf<typeof DescribeLogDirsRequest>

/** Size and lag of the replicas in each directory. */
export const DescribeLogDirsResponse = response(
  'DescribeLogDirs',
  35,
  { versions: '0-5', flexible: '2+' },
  {
    throttleTimeMs: int32(),
    errorCode: int16().from(3).ignorable(),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          offsetLag: int64(),
          isFutureKey: bool(),
        }),
      }),
      totalBytes: int64().from(4).default(-1).ignorable(),
      usableBytes: int64().from(4).default(-1).ignorable(),
      isCordoned: bool().from(5).ignorable(),
    }),
  },
)
export type DescribeLogDirsResponse = MessageOf<typeof DescribeLogDirsResponse>
