/**
 * Messages of any schema with generated content, for round trips, comparison with other implementations, and fuzzing. The same random
 * numbers make the same message.
 */
import type { Random } from '../platform/index.ts'
import { defaultOf } from './codec-source.ts'
import type { FieldSpec, Fields, FieldType, MessageOf, Schema } from './schema.ts'

const MAX_SAFE = Number.MAX_SAFE_INTEGER
const TEXTS = ['', 'a', 'topic-7', 'ünïcödé ✓', 'x'.repeat(130), '名前'.repeat(40)]

/** A message as a version of the schema can carry it: every field that this version lacks has its default. */
export function sampleMessage<S extends Schema>(schema: S, version: number, random: Random): MessageOf<S> {
  return sampleStruct(schema.fields, version, random) as MessageOf<S>
}

function sampleStruct(fields: Fields, version: number, random: Random): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { spec }]) => {
      const present = version >= spec.versions.min && version <= spec.versions.max
      return [name, present ? sampleField(spec, version, random) : defaultOf(spec)]
    }),
  )
}

function sampleField(spec: FieldSpec, version: number, random: Random): unknown {
  const nullable = spec.nullable && version >= spec.nullable.min && version <= spec.nullable.max
  if (nullable && random.below(4) === 0) return null
  // A default of null may stand in a version that has no null on the wire.
  if (random.below(6) === 0 && (spec.default !== null || nullable) && spec.type.kind !== 'struct')
    return defaultOf(spec)
  return sampleValue(spec.type, version, random)
}

function sampleValue(type: FieldType, version: number, random: Random): unknown {
  switch (type.kind) {
    case 'struct':
      return sampleStruct(type.fields, version, random)
    case 'array':
      return Array.from({ length: random.below(4) }, () => sampleValue(type.element, version, random))
    case 'bool':
      return random.below(2) === 1
    case 'int8':
      return whole(-0x80, 0x7f, random)
    case 'int16':
      return whole(-0x8000, 0x7fff, random)
    case 'uint16':
      return whole(0, 0xffff, random)
    case 'int32':
      return whole(-0x8000_0000, 0x7fff_ffff, random)
    case 'uint32':
      return whole(0, 0xffff_ffff, random)
    case 'int64':
      return whole(-MAX_SAFE, MAX_SAFE, random)
    case 'float64':
      return (random.next() - 0.5) * 2 ** random.below(80)
    case 'uuid':
      return Buffer.from(random.bytes(16)).toString('base64url')
    case 'string':
      return TEXTS[random.below(TEXTS.length)]
    case 'bytes':
    case 'records':
      // One in a few is large enough to be kept by reference.
      return Buffer.from(random.below(16) === 0 ? random.bytes(5000) : random.bytes(random.below(40)))
  }
}

/** Ends of the range and small numbers as often as anything between. */
function whole(min: number, max: number, random: Random): number {
  const kind = random.below(5)
  if (kind === 0) return min
  if (kind === 1) return max
  if (kind === 2) return Math.min(max, Math.max(min, random.below(300) - 100))
  return Math.min(max, min + Math.floor(random.next() * (max - min)))
}
