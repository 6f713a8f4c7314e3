import { ZERO_UUID } from '../protocol/index.ts'
import type { Log } from './log.ts'

/** The id of the topic that has this name now, undefined where none has. */
export type TopicIdOf = (topic: string) => string | undefined

/** The ids of a log's topic and of the one that has its name now, where these are known to be two. */
export function formerTopic(
  { topicId, topicPartition }: Log,
  topicIdOf: TopicIdOf | undefined,
): { readonly found: string; readonly expected: string } | undefined {
  const current = topicIdOf?.(topicPartition.topic) ?? ZERO_UUID
  if (current === ZERO_UUID || topicId === undefined || topicId === current) return undefined
  return { found: topicId, expected: current }
}

/** Which of two logs of one partition does not count: that of a topic deleted since, or the empty one; undefined where nobody can tell. */
export function strayOf(first: Log, second: Log, topicIdOf: TopicIdOf | undefined): Log | undefined {
  const isOfAnother = [first, second].map(log => isOfAnotherTopic(log, topicIdOf))
  if (isOfAnother[0] !== isOfAnother[1]) return isOfAnother[0] ? first : second
  const empty = [second, first].find(({ logEndOffset }) => logEndOffset === 0)
  return isOfAnother[0] ? (empty ?? second) : empty
}

/** Whether the log is known to be of a topic that is no more; one that does not know its topic may be of this one. */
function isOfAnotherTopic(log: Log, topicIdOf: TopicIdOf | undefined): boolean {
  const isGone = topicIdOf !== undefined && topicIdOf(log.topicPartition.topic) === undefined
  return isGone || formerTopic(log, topicIdOf) !== undefined
}
