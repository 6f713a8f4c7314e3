import { DescribeLogDirsRequest, DescribeLogDirsResponse } from '../../protocol/messages/35-describe-log-dirs.ts'
import { handler } from '../handler.ts'

/** DescribeLogDirs, key 35: which partitions lie in which log directory, how large they are, and what is free there. */
export const describeLogDirs = handler(DescribeLogDirsRequest, DescribeLogDirsResponse, {
  handle: ({ topics }, { services }) => {
    if (topics === null) return { results: services.replicas.describeLogDirectories(() => true) }
    const wanted = new Map<string, Set<number>>()
    for (const { topic, partitions } of topics) {
      wanted.set(topic, new Set([...(wanted.get(topic) ?? []), ...partitions]))
    }
    const isWanted = (topic: string, partition: number): boolean => wanted.get(topic)?.has(partition) ?? false
    return { results: services.replicas.describeLogDirectories(isWanted) }
  },
  failed: ({ errorCode }) => ({ errorCode }),
})
