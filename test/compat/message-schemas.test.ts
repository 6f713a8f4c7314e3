/**
 * Our message tables against the message JSON inside Kafka's published jars, field for field in every version: 3.9.1 for the old
 * versions, 4.3.0 for the new.
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type KafkaVersions, kafkaApiVersions } from '../../scripts/reference/kafka-api-versions.ts'
import * as protocol from '../../src/protocol/everything.ts'
import { kafkaJars } from './jars.ts'
import { run } from './process.ts'

/** As in Kafka's JSON. */
interface JsonField {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly nullableVersions?: string
  /** A number, in one message between quotes. */
  readonly tag?: number | string
  readonly default?: unknown
  readonly ignorable?: boolean
  readonly flexibleVersions?: string
  readonly fields?: readonly JsonField[]
}

interface JsonMessage {
  readonly name: string
  readonly type: string
  readonly apiKey?: number
  readonly validVersions: string
  /** Kinds of brokers and controllers that answer a request. */
  readonly listeners?: readonly string[]
  readonly latestVersionUnstable?: boolean
  readonly flexibleVersions?: string
  readonly fields: readonly JsonField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly JsonField[] }[]
}

/** One field in one version, in a form that both sides can be brought to. */
interface Shape {
  readonly name: string
  readonly present: boolean
  readonly type: unknown
  readonly default: unknown
  /** The rest counts only where the field is on the wire, `ignorable` only where it is not. */
  readonly nullable?: boolean
  readonly tag?: number | undefined
  readonly compact?: boolean
  readonly ignorable?: boolean
}

/** Messages that 4.x renamed or whose fields it renamed, with the same bytes. Names of 3.9 first. */
const RENAMED: Record<string, string> = {
  ListClientMetricsResourcesRequest: 'ListConfigResourcesRequest',
  ListClientMetricsResourcesResponse: 'ListConfigResourcesResponse',
  'ListConfigResourcesResponse.clientMetricsResources': 'configResources',
  'ListConfigResourcesResponse.clientMetricsResources.name': 'resourceName',
  'VoteRequest.topics.partitions.candidateEpoch': 'replicaEpoch',
  'VoteRequest.topics.partitions.candidateId': 'replicaId',
  'VoteRequest.topics.partitions.candidateDirectoryId': 'replicaDirectoryId',
}

/** Share groups were an early access in 3.9, with other messages than 4.x under the same or a lower version: ours are 4.3's. */
const EARLY_ACCESS_IN_39 =
  /^(ShareFetch|ShareAcknowledge|ShareGroupHeartbeat|ShareGroupDescribe|ReadShareGroupStateSummary)(Request|Response)$/

const exported: readonly unknown[] = Object.values(protocol)
const schemas = new Map(
  exported
    .filter((value): value is protocol.Schema => typeof value === 'object' && value !== null && 'flexibleFrom' in value)
    .map(schema => [titleOf(schema), schema]),
)

function titleOf(schema: protocol.Schema): string {
  return schema.name + (schema.kind === 'request' ? 'Request' : schema.kind === 'response' ? 'Response' : '')
}

const directory = mkdtempSync(join(tmpdir(), 'monedula-schemas-'))
after(() => rmSync(directory, { recursive: true }))

async function messagesOf(jar: string, name: string): Promise<JsonMessage[]> {
  const target = join(directory, name)
  mkdirSync(target)
  await run('jar', ['xf', jar, 'common/message'], { cwd: target })
  const folder = join(target, 'common', 'message')
  return readdirSync(folder)
    .filter(file => file.endsWith('.json'))
    .map(file => JSON.parse(withoutComments(readFileSync(join(folder, file), 'utf8'))) as JsonMessage)
    .filter(message => message.validVersions !== 'none')
}

/** Comments run to the end of the line; inside strings two slashes are text. */
function withoutComments(text: string): string {
  return text.replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*/g, (_, quoted: string | undefined) => quoted ?? '')
}

function rangeOf(text: string | undefined): protocol.VersionRange {
  if (text === undefined || text === 'none') return { min: 1, max: 0 }
  const [min = '', max = min] = text.endsWith('+') ? [text.slice(0, -1), '32767'] : text.split('-')
  return { min: Number(min), max: Number(max) }
}

const within = (range: protocol.VersionRange | undefined, version: number): boolean =>
  range !== undefined && version >= range.min && version <= range.max

const lowerFirst = (name: string): string => (name[0] ?? '').toLowerCase() + name.slice(1)

