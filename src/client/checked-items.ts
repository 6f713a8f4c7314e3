import { KafkaError } from '../protocol/index.ts'
import { meant } from './mistyped-setting.ts'
import type { TopicPartition } from './topic-partition.ts'

const KINDS = {
  text: { isGiven: (value: unknown) => typeof value === 'string', name: 'a text' },
  integer: { isGiven: (value: unknown) => Number.isSafeInteger(value), name: 'a whole number' },
  list: { isGiven: (value: unknown) => Array.isArray(value), name: 'a list' },
} as const

/** What each item of a call has to have, by name. */
export type NeededFields = Readonly<Record<string, keyof typeof KINDS>>

/** Every field that something may have. */
export type KnownFields<T> = Readonly<Record<keyof T, true>>

/** What names a partition. */
export const PARTITION_FIELDS = { topic: 'text', partition: 'integer' } as const satisfies NeededFields

/**
 * Looks at what a call is about, where perhaps no compiler has: a single thing in place of a list, or fields as other clients name
 * them, would be sent as what they are not. Fields that are not needed are left alone where it is not said which are `known`.
 * @throws KafkaError INVALID_REQUEST that names what is missing, or what there is not
 */
export function checkItems<I>(
  what: string,
  items: readonly I[],
  needed: NeededFields = {},
  known?: KnownFields<I>,
): void {
  // `createTopics({ topics })` is how others have it, and `deleteTopics('orders')` a slip.
  if (!Array.isArray(items)) throw new KafkaError('INVALID_REQUEST', `${what}: give a list, not ${kindOf(items)}`)
  for (const item of items)
    if (item === null || item === undefined)
      throw new KafkaError('INVALID_REQUEST', `${what}: there is ${kindOf(item)} in the list: leave it out`)
  const fields = Object.entries(needed)
  if (fields.length > 0) checkNeeded(what, items, fields)
  if (known !== undefined) for (const item of items) checkFields(what, item, known)
}

function checkNeeded(what: string, items: readonly unknown[], fields: readonly [string, keyof typeof KINDS][]): void {
  const wanted = `give a list of { ${fields.map(([name]) => name).join(', ')} }`
  for (const item of items) {
    if (typeof item !== 'object' || item === null)
      throw new KafkaError('INVALID_REQUEST', `${what}: ${wanted}, not of ${kindOf(item)}`)
    for (const [name, kind] of fields) {
      const value: unknown = (item as Readonly<Record<string, unknown>>)[name]
      if (KINDS[kind].isGiven(value)) continue
      const fault = value === undefined ? `has no ${name}` : `has a ${name} that is not ${KINDS[kind].name}`
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

const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value)
