/** A znode whose content is not what Kafka writes there. */
export class ZnodeFormatError extends Error {
  readonly path: string

  constructor(path: string, reason: string) {
    super(`znode ${path}: ${reason}`)
    this.name = 'ZnodeFormatError'
    this.path = path
  }
}

/** `value` as the bytes of compact JSON, keys in the order given. */
export function encodeJson(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

/** A JSON object read from a znode, with checked access to its fields; unknown fields are left alone. */
export class ZnodeObject {
  readonly path: string
  readonly #fields: Readonly<Record<string, unknown>>

  private constructor(path: string, value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ZnodeFormatError(path, 'is not a JSON object')
    }
    this.path = path
    this.#fields = value as Readonly<Record<string, unknown>>
  }

  /** Reads the data of the znode at `path`. Throws {@link ZnodeFormatError}. */
  static parse(path: string, data: Uint8Array | null): ZnodeObject {
    let value: unknown
    try {
      value = JSON.parse(Buffer.from(data ?? []).toString('utf8'))
    } catch {
      throw new ZnodeFormatError(path, 'is not JSON')
    }
    return new ZnodeObject(path, value)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name)
  }

  names(): readonly string[] {
    return Object.keys(this.#fields)
  }

  /** A whole number; also from a string of digits, as Kafka writes longs. */
  int(name: string, absent?: number): number {
    const value = this.#fields[name]
    if (value === undefined && absent !== undefined) return absent
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) this.#fail(name, 'a whole number')
    return number
  }

  string(name: string): string {
    const value = this.#fields[name]
    if (typeof value !== 'string') this.#fail(name, 'a string')
    return value
  }

  stringOrNull(name: string): string | null {
    return (this.#fields[name] ?? null) === null ? null : this.string(name)
  }

  /** An array of whole numbers. */
  ints(name: string): readonly number[] {
    const value = this.#fields[name]
    if (!Array.isArray(value) || !value.every(item => Number.isSafeInteger(item))) this.#fail(name, 'whole numbers')
    return value as readonly number[]
  }

  strings(name: string): readonly string[] {
    const value = this.#fields[name]
    if (!Array.isArray(value) || !value.every(item => typeof item === 'string')) this.#fail(name, 'strings')
    return value as readonly string[]
  }

  object(name: string): ZnodeObject {
    return new ZnodeObject(`${this.path} ${name}`, this.#fields[name])
  }

  objects(name: string): readonly ZnodeObject[] {
    const value = this.#fields[name]
    if (!Array.isArray(value)) this.#fail(name, 'objects')
    return value.map(item => new ZnodeObject(`${this.path} ${name}`, item))
  }

  #fail(name: string, wanted: string): never {
    throw new ZnodeFormatError(this.path, `'${name}' is not ${wanted}`)
  }
}