/** The default that a Java class gives a field, in the form that our tables have. */
function jsonDefault(field: JsonField): unknown {
  const given = field.default
  if (given === null || given === 'null') return null
  if (field.type.startsWith('[]') || field.type === 'bytes' || field.type === 'records') return 'empty'
  if (field.type === 'string') return given ?? ''
  if (field.type === 'bool') return given === true || given === 'true'
  if (field.type === 'uuid') return protocol.ZERO_UUID
  if (/^[A-Z]/.test(field.type)) return 'struct'
  return Number(given ?? 0)
}

function ourDefault(spec: protocol.FieldSpec): unknown {
  if (spec.default === undefined) return 'struct'
  return typeof spec.default === 'object' && spec.default !== null ? 'empty' : spec.default
}

interface Context {
  readonly message: JsonMessage
  readonly version: number
  readonly flexible: boolean
}

function jsonShapes(fields: readonly JsonField[], path: string, context: Context): Shape[] {
  return fields.map(field => {
    const { version } = context
    const original = lowerFirst(field.name)
    const inner = `${path}.${original}`
    const name = RENAMED[inner] ?? original
    const present = within(rangeOf(field.versions), version)
    const base = field.type.replace('[]', '')
    const struct = field.fields ?? context.message.commonStructs?.find(common => common.name === base)?.fields
    const element = struct ? jsonShapes(struct, inner, context) : base
    const shape = {
      name,
      present,
      type: field.type.startsWith('[]') ? [element] : element,
      default: jsonDefault(field),
    }
    if (!present) return { ...shape, type: undefined, ignorable: field.ignorable ?? false }
    const nullable = within(rangeOf(field.nullableVersions), version)
    const tag = field.tag === undefined ? undefined : Number(field.tag)
    return { ...shape, nullable, tag, compact: context.flexible && field.flexibleVersions !== 'none' }
  })
}

function ourType(type: protocol.FieldType, version: number, flexible: boolean): unknown {
  if (type.kind === 'array') return [ourType(type.element, version, flexible)]
  return type.kind === 'struct' ? ourShapes(type.fields, version, flexible) : type.kind
}

function ourShapes(fields: protocol.Fields, version: number, flexible: boolean): Shape[] {
  return Object.entries(fields).map(([name, { spec }]) => {
    const present = within(spec.versions, version)
    if (!present) return { name, present, type: undefined, default: ourDefault(spec), ignorable: spec.ignorable }
    const type = ourType(spec.type, version, flexible)
    const nullable = within(spec.nullable, version)
    return {
      name,
      present,
      type,
      default: ourDefault(spec),
      nullable,
      tag: spec.tag,
      compact: flexible && !spec.neverFlexible,
    }
  })
}

/** Drops our absent fields that the jar never heard of: they came or went in other versions. */
function knownTo(theirs: readonly Shape[], ours: readonly Shape[]): Shape[] {
  const byName = new Map(theirs.map(shape => [shape.name, shape]))
  return ours
    .filter(shape => shape.present || byName.has(shape.name))
    .map(shape => {
      const other = byName.get(shape.name)
      return other ? { ...shape, type: knownType(other.type, shape.type) } : shape
    })
}

function knownType(theirs: unknown, ours: unknown): unknown {
  if (!Array.isArray(theirs) || !Array.isArray(ours)) return ours
  if (ours.length === 1 && Array.isArray(ours[0])) return [knownType(theirs[0], ours[0])]
  return isShapes(ours) && isShapes(theirs) ? knownTo(theirs, ours) : ours
}

const isShapes = (value: readonly unknown[]): value is Shape[] =>
  value.every(member => typeof member === 'object' && member !== null && 'present' in member)

function compare(message: JsonMessage): void {
  const title = RENAMED[message.name] ?? message.name
  const schema = schemas.get(title)
  assert(schema, `no table for ${title}`)
  assert.equal(schema.apiKey, message.apiKey ?? -1, `${title}: key`)
  assert.equal(schema.kind, message.type, `${title}: kind`)
  const range = rangeOf(message.validVersions)
  for (let version = range.min; version <= range.max; version++) {
    assert(within(schema.versions, version), `${title} v${version} is missing`)
    const flexible = within(rangeOf(message.flexibleVersions), version)
    assert.equal(version >= schema.flexibleFrom, flexible, `${title} v${version}: flexible`)
    const theirs = jsonShapes(message.fields, title, { message, version, flexible })
    assert.deepEqual(knownTo(theirs, ourShapes(schema.fields, version, flexible)), theirs, `${title} v${version}`)
  }
}

