/**
 * Messages that make sense to a broker: generated ones in which names, ids and numbers are mostly those of things that exist. Without
 * this nearly every request would end at "unknown topic".
 */
import type { Random } from '../../src/platform/index.ts'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  type FieldType,
  type Schema,
} from '../../src/protocol/everything.ts'
import { sampleMessage } from '../../src/protocol/sample-message.ts'
import { hostileRecords } from './hostile-batch.ts'
import { encodeHostile } from './hostile-encoder.ts'

/** The topics that a broker under fuzz starts with. */
export const FUZZ_TOPICS = ['plain', 'compacted', 'stamped', 'checked'] as const

const NAMES = {
  group: ['group-a', 'group-b', 'group-static', '', 'g'.repeat(300)],
  topic: [
    ...FUZZ_TOPICS,
    ...FUZZ_TOPICS,
    ...FUZZ_TOPICS,
    ...FUZZ_TOPICS,
    'new-topic',
    'other',
    '__consumer_offsets',
    '',
    '.',
    '..',
    'a/b',
    'ä',
  ],
  member: ['', 'member-1', 'x'.repeat(0x7fff)],
  protocol: ['consumer', 'range', 'cooperative-sticky', 'connect', ''],
  config: [
    'retention.ms',
    'cleanup.policy',
    'max.message.bytes',
    'segment.bytes',
    'no.such.key',
    '',
    'compression.type',
  ],
  value: ['1', '-1', '0', 'compact', 'delete', '9223372036854775807', '99999999999999999999', 'gzip', '1048576', ''],
  directory: ['/data', '/other', ''],
} as const satisfies Record<string, readonly string[]>

/** A topic of the well-behaved client alone: no request names it, or has its id. */
export const PROBE_TOPIC = 'probe-of-the-fuzzer'

/** Ids that the broker handed out and that requests may come back with. */
export class KnownIds {
  readonly #values = new Map<string, (string | number)[]>()

  /** Remembers the ids in an answer, to any depth. */
  learn(message: unknown): void {
    if (Array.isArray(message)) for (const element of message.slice(0, 20)) this.learn(element)
    else if (typeof message === 'object' && message !== null && !ArrayBuffer.isView(message)) {
      if ('name' in message && message.name === PROBE_TOPIC) return
      for (const [name, value] of Object.entries(message)) {
        if (LEARNED.has(name) && (typeof value === 'string' || typeof value === 'number')) this.#remember(name, value)
        else this.learn(value)
      }
    }
  }

  any(name: string, random: Random): string | number | undefined {
    const values = this.#values.get(name)
    return values?.[random.below(values.length)]
  }

  #remember(name: string, value: string | number): void {
    const values = this.#values.get(name) ?? []
    if (values.includes(value)) return
    values.push(value)
    if (values.length > 12) values.shift()
    this.#values.set(name, values)
  }
}

const LEARNED = new Set(['memberId', 'topicId', 'sessionId', 'producerId', 'producerEpoch', 'generationId'])

/** A request of `schema` in `version`: most are mostly plausible, the others as random as the types allow. */
export function plausibleMessage(
  schema: Schema,
  version: number,
  { random, known }: { readonly random: Random; readonly known: KnownIds },
): object {
  const message = sampleMessage(schema, version, random) as Record<string, unknown>
  if (random.below(6) > 0) new Improver(version, random, known).improve(schema.fields, message)
  return message
}

const TEXTS_BY_NAME: readonly (readonly [RegExp, readonly string[]])[] = [
  [/instanceId/i, ['static-1', 'static-2']],
  [/transactionalId/i, ['transaction']],
  [/protocolType/, ['consumer', 'consumer', 'consumer', 'connect', '']],
  [/protocol/i, NAMES.protocol],
  [/group/i, NAMES.group],
  [/config\.name|configurationKeys/, NAMES.config],
  [/config\.value/, NAMES.value],
  [/resourceName/, [...FUZZ_TOPICS, '0', '', '7']],
  [/topic|^name$/i, NAMES.topic],
  [/^key$|keys/i, NAMES.group],
  [/path|dir/i, NAMES.directory],
]

