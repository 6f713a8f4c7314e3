/** Pages of settings, from the tables that settings are read with. */
import {
  brokerKeyThemes,
  brokerQuotaConfig,
  clientConfig,
  ipConfig,
  kafkaConfig,
  TOPIC_SERVER_KEYS,
  topicConfig,
  userConfig,
} from '../../src/config/broker.ts'
import type { ConfigDef, ConfigTable, UpdateMode } from '../../src/config/index.ts'
import { code, page, table } from './markdown.ts'
import { TOPIC_EFFECTS } from './topic-effects.ts'

const LONGEST_RULE = 120
const WHEN: Readonly<Record<UpdateMode, string>> = { 'per-broker': 'broker', 'cluster-wide': 'cluster' }
/** The broker's table without the types of its entries, to compare others with. */
const brokerAsTable: ConfigDef<ConfigTable> = kafkaConfig

/** Keys of `server.properties`, and those that are only set while brokers run. */
export function brokerConfigPage(): string {
  const sections = brokerKeyThemes.map(
    ({ title, keys }) => `## ${title}\n\n${keyTable(kafkaConfig, Object.keys(keys))}`,
  )
  return page('Broker configuration', [
    'Keys of `server.properties`: every one that Apache Kafka 3.9 knows, with its type, default and rule, and ' +
      "Monedula's own, which begin with `monedula.`. An unknown key is warned about; a value that a key cannot have " +
      'stops the start with one line that names key, value and reason.',
    'Differences from Kafka: `listeners` binds the loopback address when it is not set, `zookeeper.connect` may be ' +
      'missing, and what Monedula does not have is refused by name rather than passed over.',
    'Update: *restart* is read at start only; *broker* may be changed while running, broker by broker; *cluster* may ' +
      'also be changed for all brokers at once. `listener.name.<listener>.<key>` sets a key for one listener.',
    ...sections,
    `## Only dynamic\n\nSet with \`kafka-configs.sh\`, never in a file. For a broker:\n\n${keyTable(brokerQuotaConfig)}`,
    `For a client id:\n\n${keyTable(clientConfig)}`,
    `For a user:\n\n${keyTable(userConfig)}`,
    `For an address:\n\n${keyTable(ipConfig)}`,
  ])
}

/** Keys of a topic. */
export function topicConfigPage(): string {
  const rows = topicConfig.names().map(name => {
    const key = name as keyof typeof TOPIC_EFFECTS
    const serverKey = TOPIC_SERVER_KEYS[key]
    return [
      ...cells(topicConfig, name),
      serverKey === undefined ? '' : code(serverKey),
      documentation(topicConfig, name),
      TOPIC_EFFECTS[key],
    ]
  })
  return page('Topic configuration', [
    'Keys of a topic, set when it is created or later with `kafka-configs.sh`. A topic without a setting of its own ' +
      "takes the broker's, under the name in the column *Broker key*.",
    'A retention, rolling age or flush interval of the broker may be given in other units as well: see the ' +
      'descriptions of the [broker keys](broker-configs.md).',
    'The last column says what a setting does here: as in Kafka, how it differs, or none, with the reason; such a ' +
      'setting is accepted and described all the same.',
    table(['Key', 'Type', 'Default', 'Valid', 'Broker key', 'Meaning', 'Effect here'], rows),
  ])
}

function keyTable(def: ConfigDef<ConfigTable>, names: readonly string[] = def.names()): string {
  const rows = names
    .filter(name => !def.key(name)?.internal)
    .map(name => {
      const { importance = '', update } = def.key(name) ?? {}
      const when = def === brokerAsTable ? [update === undefined ? 'restart' : WHEN[update]] : []
      return [...cells(def, name), importance, ...when, documentation(def, name)]
    })
  const update = def === brokerAsTable ? ['Update'] : []
  return table(['Key', 'Type', 'Default', 'Valid', 'Importance', ...update, 'Meaning'], rows)
}

function cells(def: ConfigDef<ConfigTable>, name: string): string[] {
  const { type = '', valid } = def.key(name) ?? {}
  const text = def.defaultText(name)
  return [code(name), type, text === null ? '' : text === '' ? 'empty' : code(text), valid ? rule(String(valid)) : '']
}

function documentation(def: ConfigDef<ConfigTable>, name: string): string {
  return (def.key(name)?.doc ?? '').replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

/** A rule, or of a long list of names the first and the last. */
function rule(text: string): string {
  if (text.length <= LONGEST_RULE) return code(text)
  if (!text.startsWith('[')) return ''
  const names = text.slice(1, -1).split(', ')
  return `${code(names[0] ?? '')} to ${code(names.at(-1) ?? '')}`
}
