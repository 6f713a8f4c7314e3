/**
 * Typed tables of configuration keys, after Kafka's ConfigDef: one entry a key gives its type, default, rule,
 * importance and documentation; parsing, errors, descriptions and the reference pages all come from it.
 */
import assert from 'node:assert'
import { ConfigError, shortened } from './config-error.ts'
import { type AnyConfigValue, type ConfigType, type ConfigTypes, Password, parseValue } from './config-value.ts'
import type { Validator } from './validators.ts'

/** How much attention a key deserves of those who set up a broker. */
export type Importance = 'high' | 'medium' | 'low'

/** When a broker key may be changed while the broker runs; a key without it is read-only. */
export type UpdateMode = 'per-broker' | 'cluster-wide'

/** An entry of a table. */
export interface ConfigKey {
  readonly type: ConfigType
  /** Value when none is given: null for "none", absent when the key must be given. Text is read as the type reads it. */
  readonly default?: string | number | boolean | readonly string[] | null
  readonly valid?: Validator
  readonly importance: Importance
  /** One or two sentences for the reference page and for DescribeConfigs. */
  readonly doc: string
  readonly update?: UpdateMode
  /** Hidden from descriptions, as Kafka hides it. */
  readonly internal?: true
}

/** Keys by name. */
export type ConfigTable = Readonly<Record<string, ConfigKey>>

/** The type of a key's value. */
export type ConfigValueOf<K extends ConfigKey> =
  | ConfigTypes[K['type']]
  | (K extends { readonly default: null } ? null : never)

/** Properties as a file or a znode holds them: texts by key. */
export type Properties = ReadonlyMap<string, string> | Readonly<Record<string, string>>

/** A value in effect. */
interface Entry {
  readonly value: AnyConfigValue | null
  readonly text: string | null
  readonly isDefault: boolean
}

/** A table of keys that can read properties. */
export class ConfigDef<const T extends ConfigTable> {
  readonly keys: T
  readonly #defaults: ReadonlyMap<string, Entry>

  constructor(keys: T) {
    this.keys = keys
    this.#defaults = new Map(
      Object.entries(keys).flatMap(([name, key]) => {
        if (key.default === undefined) return []
        return [[name, key.default === null ? EMPTY : { ...parsed(name, key, defaultText(key)), isDefault: true }]]
      }),
    )
  }

  /** Names of all keys, sorted. */
  names(): readonly string[] {
    return Object.keys(this.keys).sort()
  }

  /** The entry of a key, or undefined when the key is not known. */
  key(name: string): ConfigKey | undefined {
    return Object.hasOwn(this.keys, name) ? this.keys[name] : undefined
  }

  /** A key's default as Kafka describes it; null when there is none. */
  defaultText(name: string): string | null {
    return this.#defaults.get(name)?.text ?? null
  }

  /**
   * The text of `written` as Kafka describes it. Throws {@link ConfigError} when the key cannot have that value; the
   * error names `shownAs`, where the value was written under another name than the key's.
   */
  check(name: string, written: string, shownAs = name): string {
    const key = this.key(name)
    if (!key) throw new ConfigError(`Unknown configuration ${shownAs}`)
    return parsed(shownAs, key, written).text
  }

  /** `written` as the value of one key. Throws {@link ConfigError} when the key cannot have it. */
  parseKey<K extends keyof T & string>(name: K, written: string): ConfigValueOf<T[K]> {
    const key = this.key(name)
    if (!key) throw new ConfigError(`Unknown configuration ${name}`)
    // The value was read with the type of this very key.
    return parsed(name, key, written).value as ConfigValueOf<T[K]>
  }

  /**
   * Reads every key, by its default where `properties` has none. Properties that are no keys are kept in
   * {@link Config.properties} and named by {@link Config.unknownKeys}.
   * @throws ConfigError for the first value that a key cannot have, and for a key that must be given and is not.
   */
  parse(properties: Properties): Config<T> {
    const given = toMap(properties)
    const entries = new Map<string, Entry>()
    for (const [name, key] of Object.entries(this.keys)) {
      const written = given.get(name)
      const entry =
        written === undefined ? this.#defaults.get(name) : { ...parsed(name, key, written), isDefault: false }
      if (!entry) throw new ConfigError(`Missing required configuration ${name} which has no default value: set it`)
      entries.set(name, entry)
    }
    return new Config(entries, given)
  }

  /**
   * `base` with other values for the keys that `properties` name. Shares what stays the same with `base`, so that many
   * of them cost little. {@link Config.properties} are the new ones alone.
   * @throws ConfigError for the first value that a key cannot have.
   */
  overlay(base: Config<T>, properties: Properties): Config<T> {
    const given = toMap(properties)
    const entries = new Map<string, Entry>()
    for (const [name, written] of given) {
      const key = this.key(name)
      if (key) entries.set(name, { ...parsed(name, key, written), isDefault: false })
    }
    return new Config(entries, given, base)
  }
}