/** Waits are short, but a session must be as long as the broker asks for. */
const NUMBERS_BY_NAME: readonly (readonly [RegExp, (random: Random) => number])[] = [
  [/(session|rebalance)TimeoutMs/, random => 6_000 + random.below(20_000)],
  [/timeoutMs|waitMs/i, random => (random.below(5) === 0 ? 6_000 + random.below(60_000) : random.below(200))],
  [/acks/, random => random.below(3) - 1],
  [/partition|index|^id$/i, random => random.below(3) - (random.below(9) === 0 ? 1 : 0)],
  [/epoch/i, random => random.below(3) - 1],
  [/offset/i, random => random.below(40) - 4],
  [/count|replicationFactor|numPartitions/i, random => random.below(5) - 1],
  [/bytes|max/i, random => 1 << random.below(24)],
  [/resourceType/, random => [2, 2, 4, 8, 1][random.below(5)]!],
  [/keyType|electionType|operation/i, random => random.below(3)],
  [/type|level/i, random => random.below(4)],
  [/timestamp/i, random => [-1, -2, -3, -4, -5, 0, 1_700_000_000_000][random.below(7)]!],
]

class Improver {
  readonly #version: number
  readonly #random: Random
  readonly #known: KnownIds

  constructor(version: number, random: Random, known: KnownIds) {
    this.#version = version
    this.#random = random
    this.#known = known
  }

  /** Replaces what can be replaced by something better; `parent` is the name of the field that holds the message. */
  improve(fields: Schema['fields'], message: Record<string, unknown>, parent = ''): void {
    for (const [name, { spec }] of Object.entries(fields)) {
      const present = this.#version >= spec.versions.min && this.#version <= spec.versions.max
      if (!present || message[name] === null || this.#random.below(12) === 0) continue
      const mayBeNull = spec.nullable !== undefined && this.#version >= spec.nullable.min
      if (mayBeNull && /transactionalId|instanceId/i.test(name) && this.#random.below(5) > 0) message[name] = null
      else message[name] = this.#better(parent === 'configs' ? `config.${name}` : name, spec.type, message[name])
    }
  }

  #better(name: string, type: FieldType, value: unknown): unknown {
    switch (type.kind) {
      case 'struct':
        this.improve(type.fields, value as Record<string, unknown>, name)
        return value
      case 'array':
        return (value as readonly unknown[]).map(element => this.#better(name, type.element, element))
      case 'string':
        return this.#text(name) ?? value
      case 'uuid':
        return this.#known.any(name, this.#random) ?? value
      case 'records':
        return hostileRecords(this.#version, this.#random)
      case 'bytes':
        return this.#bytes(name) ?? value
      case 'int8':
      case 'int16':
      case 'int32':
      case 'int64':
        return this.#number(name) ?? value
      default:
        return value
    }
  }

  #text(name: string): string | undefined {
    const random = this.#random
    if (name === 'memberId') return String(this.#known.any(name, random) ?? pick(NAMES.member, random))
    const [, choices] = TEXTS_BY_NAME.find(([pattern]) => pattern.test(name)) ?? []
    return choices && pick(choices, random)
  }

  #number(name: string): number | undefined {
    const known = this.#known.any(name, this.#random)
    if (known !== undefined) return Number(known)
    const [, number] = NUMBERS_BY_NAME.find(([pattern]) => pattern.test(name)) ?? []
    return number?.(this.#random)
  }

  #bytes(name: string): Uint8Array | undefined {
    const random = this.#random
    if (!/metadata|assignment/i.test(name) || random.below(4) === 0) return undefined
    const schema = /metadata/i.test(name) ? ConsumerProtocolSubscription : ConsumerProtocolAssignment
    const version = random.below(schema.versions.max + 1)
    const message = sampleMessage(schema, version, random)
    const prefix = Buffer.from([0, version])
    return Buffer.concat([prefix, encodeHostile({ schema, version, message, lies: random.below(3), random })])
  }
}

function pick(values: readonly string[], random: Random): string {
  return values[random.below(values.length)]!
}
