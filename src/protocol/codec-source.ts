/**
 * Turns one version of a schema into the source text of an encoder and a decoder: straight-line code without a version check in it,
 * and object literals, so that every decoded message of a kind has the same hidden class.
 *
 * In the text `w` is the writer, `r` the reader, `K` the array of constants.
 */
import assert from 'node:assert/strict'
import type { FieldSpec, Fields, FieldType, ScalarKind, Schema, VersionRange } from './schema.ts'

/** Source text of a function body, and the values that it refers to as `K[n]`. */
export interface CodecSource {
  readonly text: string
  readonly constants: readonly unknown[]
}

/** Names of the methods of ByteReader and ByteWriter, which match. `nullable` and `compact` ones exist for what has a length. */
const METHOD: Record<ScalarKind, string> = {
  bool: 'bool',
  int8: 'int8',
  int16: 'int16',
  uint16: 'uint16',
  int32: 'int32',
  uint32: 'uint32',
  int64: 'int64',
  float64: 'float64',
  uuid: 'uuid',
  string: 'string',
  bytes: 'sizedBytes',
  records: 'sizedBytes',
}

/** Bytes of the fixed-size types; what has a length takes one byte (compact) or its length field when it is empty. */
const FIXED_SIZE: Partial<Record<ScalarKind, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

const within = (range: VersionRange | undefined, version: number): boolean =>
  range !== undefined && version >= range.min && version <= range.max

/** True for what has no fixed size: strings, bytes, arrays, structs. */
const hasLength = (kind: FieldType['kind']): boolean => !(kind in FIXED_SIZE)

function method(kind: ScalarKind, options: { nullable: boolean; compact: boolean }): string {
  const base = METHOD[kind]
  if (!hasLength(kind)) return base
  const prefix =
    (options.compact ? 'compact' : '') + (options.nullable ? (options.compact ? 'Nullable' : 'nullable') : '')
  return prefix === '' ? base : prefix + base[0]!.toUpperCase() + base.slice(1)
}

/** A copy of the default of a field, complete to the bottom. */
export function defaultOf(spec: FieldSpec): unknown {
  if (spec.default !== undefined) return spec.default
  assert(spec.type.kind === 'struct')
  return defaultsOfFields(spec.type.fields)
}

export function defaultsOfFields(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, defaultOf(field.spec)]))
}

abstract class Emitter {
  readonly version: number
  readonly flexible: boolean
  readonly constants: unknown[] = []
  protected readonly functions: string[] = []
  readonly #structs = new Map<Fields, string>()
  readonly #literals = new Map<FieldSpec, string>()

  constructor(schema: Schema, version: number) {
    this.version = version
    this.flexible = version >= schema.flexibleFrom
  }

  /** Text of a default: a literal where there is one, otherwise always the same constant for the same field. */
  literal(spec: FieldSpec): string {
    const known = this.#literals.get(spec)
    if (known) return known
    const value = defaultOf(spec)
    const isObject = typeof value === 'object' && value !== null
    const text = isObject ? `K[${this.constants.push(value) - 1}]` : JSON.stringify(value)
    this.#literals.set(spec, text)
    return text
  }

  present(spec: FieldSpec): boolean {
    return within(spec.versions, this.version)
  }

  nullable(spec: FieldSpec): boolean {
    return within(spec.nullable, this.version)
  }

  compact(spec: FieldSpec): boolean {
    return this.flexible && !spec.neverFlexible
  }

  /** Name of the function that handles a struct, made on first use. */
  struct(fields: Fields, path: string): string {
    const known = this.#structs.get(fields)
    if (known) return known
    const name = `s${this.#structs.size}`
    this.#structs.set(fields, name)
    this.functions.push(this.structFunction(name, fields, path))
    return name
  }

  /** Fields in fixed position, and tagged ones by ascending tag. */
  split(fields: Fields): {
    fixed: [string, FieldSpec][]
    tagged: [string, FieldSpec, number][]
    absent: [string, FieldSpec][]
  } {
    const fixed: [string, FieldSpec][] = []
    const tagged: [string, FieldSpec, number][] = []
    const absent: [string, FieldSpec][] = []
    for (const [name, { spec }] of Object.entries(fields)) {
      if (!this.present(spec)) absent.push([name, spec])
      else if (spec.tag === undefined) fixed.push([name, spec])
      else tagged.push([name, spec, spec.tag])
    }
    tagged.sort((a, b) => a[2] - b[2])
    assert(this.flexible || tagged.length === 0, 'tagged fields need a flexible version')
    return { fixed, tagged, absent }
  }

  abstract structFunction(name: string, fields: Fields, path: string): string

  finish(root: string, url: string): CodecSource {
    const text = `'use strict';\n${this.functions.join('\n')}\nreturn ${root};\n//# sourceURL=${url}`
    return { text, constants: this.constants }
  }
}

