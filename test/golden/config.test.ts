/** Our tables of keys against those of Apache Kafka 3.9.1, dumped from its own classes. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  brokerQuotaConfig,
  clientConfig,
  ipConfig,
  kafkaConfig,
  TOPIC_SERVER_KEYS,
  topicConfig,
  userConfig,
} from '../../src/config/broker.ts'
import type { ConfigDef, ConfigTable } from '../../src/config/index.ts'

interface Row {
  readonly name: string
  readonly type: string
  readonly default: string | null
  readonly importance: string
  readonly valid?: string
  readonly internal?: true
  readonly update?: string
  readonly required?: true
}

type Section = 'broker' | 'topic' | 'brokerQuota' | 'user' | 'client' | 'ip'

const fixture = fileURLToPath(new URL('../../../test/golden/config/kafka-3.9.1-config.json', import.meta.url))
const kafka = JSON.parse(readFileSync(fixture, 'utf8')) as Readonly<Record<Section, readonly Row[]>> & {
  readonly topicServerKeys: Readonly<Record<string, string>>
}

/** Where Monedula differs from Kafka on purpose. */
const DIFFERENT_DEFAULTS: Readonly<Record<string, string>> = { listeners: 'PLAINTEXT://127.0.0.1:9092' }

function rows(def: ConfigDef<ConfigTable>): Row[] {
  return def
    .names()
    .filter(name => !name.startsWith('monedula.'))
    .map(name => {
      const { type, importance, valid, internal, update, ...key } = def.key(name) ?? assert.fail(name)
      return {
        name,
        type,
        default: def.defaultText(name),
        importance,
        ...(key.default === undefined && { required: true as const }),
        ...(valid && { valid: String(valid) }),
        ...(internal && { internal }),
        ...(update && { update }),
      }
    })
}

const byName = (expected: readonly Row[]): Row[] =>
  expected
    .map(row => ({ ...row, default: DIFFERENT_DEFAULTS[row.name] ?? row.default }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))

const TABLES: Readonly<Record<Section, ConfigDef<ConfigTable>>> = {
  broker: kafkaConfig,
  topic: topicConfig,
  brokerQuota: brokerQuotaConfig,
  user: userConfig,
  client: clientConfig,
  ip: ipConfig,
}

for (const [section, def] of Object.entries(TABLES) as [Section, ConfigDef<ConfigTable>][]) {
  test(`every ${section} key has Kafka's type, default, importance, rule and update mode`, () => {
    assert.deepEqual(rows(def), byName(kafka[section]))
  })
}

test("topics take their values from Kafka's broker keys", () => {
  assert.deepEqual({ ...TOPIC_SERVER_KEYS }, kafka.topicServerKeys)
})

test('every default passes its own rule, and every key is documented in a sentence', () => {
  for (const def of Object.values(TABLES)) {
    for (const name of def.names()) {
      const key = def.key(name) ?? assert.fail(name)
      const text = def.defaultText(name)
      if (text !== null) assert.equal(def.check(name, text), text, name)
      assert.match(key.doc, /^[A-Z].*\.$/, name)
    }
  }
})