/** The values in effect of a table. Immutable: a change makes a new one. */
export class Config<T extends ConfigTable> {
  /** What was given, unknown keys included. */
  readonly properties: ReadonlyMap<string, string>
  readonly #entries: ReadonlyMap<string, Entry>
  /** Has the entries that are not here. */
  readonly #base: Config<T> | undefined

  constructor(entries: ReadonlyMap<string, Entry>, properties: ReadonlyMap<string, string>, base?: Config<T>) {
    this.#entries = entries
    this.properties = properties
    this.#base = base
  }

  #entry(name: string): Entry | undefined {
    const own = this.#entries.get(name)
    return own || !this.#base ? own : this.#base.#entry(name)
  }

  /** The value of a key. */
  get<K extends keyof T & string>(name: K): ConfigValueOf<T[K]> {
    const entry = this.#entry(name)
    assert.ok(entry, `no such configuration key: ${name}`)
    // The entry was parsed with the type of this very key.
    return entry.value as ConfigValueOf<T[K]>
  }

  /** The value as Kafka describes it: `9223372036854775807`, `a,b`, `0.5`; null when there is none. */
  text(name: keyof T & string): string | null {
    return this.#entry(name)?.text ?? null
  }

  /** Whether the value is the table's default, because none was given. */
  isDefault(name: keyof T & string): boolean {
    return this.#entry(name)?.isDefault ?? false
  }

  /** Properties that are no keys, in the order given: worth a warning, for most are misspelt. */
  unknownKeys(): readonly string[] {
    return [...this.properties.keys()].filter(name => this.#entry(name) === undefined)
  }
}

/** Makes a table of keys; `config.get('num.partitions')` is then typed by the entry of that key. */
export function defineConfig<const T extends ConfigTable>(keys: T): ConfigDef<T> {
  return new ConfigDef(keys)
}

/** Properties as a map. */
export function toMap(properties: Properties): ReadonlyMap<string, string> {
  return properties instanceof Map ? properties : new Map(Object.entries(properties))
}

/** Longer texts are not what somebody wrote into a file. */
const COMMENT_START_MAX = 1000
const EMPTY: Entry = { value: null, text: null, isDefault: true }

function defaultText(key: ConfigKey): string {
  return Array.isArray(key.default) ? key.default.join(',') : String(key.default)
}

/** Reads and checks a value, or throws a {@link ConfigError} that says what is wrong with it. */
function parsed(name: string, key: ConfigKey, written: string): { value: AnyConfigValue; text: string } {
  const shown = key.type === 'password' ? Password.HIDDEN : written
  const result = parseValue(key.type, written)
  if ('reason' in result) {
    throw new ConfigError(result.reason + wayOut(written), { key: name, value: shown })
  }
  const wrong = key.valid?.check(result.value)
  if (typeof wrong === 'object')
    throw new ConfigError(wrong.reason + commentHint(written), { key: name, value: wrong.item })
  if (wrong !== undefined) {
    const value = Array.isArray(result.value) ? `[${result.value.join(', ')}]` : shown
    throw new ConfigError(wrong + commentHint(written), { key: name, value })
  }
  return result
}

/** What to do about a text that is no number or truth value, where its look tells what its author meant. */
function wayOut(written: string): string {
  const hint = commentHint(written)
  return hint === '' && written.length < COMMENT_START_MAX && /^\s*[\d.]+\s*[a-z]+\s*$/i.test(written)
    ? '; write a plain number without a unit'
    : hint
}

function commentHint(written: string): string {
  const start = written.indexOf('#')
  if (start < 0 || start > COMMENT_START_MAX) return ''
  return `; a properties file has no comments behind a value: move '${shortened(written.slice(start))}' to a line of its own`
}
