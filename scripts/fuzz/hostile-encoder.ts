/**
 * Encodes a message with lies in it: lengths, counts, null marks, tags and numbers that are not what the message says. Everything
 * around a lie stays well-formed, so a decoder gets far into the message before it meets one.
 */
import type { Random } from '../../src/platform/index.ts'
import type { FieldSpec, Fields, FieldType, Schema, VersionRange } from '../../src/protocol/index.ts'

/** What to encode, and how dishonestly. */
export interface HostileOptions {
  readonly schema: Schema
  readonly version: number
  readonly message: object
  /** How many places of the message lie; 0 gives what the honest encoder gives. */
  readonly lies: number
  readonly random: Random
}

/** The bytes of a message body with `lies` lies at random places. */
export function encodeHostile({ schema, version, message, lies, random }: HostileOptions): Buffer {
  const flexible = version >= schema.flexibleFrom
  const honest = new LyingEncoder(version, flexible, { places: new Set(), random })
  honest.struct(schema.fields, message)
  if (lies === 0 || honest.placeCount === 0) return honest.finish()
  const places = new Set(Array.from({ length: lies }, () => random.below(honest.placeCount)))
  const liar = new LyingEncoder(version, flexible, { places, random })
  liar.struct(schema.fields, message)
  return liar.finish()
}

const INT_BYTES: Readonly<Record<string, number>> = { int8: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, int64: 8 }
const within = (range: VersionRange | undefined, version: number): boolean =>
  range !== undefined && version >= range.min && version <= range.max

class LyingEncoder {
  readonly #version: number
  readonly #flexible: boolean
  readonly #places: ReadonlySet<number>
  readonly #random: Random
  #parts: Buffer[] = []
  /** Places where a lie was or would have been possible. */
  placeCount = 0

