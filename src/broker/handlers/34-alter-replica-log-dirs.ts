import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '../../protocol/messages/34-alter-replica-log-dirs.ts'
import { handler } from '../handler.ts'

/** AlterReplicaLogDirs, key 34: moves partitions between this broker's log directories (KIP-113). */
export const alterReplicaLogDirs = handler(AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse, {
  handle: (request, { services }) => {
    const changes = changesOf(request)
    const codes = services.replicas.alterLogDirectories(changes)
    return { results: byTopic(changes, index => codes[index]!) }
  },
  failed: ({ errorCode }, request) => ({ results: byTopic(changesOf(request), () => errorCode) }),
})

interface Change {
  readonly topic: string
  readonly partition: number
  readonly directory: string
}

function changesOf({ dirs }: AlterReplicaLogDirsRequest): Change[] {
  return dirs.flatMap(({ path, topics }) =>
    topics.flatMap(({ name, partitions }) =>
      partitions.map(partition => ({ topic: name, partition, directory: path })),
    ),
  )
}

function byTopic(changes: readonly Change[], codeOf: (index: number) => number) {
  const topics = new Map<string, { partitionIndex: number; errorCode: number }[]>()
  for (const [index, { topic, partition }] of changes.entries()) {
    const results = topics.get(topic) ?? []
    topics.set(topic, results)
    results.push({ partitionIndex: partition, errorCode: codeOf(index) })
  }
  return Array.from(topics, ([topicName, partitions]) => ({ topicName, partitions }))
}
