import type { Admin } from '../client/index.ts'
import { table } from './table.ts'
import { adminPatience, type ClusterOptions, toCluster } from './to-cluster.ts'

export interface CreateTopicOptions extends ClusterOptions {
  readonly partitions?: string
  readonly replicationFactor?: string
  readonly config: readonly string[]
}

/** `monedula topic create`. */
export async function createTopic(name: string, options: CreateTopicOptions): Promise<void> {
  const configs = options.config.map(entry => {
    const at = entry.indexOf('=')
    if (at < 1) throw new Error(`--config ${entry}: give name=value, such as retention.ms=60000`)
    return [entry.slice(0, at), entry.slice(at + 1)]
  })
  await using admin = toCluster(options).admin(adminPatience)
  const numbers = {
    ...(options.partitions !== undefined && { partitions: count('--partitions', options.partitions) }),
    ...(options.replicationFactor !== undefined && {
      replicationFactor: count('--replication-factor', options.replicationFactor),
    }),
  }
  await admin.createTopics([{ name, ...numbers, configs: Object.fromEntries(configs) }])
  console.log(`created ${name}`)
}

/** `monedula topic list`. */
export async function listTopics(options: ClusterOptions): Promise<void> {
  await using admin = toCluster(options).admin(adminPatience)
  for (const { name } of await admin.listTopics()) console.log(name)
}

/** `monedula topic describe`: partitions with where they begin and end. */
export async function describeTopic(name: string, options: ClusterOptions): Promise<void> {
  await using admin = toCluster(options).admin(adminPatience)
  const [topic] = await admin.describeTopics([name])
  const places = (topic?.partitions ?? []).map(({ partition }) => ({ topic: name, partition }))
  const [begins, ends] = await Promise.all([offsets(admin, places, 'earliest'), offsets(admin, places, 'latest')])
  const rows = (topic?.partitions ?? []).map(({ partition, leader, replicas, isr }) =>
    [partition, leader, replicas, isr, begins.get(partition), ends.get(partition)].map(String),
  )
  console.log(table(['PARTITION', 'LEADER', 'REPLICAS', 'ISR', 'BEGIN', 'END'], rows))
}

async function offsets(
  admin: Admin,
  places: readonly { topic: string; partition: number }[],
  at: 'earliest' | 'latest',
): Promise<Map<number, number>> {
  const found = await admin.listOffsets(places.map(place => ({ ...place, at })))
  return new Map(found.map(({ partition, offset }) => [partition, offset]))
}

/** `monedula topic delete`. */
export async function deleteTopics(names: readonly string[], options: ClusterOptions): Promise<void> {
  await using admin = toCluster(options).admin(adminPatience)
  await admin.deleteTopics(names)
  for (const name of names) console.log(`deleted ${name}`)
}

function count(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option} ${text}: give a number from 1 on`)
  return Number(text)
}
