import { table } from './table.ts'
import { adminPatience, type ClusterOptions, toCluster } from './to-cluster.ts'

/** `monedula group list`. */
export async function listGroups(options: ClusterOptions): Promise<void> {
  await using admin = toCluster(options).admin(adminPatience)
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
  await using admin = toCluster(options).admin(adminPatience)
  const [[group], committed] = await Promise.all([
    admin.describeConsumerGroups([groupId]),
    admin.listConsumerGroupOffsets(groupId),
  ])
  if (group?.state === 'Dead' && committed.length === 0) throw new Error(`there is no group ${groupId}`)
  const ends = await admin.listOffsets(
    committed.map(({ topic, partition }) => ({ topic, partition, at: 'latest' as const })),
  )
  const rows = committed.map(({ topic, partition, offset }, index) => {
    const end = ends[index]?.offset ?? -1
    const owner = group?.members.find(({ assignment }) =>
      assignment.some(one => one.topic === topic && one.partition === partition),
    )
    return [topic, partition, offset, end, Math.max(0, end - offset), owner?.memberId ?? '-'].map(String)
  })
  console.log(`${groupId}: ${group?.state}, members: ${group?.members.length}`)
  console.log(table(['TOPIC', 'PARTITION', 'OFFSET', 'END', 'LAG', 'MEMBER'], rows))
}
