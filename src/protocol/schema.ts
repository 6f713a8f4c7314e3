/**
 * The language in which wire messages are written down: a table of fields, each with the versions in which it is on the wire.
 * One object stands for every version of a message; a field that a version lacks has its default (Kafka's rule). The tables are data:
 * `codec.ts` compiles them, and the types of messages are inferred from them.
 */
import assert from 'node:assert/strict'
import type { ChunkedBytes } from './writer.ts'

/** What a field may hold. Kafka's names, but `records` are plain bytes and `[]x` is an array of x. */
export type ScalarKind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'string'
  | 'uuid'
  | 'bytes'
  | 'records'

export type FieldType =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'array'; readonly element: FieldType }
  | { readonly kind: 'struct'; readonly fields: Fields }

/** Both ends included; an open end is {@link NEWEST}. */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

/** Larger than every version: the upper end of `from(n)`. Versions are int16 on the wire. */
export const NEWEST = 0x7fff

/** Everything that is known of a field but its name. */
export interface FieldSpec {
  readonly type: FieldType
  /** Where the field is on the wire. */
  readonly versions: VersionRange
  /** Where null is allowed. */
  readonly nullable: VersionRange | undefined
  /** Its number among the tagged fields (KIP-482), or undefined for a field in fixed position. */
  readonly tag: number | undefined
  readonly default: unknown
  /** May silently be left out of a version that lacks it; otherwise only its default may (Kafka's `ignorable`). */
  readonly ignorable: boolean
  /** Keeps the old form of its length also in flexible versions. Only the client id of the request header does. */
  readonly neverFlexible: boolean
  /** An int64 that may be {@link INT64_MAX}. */
  readonly longMax: boolean
}

/** A field of a message. Every method answers a changed copy. `T` is the decoded type, `I` what the encoder takes. */
export class Field<T, I = T> {
  /** Never set: carries the types. */
  declare readonly types?: { readonly decoded: T; readonly input: I }
  readonly spec: FieldSpec

  constructor(spec: FieldSpec) {
    this.spec = spec
  }

