import { ErrorCode } from '../../../src/protocol/everything.ts'
import { OFFSET_FETCH, RETRIABLE, since } from './apis.ts'
import type { Peer } from './peer.ts'
import { ignoreUnavailable } from './plain-producer.ts'
import type { World } from './world.ts'

/** Versions of OffsetFetch since which it may wait for transactions (KIP-447) and asks for several groups. */
const FIRST_WITH = { requireStable: 7, groups: 8 } as const

/**
 * The settled offset of a group, -1 where it has none; undefined when nobody says so for long. Whoever asks in an old version
 * does not wait for transactions, so nobody may commit with one in the group then: `isTransactional` is false.
 */
export async function committedOffset(
  world: World,
  peer: Peer,
  groupId: string,
  { topic, partition, isTransactional = false }: { topic: string; partition: number; isTransactional?: boolean },
): Promise<number | undefined> {
  const id = world.history.invoke({ kind: 'fetch-offset', group: groupId, partition: `${topic}-${partition}` })
  const api = offsetFetchApi(isTransactional)
  for (let attempt = 0; attempt < 20; attempt++) {
    const answer = await fetchOffset(world, peer, api, { groupId, topic, partition }).catch(ignoreUnavailable)
    const errorCode = answer === undefined ? ErrorCode.REQUEST_TIMED_OUT : answer.errorCode
    if (errorCode === 0) {
      world.history.ok(id, { offset: answer!.offset })
      return answer!.offset
    }
    if (!RETRIABLE.has(errorCode)) world.fail(`OffsetFetch of ${groupId}: error ${errorCode}`)
    await world.sleep(100 + world.random.below(200))
  }
  world.history.info(id)
  return undefined
}

function offsetFetchApi(isTransactional: boolean) {
  return since(OFFSET_FETCH, isTransactional ? FIRST_WITH.requireStable : 0)
}

/** @throws Unavailable */
async function fetchOffset(
  world: World,
  peer: Peer,
  api: ReturnType<typeof offsetFetchApi>,
  { groupId, topic, partition }: { readonly groupId: string; readonly topic: string; readonly partition: number },
): Promise<{ readonly errorCode: number; readonly offset: number }> {
  const version = peer.version(api)
  const topics = [{ name: topic, topicId: world.topicId(topic), partitionIndexes: [partition] }]
  const requireStable = version >= FIRST_WITH.requireStable
  const request =
    version >= FIRST_WITH.groups
      ? { groups: [{ groupId, topics }] }
      : { groupId, topics: [{ name: topic, partitionIndexes: [partition] }] }
  const answer = await peer.call(api, { ...request, requireStable })
  const group = version >= FIRST_WITH.groups ? answer.groups[0] : answer
  const found = group?.topics[0]?.partitions[0]
  const errorCode = group?.errorCode || (found?.errorCode ?? ErrorCode.REQUEST_TIMED_OUT)
  return { errorCode, offset: found?.committedOffset ?? -1 }
}