class DecoderEmitter extends Emitter {
  /** The least that a value takes on the wire: what a count is checked with. */
  #leastSize(type: FieldType): number {
    if (type.kind === 'array') return this.flexible ? 1 : 4
    if (type.kind !== 'struct') return FIXED_SIZE[type.kind] ?? (this.flexible ? 1 : type.kind === 'string' ? 2 : 4)
    let size = this.flexible ? 1 : 0
    for (const [, spec] of this.split(type.fields).fixed) {
      size += spec.type.kind === 'struct' && this.nullable(spec) ? 1 : this.#leastSize(spec.type)
    }
    return size
  }

  override structFunction(name: string, fields: Fields, path: string): string {
    const { fixed, tagged, absent } = this.split(fields)
    const lines = fixed.map(([field, spec]) => `let ${local(field)} = ${this.#read(spec, `${path}.${field}`)};`)
    for (const [field, spec] of [...absent, ...tagged]) lines.push(`let ${local(field)} = ${this.literal(spec)};`)
    if (this.flexible) lines.push(this.#taggedFields(tagged, path))
    const members = Object.keys(fields).map(field => `${field}: ${local(field)}`)
    return `function ${name}(r) {\n${lines.join('\n')}\nreturn { ${members.join(', ')} };\n}`
  }

  /** Unknown tags are skipped, as KIP-482 asks; a known one must fill its size exactly. */
  #taggedFields(tagged: [string, FieldSpec, number][], path: string): string {
    const cases = tagged.map(
      ([field, spec, tag]) => `case ${tag}: ${local(field)} = ${this.#read(spec, `${path}.${field}`)}; break;`,
    )
    return `for (let n = r.unsignedVarint(); n > 0; n--) {
const tag = r.unsignedVarint(), size = r.unsignedVarint(), left = r.remaining;
switch (tag) { ${cases.join('\n')} default: r.skip(size); }
r.expectTaken(size, left);
}`
  }

  #read(spec: FieldSpec, path: string): string {
    const { type } = spec
    const nullable = this.nullable(spec)
    const compact = this.compact(spec)
    if (type.kind === 'array') return `${this.#arrayFunction(type.element, { nullable, compact }, path)}(r)`
    if (type.kind === 'struct') {
      const read = `${this.struct(type.fields, path)}(r)`
      return nullable ? `(r.int8() < 0 ? null : ${read})` : read
    }
    if (spec.longMax) return 'r.int64OrMax()'
    return `r.${method(type.kind, { nullable, compact })}()`
  }

  #arrayFunction(element: FieldType, options: { nullable: boolean; compact: boolean }, path: string): string {
    assert(element.kind !== 'array', 'arrays of arrays do not exist in the protocol')
    const size = this.#leastSize(element)
    assert(size > 0, `elements of ${path} take no bytes`)
    const read =
      element.kind === 'struct'
        ? `${this.struct(element.fields, path)}(r)`
        : `r.${method(element.kind, { nullable: false, compact: options.compact })}()`
    const name = `a${this.functions.length}`
    this.functions.push(`function ${name}(r) {
const n = r.${options.compact ? 'compactArrayLength' : 'arrayLength'}(${size});
if (n < 0) return ${options.nullable ? 'null' : 'r.isNull()'};
const a = new Array(n);
for (let i = 0; i < n; i++) a[i] = ${read};
return a;
}`)
    return name
  }
}

class EncoderEmitter extends Emitter {
  /** Fields of a message that is written piece by piece. */
  readonly #inPieces: Fields | undefined

  constructor(schema: Schema, version: number, options: { readonly inPieces: boolean }) {
    super(schema, version)
    this.#inPieces = options.inPieces ? schema.fields : undefined
  }

