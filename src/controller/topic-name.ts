import { KafkaError } from '../protocol/index.ts'

const MAX_LENGTH = 249
const LEGAL = /^[a-zA-Z0-9._-]+$/

/** Throws INVALID_TOPIC_EXCEPTION, in Kafka's words, unless a topic may have this name. */
export function checkTopicName(name: string): void {
  const reason = illegal(name)
  if (reason !== undefined) throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${reason}`)
}

/** Whether a topic may have this name. */
export function isLegalTopicName(name: string): boolean {
  return illegal(name) === undefined
}

function illegal(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > MAX_LENGTH) return `the length of '${name}' is longer than the max allowed length ${MAX_LENGTH}`
  if (!LEGAL.test(name)) {
    return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  }
  return undefined
}

/**
 * Throws when `name` differs from another topic's only in where it has `.` and `_`: the two would share the names of
 * their metrics.
 */
export function checkCollisions(name: string, topics: Iterable<string>): void {
  if (!/[._]/.test(name)) return
  const folded = fold(name)
  const colliding = [...topics].filter(other => other.length === name.length && fold(other) === folded)
  if (colliding.length > 0) {
    throw new KafkaError(
      'INVALID_TOPIC_EXCEPTION',
      `Topic '${name}' collides with existing topics: ${colliding.join(', ')}`,
    )
  }
}

function fold(name: string): string {
  return name.replaceAll('.', '_')
}
