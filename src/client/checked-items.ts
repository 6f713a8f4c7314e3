import { kindOf } from '../config/index.ts'
import { type ErrorName, KafkaError } from '../protocol/index.ts'
import { meant } from './mistyped-setting.ts'
import type { TopicPartition } from './topic-partition.ts'

const KINDS = {
  text: { isGiven: (value: unknown) => typeof value === 'string', name: 'a text' },
  integer: { isGiven: (value: unknown) => Number.isSafeInteger(value), name: 'a whole number' },
  list: { isGiven: (value: unknown) => Array.isArray(value), name: 'a list' },
  object: { isGiven: (value: unknown) => typeof value === 'object' && value !== null, name: 'an object' },
} as const

type Kind = keyof typeof KINDS

/** What each item of a call has to have, by name. */
export type NeededFields = Readonly<Record<string, Kind>>

/** What each item has to have, or the kind that each is. */
export type Needed = NeededFields | Kind

/** Every field that something may have. */
export type KnownFields<T> = Readonly<Record<keyof T, true>>

/** What names a partition. */
export const PARTITION_FIELDS = { topic: 'text', partition: 'integer' } as const satisfies NeededFields

/**
 * Looks at what a call is about, where perhaps no compiler has: a single thing in place of a list, or fields as other clients name
 * them, would be sent as what they are not. Fields that are not needed are left alone where it is not said which are `known`. Items
 * without fields are all of the one kind that is needed.
 * @throws KafkaError INVALID_REQUEST that names what is missing, or what there is not
 */
export function checkItems<I>(what: string, items: readonly I[], needed: Needed = {}, known?: KnownFields<I>): void {
  // `createTopics({ topics })` is how others have it, and `deleteTopics('orders')` a slip.
  if (!Array.isArray(items)) throw new KafkaError('INVALID_REQUEST', `${what}: give a list, not ${kindOf(items)}`)
  for (const item of items)
    if (item === null || item === undefined)
      throw new KafkaError('INVALID_REQUEST', `${what}: there is ${kindOf(item)} in the list: leave it out`)
  if (typeof needed === 'string') checkKind(what, items, needed)
  else checkNeeded(what, items, { needed, isList: true })
  if (known !== undefined) for (const item of items) checkFields(what, item, known)
}

function checkKind(what: string, items: readonly unknown[], kind: Kind): void {
  const wrong = items.find(item => !KINDS[kind].isGiven(item))
  if (wrong === undefined) return
  const wanted = `give a list in which each is ${KINDS[kind].name}`
  throw new KafkaError('INVALID_REQUEST', `${what}: ${wanted}, not ${kindOf(wrong)}`)
}

/** {@link checkItems} of one thing that a call is about. @throws KafkaError INVALID_REQUEST */
export function checkItem(what: string, item: unknown, needed: NeededFields): void {
  checkNeeded(what, [item], { needed, isList: false })
}

function checkNeeded(
  what: string,
  items: readonly unknown[],
  { needed, isList }: { readonly needed: NeededFields; readonly isList: boolean },
): void {
  const fields = Object.entries(needed)
  if (fields.length === 0) return
  const wanted = `give ${isList ? 'a list of ' : ''}{ ${fields.map(([name]) => name).join(', ')} }`
  for (const item of items) {
    if (typeof item !== 'object' || item === null)
      throw new KafkaError('INVALID_REQUEST', `${what}: ${wanted}, not ${isList ? 'of ' : ''}${kindOf(item)}`)
    for (const [name, kind] of fields) {
      const value: unknown = (item as Readonly<Record<string, unknown>>)[name]
      if (KINDS[kind].isGiven(value)) continue
      const article = /^[aeio]/.test(name) ? 'an' : 'a'
      const fault = value === undefined ? `has no ${name}` : `has ${article} ${name} that is not ${KINDS[kind].name}`
      throw new KafkaError('INVALID_REQUEST', `${what}: { ${Object.keys(item).join(', ')} } ${fault}: ${wanted}`)
    }
  }
}

/**
 * Looks for a field that there is not, where perhaps no compiler has: under the name that others have for it, it would be left out in
 * silence, and a right that is denied would be granted.
 * @throws KafkaError INVALID_REQUEST that says which was probably meant
 */
export function checkFields<T>(what: string, given: T, known: KnownFields<T>): void {
  if (typeof given !== 'object' || given === null)
    throw new KafkaError('INVALID_REQUEST', `${what}: ${wantedFields(Object.keys(known))}, not ${kindOf(given)}`)
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue
    throw new KafkaError('INVALID_REQUEST', `${what}: there is no ${name}: ${meant(name, Object.keys(known))}`)
  }
}

/** {@link checkItems} of partitions, which it gives back. @throws KafkaError INVALID_REQUEST */
export function checkedPartitions<P extends TopicPartition>(what: string, partitions: readonly P[]): readonly P[] {
  checkItems(what, partitions, PARTITION_FIELDS)
  return partitions
}

/** Options of a call, where perhaps no compiler has looked. @throws KafkaError INVALID_REQUEST for what is no object */
export function checkedOptions<O extends object>(options: O): O {
  if (typeof options === 'object' && options !== null) return options
  throw new KafkaError('INVALID_REQUEST', `options: ${wantedFields(['timeoutMs', 'signal'])}, not ${kindOf(options)}`)
}

const wantedFields = (names: readonly string[]): string => `give an object such as { ${names.join(', ')} }`

/** A name of something, where perhaps no compiler has looked. @throws KafkaError for what is no text */
export function checkName(what: 'topic' | 'group' | 'transaction', name: string): void {
  if (typeof name === 'string') return
  const code = what === 'topic' ? 'INVALID_TOPIC_EXCEPTION' : 'INVALID_REQUEST'
  throw new KafkaError(code, `a ${what} is named by a text, not by ${kindOf(name)}`)
}

/** One of a few names. @throws KafkaError INVALID_REQUEST, or of `code`, that says which there are */
export function checkChoice(what: string, given: string, choices: object, code: ErrorName = 'INVALID_REQUEST'): void {
  if (Object.hasOwn(choices, given)) return
  throw new KafkaError(code, `there is no ${what} ${String(given)}: ${meant(String(given), Object.keys(choices))}`)
}
