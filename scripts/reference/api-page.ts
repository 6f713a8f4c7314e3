/** The page of APIs, from the list of handlers. */
import { handlers } from '../../src/broker/index.ts'
import { apis } from '../../src/protocol/everything.ts'
import { type KafkaVersions, kafkaApiVersions } from './kafka-api-versions.ts'
import { page, table } from './markdown.ts'

const NOTHING = '-'
const NO_CLUSTERS = 'asked by brokers of each other; there are no clusters yet'
const NO_SASL = 'SASL is not there yet'
const NO_TOKENS = 'delegation tokens are not there yet'
const SECOND_PROTOCOL = 'v5, unless transaction.version is 2'
const ONLY_TRANSACTION_VERSION = 'other features than transaction.version'
const QUOTAS_OF_ADDRESSES = 'quotas of users and clients'
const NO_REASSIGNMENT = 'there are no clusters to move replicas in yet'
const NO_NEW_GROUPS = 'groups of the protocol of KIP-848 are not there; groups of the classic protocol are'
const NO_SHARE_GROUPS = 'share groups are not there'
const NO_STREAMS_GROUPS = 'streams groups (KIP-1071) are not there'
const NO_TELEMETRY = 'telemetry of clients (KIP-714) is not there'
const ONLY_KRAFT = 'answered by brokers in KRaft mode alone'
const WITHOUT_AUTHORIZER = 'always SECURITY_DISABLED, as of Kafka without an authorizer'
const ONLY_TOPICS_AND_BROKERS = 'loggers of brokers, settings of groups and of client metrics'

/** What of an API that is served is not. */
const LEFT_OUT: ReadonlyMap<number, string> = new Map([
  [2, 'tiered storage: its special timestamps find nothing'],
  [8, 'v0 stores offsets where all others are, not in ZooKeeper'],
  [9, 'v0 reads offsets from where all others are, not from ZooKeeper'],
  [10, 'keys of share groups'],
  [16, 'groups of other types than classic'],
  [26, SECOND_PROTOCOL],
  [28, SECOND_PROTOCOL],
  [29, WITHOUT_AUTHORIZER],
  [30, WITHOUT_AUTHORIZER],
  [31, WITHOUT_AUTHORIZER],
  [32, ONLY_TOPICS_AND_BROKERS],
  [33, ONLY_TOPICS_AND_BROKERS],
  [44, ONLY_TOPICS_AND_BROKERS],
  [49, QUOTAS_OF_ADDRESSES],
  [57, ONLY_TRANSACTION_VERSION],
])

/** Why an API is not served. */
const ABSENT: readonly (readonly [reason: string, keys: readonly number[]])[] = [
  [NO_CLUSTERS, [4, 5, 6, 7, 56, 58, 67]],
  [NO_SASL, [17, 36, 50, 51]],
  [NO_TOKENS, [38, 39, 40, 41]],
  [NO_REASSIGNMENT, [45, 46]],
  [NO_NEW_GROUPS, [68, 69]],
  [NO_TELEMETRY, [71, 72, 74]],
  ['answered by brokers in KRaft mode alone; clients use Metadata instead', [75]],
  [NO_SHARE_GROUPS, [76, 77, 78, 79, 83, 84, 85, 86, 87, 90, 91, 92]],
  [NO_STREAMS_GROUPS, [88, 89]],
  [ONLY_KRAFT, [55, 64, 80, 81]],
]

/** Every API that brokers of Kafka serve, in which versions Monedula does, and what is missing. */
export function apiPage(): string {
  const shown = apis.filter(({ key }) => kafkaApiVersions.has(key))
  const rows = shown.map(({ key, name }) => {
    const { zooKeeper39 = NOTHING, kraft43 = NOTHING }: KafkaVersions = kafkaApiVersions.get(key) ?? {}
    const served = servedVersions(key)
    return [String(key), name, served ?? NOTHING, zooKeeper39, kraft43, leftOut(key, served !== undefined)]
  })
  return page('APIs', [
    'Which requests the broker answers, and in which versions, beside brokers of Apache Kafka 3.9 in ZooKeeper mode and ' +
      'of 4.3. What stands here is what ApiVersions tells clients: a version is listed only where it is served. ' +
      'APIs among the controllers of KRaft mode are left out.',
    table(['Key', 'API', 'Monedula', 'Kafka 3.9', 'Kafka 4.3', 'Not there'], rows),
    "Kafka 4.3 lists versions 0-2 of Produce as well, for librdkafka's sake, and refuses them.",
  ])
}

function servedVersions(key: number): string | undefined {
  const served = handlers.find(({ apiKey }) => apiKey === key)
  if (!served) return undefined
  const { minVersion, maxVersion } = served
  return minVersion === maxVersion ? String(minVersion) : `${minVersion}-${maxVersion}`
}

function leftOut(key: number, isServed: boolean): string {
  if (isServed) return LEFT_OUT.get(key) ?? ''
  const reason = ABSENT.find(([, keys]) => keys.includes(key))?.[0]
  if (reason === undefined) throw new Error(`scripts/reference/api-page.ts does not say why API ${key} is not served`)
  return reason
}
