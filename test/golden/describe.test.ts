/** What we answer to DescribeConfigs against what Apache Kafka 3.9.1 answered with the same settings. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  BrokerConfig,
  ConfigSource,
  type DescribedConfig,
  DynamicBrokerConfig,
  describeBroker,
  describeBrokerDefaults,
  describeTopic,
} from '../../src/config/broker.ts'

type Synonym = readonly [name: string, value: string | null, source: string]
type Row = readonly [
  name: string,
  value: string | null,
  source: string,
  sensitive: boolean,
  readOnly: boolean,
  type: string,
  synonyms: readonly Synonym[],
]

interface Case {
  readonly dynamicBroker: Readonly<Record<string, string>>
  readonly dynamicDefault: Readonly<Record<string, string>>
  readonly topic: Readonly<Record<string, string>>
  /** In every case but the first: only what differs from the first. */
  readonly describeBroker: readonly Row[]
  readonly describeDefault: readonly Row[]
  readonly describeTopic: readonly Row[]
  readonly describeOtherTopic: readonly Row[]
}

const fixture = fileURLToPath(new URL('../../../test/golden/config/kafka-3.9.1-describe.json', import.meta.url))
const kafka = JSON.parse(readFileSync(fixture, 'utf8')) as {
  readonly static: Readonly<Record<string, string>>
  readonly cases: readonly Case[]
}

const SOURCE_NAMES = new Map(Object.entries(ConfigSource).map(([name, id]) => [id, name]))

function ours(described: readonly DescribedConfig[]): Row[] {
  const source = (id: ConfigSource): string => SOURCE_NAMES.get(id) ?? assert.fail(String(id))
  return described
    .filter(({ name }) => !name.startsWith('monedula.'))
    .map(({ name, value, isSensitive, isReadOnly, type, synonyms, ...rest }) => [
      name,
      value,
      source(rest.source),
      isSensitive,
      isReadOnly,
      type,
      synonyms.map((synonym): Synonym => [synonym.name, synonym.value, source(synonym.source)]),
    ])
}

/** Kafka's rows, with the one default that differs on purpose. */
function theirs(rows: readonly Row[]): Row[] {
  const kafkaDefault = 'PLAINTEXT://:9092'
  return rows.map(([name, value, source, sensitive, readOnly, type, synonyms]) => [
    name,
    value,
    source,
    sensitive,
    readOnly,
    type,
    synonyms.map(([of, text, from]) => [of, text === kafkaDefault ? 'PLAINTEXT://127.0.0.1:9092' : text, from]),
  ])
}

const first = kafka.cases[0] ?? assert.fail('empty fixture')

for (const [index, expected] of kafka.cases.entries()) {
  test(`settings are described as Kafka describes them, case ${index}`, () => {
    const config = new DynamicBrokerConfig(BrokerConfig.load(kafka.static))
    assert.deepEqual(config.apply('cluster', expected.dynamicDefault), [])
    assert.deepEqual(config.apply('broker', expected.dynamicBroker), [])
    const broker = new Map([...first.describeBroker, ...expected.describeBroker].map(row => [row[0], row]))
    const sorted = [...broker.values()].sort((a, b) => (a[0] < b[0] ? -1 : 1))
    assert.deepEqual(ours(describeBroker(config)), theirs(sorted))
    assert.deepEqual(ours(describeBrokerDefaults(config)), theirs(expected.describeDefault))
    assert.deepEqual(ours(describeTopic(config, new Map(Object.entries(expected.topic)))), expected.describeTopic)
    assert.deepEqual(ours(describeTopic(config, new Map())), expected.describeOtherTopic)
  })
}