  #with(change: Partial<FieldSpec>): FieldSpec {
    return { ...this.spec, ...change }
  }

  /** On the wire from this version on. */
  from(version: number): Field<T, I> {
    return new Field(this.#with({ versions: { min: version, max: this.spec.versions.max } }))
  }

  /** On the wire up to this version, included. */
  until(version: number): Field<T, I> {
    return new Field(this.#with({ versions: { min: this.spec.versions.min, max: version } }))
  }

  /** May be null, from a version on when one is given. */
  nullable(from = 0): Field<T | null, I | null> {
    return new Field(this.#with({ nullable: { min: from, max: NEWEST } }))
  }

  /** May be null only up to this version, included. */
  nullableUntil(version: number): Field<T | null, I | null> {
    return new Field(this.#with({ nullable: { min: 0, max: version } }))
  }

  /** The value where it is not given, or not on the wire. Without this: zero, false, empty. */
  default(value: T): Field<T, I> {
    return new Field(this.#with({ default: value }))
  }

  ignorable(): Field<T, I> {
    return new Field(this.#with({ ignorable: true }))
  }

  tagged(tag: number): Field<T, I> {
    return new Field(this.#with({ tag }))
  }

  neverFlexible(): Field<T, I> {
    return new Field(this.#with({ neverFlexible: true }))
  }

  /** Takes {@link INT64_MAX} too: for fields in which clients write Java's `Long.MAX_VALUE` to mean "the end" or "for ever". */
  orLongMax(): Field<T, I> {
    return new Field(this.#with({ longMax: true }))
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the one place where fields of every type meet
export type Fields = { readonly [name: string]: Field<any, any> }

type Decoded<F> = F extends Field<infer T, infer _I> ? T : never
type Input<F> = F extends Field<infer _T, infer I> ? I : never

/** A decoded struct: every field is there. */
export type StructOf<F extends Fields> = { readonly [K in keyof F]: Decoded<F[K]> }

/** What the encoder takes: a field that is absent has its default. */
export type StructInput<F extends Fields> = { readonly [K in keyof F]?: Input<F[K]> }

/** The decoded message of a schema. */
export type MessageOf<S> = S extends Schema<infer F> ? StructOf<F> : never

/** What `encodeMessage` takes for a schema. */
export type MessageInput<S> = S extends Schema<infer F> ? StructInput<F> : never

const EVERY: VersionRange = { min: 0, max: NEWEST }

function fieldSpec(type: FieldType, defaultValue: unknown): FieldSpec {
  return {
    type,
    versions: EVERY,
    nullable: undefined,
    tag: undefined,
    default: defaultValue,
    ignorable: false,
    neverFlexible: false,
    longMax: false,
  }
}

/**
 * Stands for Java's `Long.MAX_VALUE`, which no number holds exactly: the writer turns it into 2^63−1, and fields declared with
 * `orLongMax()` read it back as this. Everywhere else an int64 beyond ±(2^53−1) is an error.
 */
export const INT64_MAX = 2 ** 63

const EMPTY_BYTES: Uint8Array = new Uint8Array(0)
const EMPTY_ARRAY: readonly never[] = Object.freeze([])

export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

const scalar = <T>(kind: ScalarKind, zero: T): Field<T> => new Field(fieldSpec({ kind }, zero))

export const bool = (): Field<boolean> => scalar('bool', false)
export const int8 = (): Field<number> => scalar('int8', 0)
export const int16 = (): Field<number> => scalar('int16', 0)
export const uint16 = (): Field<number> => scalar('uint16', 0)
export const int32 = (): Field<number> => scalar('int32', 0)
export const uint32 = (): Field<number> => scalar('uint32', 0)
export const int64 = (): Field<number> => scalar('int64', 0)
export const float64 = (): Field<number> => scalar('float64', 0)
export const string = (): Field<string> => scalar('string', '')
/** 16 bytes, as Kafka prints them: url-safe base64, 22 characters. */
export const uuid = (): Field<string> => scalar('uuid', ZERO_UUID)
/** Bytes by a name that declarations keep: compilers older than TypeScript 5.7 know no `Uint8Array<ArrayBufferLike>`. */
export interface Bytes extends Uint8Array {}
export const bytes = (): Field<Bytes> => scalar('bytes', EMPTY_BYTES)
/** Record batches: a view of the buffer that was decoded, never looked into here. They may be given in several pieces. */
export const records = (): Field<Bytes, ChunkedBytes> => new Field(fieldSpec({ kind: 'records' }, EMPTY_BYTES))

/** A struct in place. */
export function struct<F extends Fields>(fields: F): Field<StructOf<F>, StructInput<F>> {
  checkNames(fields)
  return new Field(fieldSpec({ kind: 'struct', fields }, undefined))
}

/** Many of a scalar, or many structs of these fields. */
export function array<T, I>(element: Field<T, I>): Field<readonly T[], readonly I[]>
export function array<F extends Fields>(fields: F): Field<readonly StructOf<F>[], readonly StructInput<F>[]>
export function array(element: Field<unknown> | Fields): Field<readonly unknown[]> {
  if (element instanceof Field) return new Field(fieldSpec({ kind: 'array', element: element.spec.type }, EMPTY_ARRAY))
  checkNames(element)
  return new Field(fieldSpec({ kind: 'array', element: { kind: 'struct', fields: element } }, EMPTY_ARRAY))
}

/** Field names become source text in the codec: nothing but a plain identifier is let through. */
function checkNames(fields: Fields): void {
  for (const name of Object.keys(fields)) assert.match(name, /^[a-z][A-Za-z0-9]*$/, `field name ${name}`)
}

export type MessageKind = 'request' | 'response' | 'data' | 'header'

/** One message in all its versions. */
export interface Schema<F extends Fields = Fields> {
  /** Kafka's name without `Request` or `Response`: `Fetch`. Data and headers have their full name. */
  readonly name: string
  readonly kind: MessageKind
  /** -1 for what is neither a request nor a response. */
  readonly apiKey: number
  readonly versions: VersionRange
  /** The first version with compact lengths and tagged fields (KIP-482), {@link NEWEST}+1 when there is none. */
  readonly flexibleFrom: number
  readonly fields: F
}

/** `versions` is `'3'` or `'0-12'`; `flexible` is `'9+'` or `'none'`. */
export interface SchemaVersions {
  readonly versions: string
  readonly flexible: string
}

function schema<F extends Fields>(
  identity: { name: string; kind: MessageKind; apiKey: number },
  versions: SchemaVersions,
  fields: F,
): Schema<F> {
  assert.match(identity.name, /^[A-Z][A-Za-z0-9]*$/, `message name ${identity.name}`)
  const range = /^(\d+)(?:-(\d+))?$/.exec(versions.versions)
  const flexible = /^(?:(\d+)\+|none)$/.exec(versions.flexible)
  assert(range && flexible, `versions of ${identity.name}`)
  checkNames(fields)
  const min = Number(range[1])
  const max = range[2] === undefined ? min : Number(range[2])
  const flexibleFrom = flexible[1] === undefined ? NEWEST + 1 : Number(flexible[1])
  return { ...identity, versions: { min, max }, flexibleFrom, fields }
}

/** Declares the request of an API. */
export function request<F extends Fields>(
  name: string,
  apiKey: number,
  versions: SchemaVersions,
  fields: F,
): Schema<F> {
  return schema({ name, kind: 'request', apiKey }, versions, fields)
}

/** Declares the response of an API. */
export function response<F extends Fields>(
  name: string,
  apiKey: number,
  versions: SchemaVersions,
  fields: F,
): Schema<F> {
  return schema({ name, kind: 'response', apiKey }, versions, fields)
}

/** Declares what is stored or embedded in other messages as bytes. */
export function data<F extends Fields>(name: string, versions: SchemaVersions, fields: F): Schema<F> {
  return schema({ name, kind: 'data', apiKey: -1 }, versions, fields)
}

/** Declares what stands before a request or a response. */
export function header<F extends Fields>(name: string, versions: SchemaVersions, fields: F): Schema<F> {
  return schema({ name, kind: 'header', apiKey: -1 }, versions, fields)
}