  constructor(version: number, flexible: boolean, lying: { places: ReadonlySet<number>; random: Random }) {
    this.#version = version
    this.#flexible = flexible
    this.#places = lying.places
    this.#random = lying.random
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts)
  }

  struct(fields: Fields, value: object): void {
    const tagged: [number, FieldSpec, unknown][] = []
    for (const [name, { spec }] of Object.entries(fields)) {
      if (!within(spec.versions, this.#version)) continue
      const member = (value as Record<string, unknown>)[name]
      if (spec.tag === undefined) this.#field(spec, member)
      else if (!isDefault(spec, member)) tagged.push([spec.tag, spec, member])
    }
    if (this.#flexible) this.#tags(tagged.sort((a, b) => a[0] - b[0]))
  }

  /** Whether this place is one of those that lie. */
  #lies(): boolean {
    const place = this.placeCount
    this.placeCount += 1
    return this.#places.has(place)
  }

  #field(spec: FieldSpec, value: unknown): void {
    const { type } = spec
    const nullable = within(spec.nullable, this.#version)
    if (type.kind === 'struct') {
      if (nullable) this.#nullMark(value === null)
      if (value !== null) this.struct(type.fields, value as object)
      return
    }
    this.#value(type, value, this.#flexible && !spec.neverFlexible)
  }

  #nullMark(isNull: boolean): void {
    const mark = isNull ? -1 : 1
    this.#parts.push(Buffer.from([this.#lies() ? this.#random.below(256) : mark & 0xff]))
  }

  #value(type: FieldType, value: unknown, compact: boolean): void {
    switch (type.kind) {
      case 'struct':
        this.struct(type.fields, value as object)
        return
      case 'array': {
        const elements = value as readonly unknown[] | null
        this.#length(elements?.length ?? -1, compact, 4)
        for (const element of elements ?? []) this.#value(type.element, element, compact)
        return
      }
      case 'string':
        this.#sized(value === null ? null : Buffer.from(value as string), compact, 2)
        return
      case 'bytes':
      case 'records':
        this.#sized(value === null ? null : Buffer.from(value as Uint8Array), compact, 4)
        return
      case 'uuid':
        this.#parts.push(Buffer.from(value as string, 'base64url'))
        return
      case 'bool':
        this.#parts.push(Buffer.from([this.#lies() ? this.#random.below(256) : value ? 1 : 0]))
        return
      case 'float64': {
        const bytes = Buffer.alloc(8)
        const lie = [Number.NaN, Number.NEGATIVE_INFINITY, -0, Number.MAX_VALUE][this.#random.below(4)]!
        bytes.writeDoubleBE(this.#lies() ? lie : (value as number))
        this.#parts.push(bytes)
        return
      }
      default:
        this.#integer(value as number, INT_BYTES[type.kind]!)
    }
  }

  #integer(value: number, size: number): void {
    const bits = size * 8
    const exact = value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value)
    this.#parts.push(integerBytes(this.#lies() ? this.#extreme(bits) : exact, size))
  }

  #extreme(bits: number): bigint {
    const half = 1n << BigInt(bits - 1)
    const extremes = [-half, half - 1n, -half + 1n, half - 2n, -1n, 0n, 1n, -2n, half >> 1n, 0xffn, 1000n]
    return extremes[this.#random.below(extremes.length)]!
  }

  #sized(bytes: Buffer | null, compact: boolean, lengthBytes: number): void {
    this.#length(bytes?.length ?? -1, compact, lengthBytes)
    if (bytes) this.#parts.push(bytes)
  }

  /** A length or count; -1 is null. */
  #length(length: number, compact: boolean, size: number): void {
    const claimed = this.#lies() ? this.#wrongLength(length) : length
    if (!compact) this.#parts.push(integerBytes(BigInt(claimed), size))
    else if (claimed === ENDLESS) this.#parts.push(Buffer.from('ffffffffffffffff01', 'hex'))
    else this.#parts.push(unsignedVarint(claimed + 1))
  }

  #wrongLength(length: number): number {
    const wrong = [-1, 0, length + 1, length - 1, length * 2, 0x7fff_ffff, 0x7fff, -0x8000, ENDLESS, 1 << 20]
    return wrong[this.#random.below(wrong.length)]!
  }

  #tags(tagged: readonly [number, FieldSpec, unknown][]): void {
    const lie = this.#lies() ? this.#random.below(6) : -1
    const sections = tagged.map(([tag, spec, value]) => {
      const outer = this.#parts
      this.#parts = []
      this.#field(spec, value)
      const body = Buffer.concat(this.#parts)
      this.#parts = outer
      return Buffer.concat([unsignedVarint(tag), unsignedVarint(body.length), body])
    })
    // An unknown tag, one whose size is a lie, a known one with nothing or too much in it, the same one twice.
    if (lie === 1) sections.push(Buffer.concat([unsignedVarint(99), unsignedVarint(3), Buffer.alloc(3)]))
    else if (lie === 2) sections.push(Buffer.concat([unsignedVarint(5), unsignedVarint(0x7fff_ffff)]))
    else if (lie === 3) sections.push(Buffer.concat([unsignedVarint(0), unsignedVarint(0)]))
    else if (lie === 4) sections.push(Buffer.concat([unsignedVarint(0), unsignedVarint(40), Buffer.alloc(40, 1)]))
    else if (lie === 5) sections.push(...sections)
    this.#parts.push(unsignedVarint(lie === 0 ? 0x7fff_ffff : sections.length), ...sections)
  }
}

/** Stands for a varint that does not end within its size. */
const ENDLESS = -0x8000_0000

function isDefault(spec: FieldSpec, value: unknown): boolean {
  if (value === null || spec.default === null) return value === spec.default
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0
  if (typeof value !== 'object') return value === spec.default
  // A struct of nothing but defaults.
  if (spec.type.kind !== 'struct') return false
  return Object.entries(spec.type.fields).every(([name, field]) =>
    isDefault(field.spec, (value as Record<string, unknown>)[name]),
  )
}

function integerBytes(value: bigint, size: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt.asIntN(64, value))
  return bytes.subarray(8 - size)
}

export function unsignedVarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value >>> 0
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}
