import { type ErrorName, KafkaError } from '../../protocol/index.ts'
import type { TopicPartition } from '../topic-partition.ts'

/**
 * A consumer cannot go on with one partition before it is told where: {@link Consumer.seek} ends it. Until then whoever asks for
 * records hears of it (Java's OffsetOutOfRangeException, NoOffsetForPartitionException, and what poll() throws of a broken batch).
 */
export class PositionError extends KafkaError implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Where reading was; undefined where it had not begun. */
  readonly offset: number | undefined

  constructor(
    code: ErrorName,
    message: string,
    {
      topic,
      partition,
      offset,
      cause,
    }: TopicPartition & { readonly offset: number | undefined; readonly cause?: unknown },
  ) {
    super(code, message, cause === undefined ? undefined : { cause })
    this.name = 'PositionError'
    this.topic = topic
    this.partition = partition
    this.offset = offset
  }
}

/**
 * The log was cut below what was read, by a leader that did not have all of it (Java's LogTruncationException): records that were
 * handed out are gone, and others may be in their place.
 */
export class LogTruncationError extends PositionError {
  /** Up to here what was read is still there; undefined where the leader does not know. */
  readonly divergingOffset: number | undefined

  constructor({ topic, partition }: TopicPartition, offset: number, divergingOffset: number | undefined) {
    const until = divergingOffset === undefined ? 'nobody knows from where on' : `from ${divergingOffset} on`
    const what = `${topic}-${partition} was read up to ${offset} and has lost a part of that, ${until}`
    super('OFFSET_OUT_OF_RANGE', `${what}; auto.offset.reset is none: seek() to where to go on`, {
      topic,
      partition,
      offset,
    })
    this.name = 'LogTruncationError'
    this.divergingOffset = divergingOffset
  }
}
