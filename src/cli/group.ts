import {
  type Admin,
  type GroupDescription,
  KafkaError,
  type PartitionOffset,
  type TopicPartition,
} from '../client/index.ts'
import { eachOf } from './failures.ts'
import type { Place } from './option-values.ts'
import { adminFinder, offsetsOf } from './places.ts'
import { table } from './table.ts'
import { adminOptions, type ClusterOptions, toCluster } from './to-cluster.ts'

/** `monedula group list`. */
export async function listGroups(options: ClusterOptions): Promise<void> {
  await using admin = toCluster(options).admin(adminOptions(options))
  const groups = await admin.listConsumerGroups()
  console.log(
    table(
      ['GROUP', 'STATE'],
      groups.map(({ groupId, state }) => [groupId, state]),
    ),
  )
}

/** `monedula group describe`: what a group has committed, what is left, and who reads it. */
export async function describeGroup(groupId: string, options: ClusterOptions): Promise<void> {
  await using admin = toCluster(options).admin(adminOptions(options))
  const [group, committed] = await existing(admin, groupId)
  const owned = group.members.flatMap(({ assignment }) => assignment)
  const rest = owned.filter(one => !committed.some(other => isSame(one, other)))
  const partitions = [...committed, ...rest].map(({ topic, partition }) => ({ topic, partition }))
  const ends = await endsOf(admin, partitions)
  const rows = partitions.map((one, index) => {
    const offset = committed[index]?.offset
    const end = ends.get(nameOf(one))
    const lag = offset === undefined || end === undefined ? undefined : Math.max(0, end - offset)
    const owner = group.members.find(({ assignment }) => assignment.some(other => isSame(one, other)))
    return [one.topic, one.partition, offset, end, lag, owner?.memberId, owner?.clientId, owner?.host].map(shown)
  })
  console.log(`${groupId}: ${group.state}, members: ${group.members.length}`)
  console.log(table(['TOPIC', 'PARTITION', 'OFFSET', 'END', 'LAG', 'MEMBER', 'CLIENT', 'HOST'], rows))
  const idle = group.members.filter(({ assignment }) => assignment.length === 0)
  for (const { memberId, clientId, host } of idle) console.log(`${memberId} (${clientId}, ${host}) reads nothing`)
}

const shown = (value: string | number | undefined): string => (value === undefined ? '-' : String(value))
const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
const isSame = (one: TopicPartition, other: TopicPartition): boolean => nameOf(one) === nameOf(other)

/** @throws Error for a group that has neither members nor offsets: brokers do not tell it from one that never was */
async function existing(
  admin: Admin,
  groupId: string,
): Promise<readonly [group: GroupDescription, committed: readonly PartitionOffset[]]> {
  const [[group], committed] = await Promise.all([
    admin.describeConsumerGroups([groupId]).catch(absent),
    admin.listConsumerGroupOffsets(groupId).catch(absent),
  ])
  if (group === undefined || (group.state === 'Dead' && committed.length === 0)) {
    throw new Error(`there is no group ${groupId}; monedula group list names those that there are`)
  }
  return [group, committed]
}

/** Brokers from 4.0 on refuse to describe a group that there is not. */
function absent(error: unknown): [] {
  if (error instanceof KafkaError && error.code === 'GROUP_ID_NOT_FOUND') return []
  throw error
}

/** Ends of partitions; without those of topics that are gone, whose offsets a group keeps for a while. */
async function endsOf(admin: Admin, partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
  const names = new Set((await admin.listTopics()).map(({ name }) => name))
  const there = partitions.filter(({ topic }) => names.has(topic))
  const ends = await admin.listOffsets(there.map(one => ({ ...one, at: 'latest' as const })))
  return new Map(ends.map(one => [nameOf(one), one.offset]))
}

export interface ResetGroupOptions extends ClusterOptions {
  readonly to: Place
  /** Only partitions of these topics; all that the group has committed when left out. */
  readonly topic?: readonly string[]
  readonly dryRun?: boolean
}

/** `monedula group reset`: puts a group without members elsewhere. */
export async function resetGroup(groupId: string, options: ResetGroupOptions): Promise<void> {
  await using admin = toCluster(options).admin(adminOptions(options))
  const committed = await admin.listConsumerGroupOffsets(groupId).catch(absent)
  const topics = options.topic ?? [...new Set(committed.map(({ topic }) => topic))]
  if (topics.length === 0) throw new Error(`group ${groupId} has committed nothing: name a --topic`)
  const described = await admin.describeTopics(topics)
  const partitions = described.flatMap(({ name, partitions }) =>
    partitions.map(({ partition }) => ({ topic: name, partition })),
  )
  const offsets = await offsetsOf(adminFinder(admin), partitions, options.to)
  if (!options.dryRun) {
    try {
      await admin.alterConsumerGroupOffsets(groupId, offsets)
    } catch (error) {
      const isBusy = error instanceof KafkaError && error.code === 'UNKNOWN_MEMBER_ID'
      if (!isBusy) throw error
      throw new Error(`group ${groupId} has members: end them first, then reset it`, { cause: error })
    }
  }
  const before = new Map(committed.map(one => [nameOf(one), one.offset]))
  console.log(
    table(
      ['TOPIC', 'PARTITION', 'BEFORE', 'NOW'],
      offsets.map(one => [one.topic, one.partition, before.get(nameOf(one)), one.offset].map(shown)),
    ),
  )
}

/** `monedula group delete`. */
export async function deleteGroups(groupIds: readonly string[], options: ClusterOptions): Promise<void> {
  await using admin = toCluster(options).admin(adminOptions(options))
  await eachOf(groupIds, async groupId => {
    await admin.deleteConsumerGroups([groupId])
    console.log(`deleted ${groupId}`)
  })
}
