import type { Random } from '../platform/index.ts'

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A key of a topic partition for maps: `topic-0`, which is also the name of its directory. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** What the name of a directory in a log directory says it is. */
export type LogDirectoryKind = 'current' | 'future' | 'deleted' | 'stray'

const NAME = /^(.+)-(0|[1-9]\d{0,9})$/
const MARKED_NAME = /^(.+)\.([0-9a-f]{32})-(delete|future|stray)$/
const KINDS: Readonly<Record<string, LogDirectoryKind>> = { delete: 'deleted', future: 'future', stray: 'stray' }

/** The partition whose files a directory of this name holds; undefined for names that Kafka does not give. */
export function parseDirectoryName(
  name: string,
): { kind: LogDirectoryKind; topicPartition: TopicPartition } | undefined {
  const marked = MARKED_NAME.exec(name)
  // A deleted partition's topic may have been cut to fit the file system's limit, so its name need not parse.
  const plain = NAME.exec(marked?.[1] ?? name)
  if (plain === null) return undefined
  const topicPartition = { topic: plain[1]!, partition: Number(plain[2]) }
  return { kind: marked ? KINDS[marked[3]!]! : 'current', topicPartition }
}

const LONGEST_NAME = 255

/** The name of a partition's directory once it is marked: `topic-0.<32 hex>-delete`; long topic names are cut. */
export function markedDirectoryName(
  topicPartition: TopicPartition,
  mark: 'delete' | 'future' | 'stray',
  random: Random,
): string {
  const unique = Buffer.from(random.bytes(16)).toString('hex')
  const suffix = `-${topicPartition.partition}.${unique}-${mark}`
  return `${topicPartition.topic.slice(0, LONGEST_NAME - suffix.length)}${suffix}`
}