  override structFunction(name: string, fields: Fields, path: string): string {
    const { fixed, tagged, absent } = this.split(fields)
    const lines: string[] = []
    const inPieces = fields === this.#inPieces
    for (const [field, spec] of absent) {
      if (!spec.ignorable) lines.push(this.#refuseUnlessDefault(field, spec, `${path}.${field}`))
    }
    for (const [field, spec] of [...fixed, ...tagged]) {
      lines.push(
        `let ${local(field)} = m.${field}; if (${local(field)} === undefined) ${local(field)} = ${this.literal(spec)};`,
      )
      if (!this.nullable(spec))
        lines.push(`if (${local(field)} === null) E.isNull(${JSON.stringify(`${path}.${field}`)});`)
    }
    for (const [field, spec] of fixed) {
      if (inPieces && spec.type.kind === 'array')
        lines.push(this.#writeInPieces(spec, local(field), `${path}.${field}`))
      else lines.push(this.#write('w', spec, local(field), `${path}.${field}`))
    }
    if (this.flexible) lines.push(this.#taggedFields(tagged, path))
    return `function${inPieces ? '*' : ''} ${name}(w, m) {\n${lines.join('\n')}\n}`
  }

  /** What a version cannot carry must not be lost in silence. */
  #refuseUnlessDefault(field: string, spec: FieldSpec, path: string): string {
    const differs = this.#differs(`m.${field}`, spec)
    return `if (m.${field} !== undefined && ${differs}) E.unsupported(${JSON.stringify(path)}, ${this.version});`
  }

  /** Text that is true when the value is not the default. */
  #differs(value: string, spec: FieldSpec): string {
    const { kind } = spec.type
    const plain = kind !== 'array' && kind !== 'struct' && kind !== 'bytes' && kind !== 'records'
    if (plain || defaultOf(spec) === null) return `${value} !== ${this.literal(spec)}`
    if (spec.type.kind === 'struct') {
      return `(${value} !== ${this.literal(spec)} && ${this.#differsFunction(spec.type.fields)}(${value}))`
    }
    return `(${value} === null || ${value}.length !== 0)`
  }

  /** A function that tells whether any field of a struct is given and not its default. */
  #differsFunction(fields: Fields): string {
    const terms = Object.entries(fields).map(
      ([name, { spec }]) => `(m.${name} !== undefined && ${this.#differs(`m.${name}`, spec)})`,
    )
    const name = `d${this.functions.length}`
    this.functions.push(`function ${name}(m) {\nreturn m === null || ${terms.join(' || ')};\n}`)
    return name
  }

  #taggedFields(tagged: [string, FieldSpec, number][], path: string): string {
    if (tagged.length === 0) return 'w.unsignedVarint(0);'
    const flags = tagged.map(([field, spec]) => `const d_${field} = ${this.#differs(local(field), spec)};`)
    const writes = tagged.map(
      ([field, spec, tag]) =>
        `if (d_${field}) { const t = E.scratch(); ${this.#write('t', spec, local(field), `${path}.${field}`)} ` +
        `w.unsignedVarint(${tag}); w.unsignedVarint(t.size); w.append(t); }`,
    )
    const count = tagged.map(([field]) => `(d_${field} ? 1 : 0)`).join(' + ')
    return `${flags.join('\n')}\nw.unsignedVarint(${count});\n${writes.join('\n')}`
  }

  #write(writer: string, spec: FieldSpec, value: string, path: string): string {
    const { type } = spec
    const nullable = this.nullable(spec)
    const compact = this.compact(spec)
    if (type.kind === 'array') return this.#writeArray(writer, spec, { value, path, write: element => `${element};` })
    if (type.kind === 'struct') {
      const write = `${this.struct(type.fields, path)}(${writer}, ${value});`
      return nullable ? `if (${value} === null) ${writer}.int8(-1); else { ${writer}.int8(1); ${write} }` : write
    }
    return `${writer}.${method(type.kind, { nullable, compact })}(${value});`
  }

  /** As {@link #write}, with a break before each element. */
  #writeInPieces(spec: FieldSpec, value: string, path: string): string {
    return this.#writeArray('w', spec, { value, path, write: element => `{ yield; ${element}; }` })
  }

  #writeArray(
    writer: string,
    spec: FieldSpec,
    { value, path, write }: { value: string; path: string; write: (element: string) => string },
  ): string {
    assert(spec.type.kind === 'array')
    const { element } = spec.type
    assert(element.kind !== 'array', 'arrays of arrays do not exist in the protocol')
    const compact = this.compact(spec)
    const length = compact ? 'compactArrayLength' : 'arrayLength'
    const one =
      element.kind === 'struct'
        ? `${this.struct(element.fields, path)}(${writer}, ${value}[i])`
        : `${writer}.${method(element.kind, { nullable: false, compact })}(${value}[i])`
    const whole = `${writer}.${length}(${value}.length); for (let i = 0; i < ${value}.length; i++) ${write(one)}`
    return this.nullable(spec) ? `if (${value} === null) ${writer}.${length}(-1); else { ${whole} }` : whole
  }
}

/** Field names may be words of the language: as variables they get a prefix. */
const local = (field: string): string => `f_${field}`

/** Text of `(K, E) => (writer, message) => void`; with `inPieces` of a generator function. */
export function encoderSource(
  schema: Schema,
  version: number,
  options: { readonly inPieces: boolean } = { inPieces: false },
): CodecSource {
  const emitter = new EncoderEmitter(schema, version, options)
  return emitter.finish(emitter.struct(schema.fields, schema.name), codecUrl(schema, version, 'encode'))
}

/** Text of `K => reader => message`. */
export function decoderSource(schema: Schema, version: number): CodecSource {
  const emitter = new DecoderEmitter(schema, version)
  return emitter.finish(emitter.struct(schema.fields, schema.name), codecUrl(schema, version, 'decode'))
}

/** What stack traces and profiles call the code. */
function codecUrl(schema: Schema, version: number, direction: 'encode' | 'decode'): string {
  const kind = schema.kind === 'request' ? 'Request' : schema.kind === 'response' ? 'Response' : ''
  return `codec/${schema.name}${kind}.v${version}.${direction}.js`
}