test('every message of Kafka 3.9.1 and 4.3.0 has a table, which agrees with it in every version', async () => {
  const { libs, clients43 } = await kafkaJars()
  const older = await messagesOf(join(libs, 'kafka-clients-3.9.1.jar'), '3.9.1')
  const newer = await messagesOf(join(clients43, 'kafka-clients-4.3.0.jar'), '4.3.0')
  const stable = older.filter(message => !EARLY_ACCESS_IN_39.test(message.name))
  for (const message of [...stable, ...newer]) compare(message)

  const reach = new Map<string, protocol.VersionRange>()
  for (const message of [...stable, ...newer]) {
    const title = RENAMED[message.name] ?? message.name
    const range = rangeOf(message.validVersions)
    const known = reach.get(title) ?? range
    reach.set(title, { min: Math.min(known.min, range.min), max: Math.max(known.max, range.max) })
  }
  for (const [title, range] of reach) assert.deepEqual(schemas.get(title)?.versions, range, `versions of ${title}`)

  const records = /(Key|Value|^Remote.*Record)$/
  const unknown = [...schemas.keys()].filter(title => !reach.has(title) && !records.test(title))
  assert.deepEqual(unknown, [], 'tables that Kafka does not have')
  console.log(`kafka-clients 3.9.1 and 4.3.0: ${older.length} and ${newer.length} messages compared`)
})

test('the page of APIs gives the versions that Kafka 3.9.1 and 4.3.0 answer', async () => {
  const { libs, clients43 } = await kafkaJars()
  const answered = (messages: readonly JsonMessage[], listener: string): Map<number, string> =>
    new Map(
      messages
        .filter(({ type, listeners }) => type === 'request' && listeners?.includes(listener))
        .flatMap(message => {
          const versions = stableVersions(message)
          return versions === undefined ? [] : [[message.apiKey ?? -1, versions]]
        }),
    )
  const zooKeeper39 = answered(await messagesOf(join(libs, 'kafka-clients-3.9.1.jar'), 'answered-3.9.1'), 'zkBroker')
  const kraft43 = answered(await messagesOf(join(clients43, 'kafka-clients-4.3.0.jar'), 'answered-4.3.0'), 'broker')
  const column = (of: (versions: KafkaVersions) => string | undefined): Map<number, string> =>
    new Map(
      [...kafkaApiVersions].flatMap(([key, versions]) =>
        of(versions) === undefined ? [] : [[key, of(versions) ?? '']],
      ),
    )
  assert.deepEqual(sorted(column(versions => versions.zooKeeper39)), sorted(zooKeeper39))
  assert.deepEqual(sorted(column(versions => versions.kraft43)), sorted(kraft43))
})

const sorted = (versions: ReadonlyMap<number, string>): [number, string][] => [...versions].sort(([a], [b]) => a - b)

/** Versions of a request as Kafka writes them, the newest left out while it is unstable. */
function stableVersions({ validVersions, latestVersionUnstable }: JsonMessage): string | undefined {
  const { min, max } = rangeOf(validVersions)
  const newest = latestVersionUnstable === true ? max - 1 : max
  if (newest < min) return undefined
  return newest === min ? `${min}` : `${min}-${newest}`
}

test('the comparison notices every kind of difference', async () => {
  const { libs } = await kafkaJars()
  const messages = await messagesOf(join(libs, 'kafka-clients-3.9.1.jar'), 'doctored')
  const offsets = messages.find(message => message.name === 'OffsetFetchRequest')
  const fetch = messages.find(message => message.name === 'FetchRequest')
  assert(offsets && fetch)
  const doctored = (message: JsonMessage, name: string, change: Partial<JsonField>): JsonMessage => ({
    ...message,
    fields: message.fields.map(field => (field.name === name ? { ...field, ...change } : field)),
  })
  compare(doctored(fetch, 'MaxBytes', {}))
  const differences: JsonMessage[] = [
    doctored(fetch, 'MaxBytes', { default: 1 }),
    doctored(fetch, 'MaxBytes', { ignorable: false }),
    doctored(fetch, 'MaxBytes', { type: 'int64' }),
    doctored(fetch, 'MaxBytes', { versions: '4+' }),
    doctored(fetch, 'MaxBytes', { name: 'MostBytes' }),
    doctored(fetch, 'ClusterId', { tag: 7 }),
    doctored(offsets, 'Topics', { nullableVersions: '3-7' }),
    { ...fetch, validVersions: '0-99' },
    { ...fetch, flexibleVersions: '11+' },
    { ...fetch, apiKey: 2 },
    { ...fetch, fields: fetch.fields.slice(1) },
    { ...fetch, fields: fetch.fields.toReversed() },
    { ...fetch, name: 'NewRequest' },
  ]
  for (const different of differences) assert.throws(() => compare(different), assert.AssertionError)
})
