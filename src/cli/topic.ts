import { type Admin, KafkaError, type TopicPartition } from '../client/index.ts'
import { eachOf } from './failures.ts'
import type { NameValue } from './option-values.ts'
import { table } from './table.ts'
import { adminOptions, type ClusterOptions, toCluster } from './to-cluster.ts'

export interface CreateTopicOptions extends ClusterOptions {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly config?: readonly NameValue[]
  readonly ifNotExists?: boolean
}

/** `monedula topic create`. */
export async function createTopic(name: string, options: CreateTopicOptions): Promise<void> {
  const { partitions, replicationFactor, config = [] } = options
  await using admin = toCluster(options).admin(adminOptions(options))
  const numbers = {
    ...(partitions !== undefined && { partitions }),
    ...(replicationFactor !== undefined && { replicationFactor }),
  }
  try {
    await admin.createTopics([{ name, ...numbers, configs: Object.fromEntries(config) }])
  } catch (error) {
    if (!options.ifNotExists || !isAbout(error, 'TOPIC_ALREADY_EXISTS')) throw error
    console.log(`${name} exists`)
    return
  }
  console.log(`created ${name}`)
}

/** `monedula topic list`. */
export async function listTopics(options: ClusterOptions): Promise<void> {
  await using admin = toCluster(options).admin(adminOptions(options))
  for (const { name } of await admin.listTopics()) console.log(name)
}

/** `monedula topic describe`: partitions with where they begin and end, and settings that are not the defaults. */
export async function describeTopic(name: string, options: ClusterOptions & { readonly all?: boolean }): Promise<void> {
  await using admin = toCluster(options).admin(adminOptions(options))
  const [[topic], [settings]] = await Promise.all([
    admin.describeTopics([name]),
    admin.describeConfigs([{ type: 'topic', name }]).catch((error: unknown) => {
      // Who may see a topic need not be allowed to see its settings.
      if (isAbout(error, 'TOPIC_AUTHORIZATION_FAILED')) return []
      throw error
    }),
  ])
  const places = (topic?.partitions ?? []).map(({ partition }) => ({ topic: name, partition }))
  const [begins, ends] = await Promise.all([offsets(admin, places, 'earliest'), offsets(admin, places, 'latest')])
  const rows = (topic?.partitions ?? []).map(({ partition, leader, replicas, isr }) =>
    [partition, leader, replicas, isr, begins.get(partition), ends.get(partition)].map(String),
  )
  console.log(table(['PARTITION', 'LEADER', 'REPLICAS', 'ISR', 'BEGIN', 'END'], rows))
  const shown = (settings?.entries ?? []).filter(({ source }) => options.all || source === 'dynamic-topic')
  if (shown.length === 0) return
  console.log()
  console.log(
    table(
      ['CONFIG', 'VALUE', 'SOURCE'],
      shown.map(entry => [entry.name, entry.isSensitive ? '(hidden)' : (entry.value ?? ''), entry.source]),
    ),
  )
}

async function offsets(
  admin: Admin,
  places: readonly TopicPartition[],
  at: 'earliest' | 'latest',
): Promise<Map<number, number>> {
  const found = await admin.listOffsets(places.map(place => ({ ...place, at })))
  return new Map(found.map(({ partition, offset }) => [partition, offset]))
}

export interface AlterTopicOptions extends ClusterOptions {
  /** How many partitions it shall have, more than it has. */
  readonly partitions?: number
  readonly config?: readonly NameValue[]
  readonly deleteConfig?: readonly string[]
}

/** `monedula topic alter`: more partitions, other settings. */
export async function alterTopic(name: string, options: AlterTopicOptions): Promise<void> {
  const { partitions, config = [], deleteConfig = [] } = options
  const changes = [
    ...config.map(([key, value]) => ({ name: key, value })),
    ...deleteConfig.map(key => ({ name: key, operation: 'delete' as const })),
  ]
  if (partitions === undefined && changes.length === 0) {
    throw new Error('nothing to alter: give --partitions, --config or --delete-config')
  }
  await using admin = toCluster(options).admin(adminOptions(options))
  if (changes.length > 0) await admin.incrementalAlterConfigs([{ type: 'topic', name, changes }])
  if (partitions !== undefined) await admin.createPartitions([{ topic: name, total: partitions }])
  console.log(`altered ${name}`)
}

/** `monedula topic delete`: one that cannot be deleted does not keep the others. */
export async function deleteTopics(
  names: readonly string[],
  options: ClusterOptions & { readonly ifExists?: boolean },
): Promise<void> {
  await using admin = toCluster(options).admin(adminOptions(options))
  await eachOf(names, async name => {
    try {
      await admin.deleteTopics([name])
      console.log(`deleted ${name}`)
    } catch (error) {
      if (!options.ifExists || !isAbout(error, 'UNKNOWN_TOPIC_OR_PARTITION')) throw error
      console.log(`${name} does not exist`)
    }
  })
}

const isAbout = (error: unknown, code: string): boolean => error instanceof KafkaError && error.code === code
