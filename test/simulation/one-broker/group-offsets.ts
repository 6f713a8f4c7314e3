import { ErrorCode } from '../../../src/protocol/everything.ts'
import { OFFSET_FETCH, RETRIABLE } from './apis.ts'
import type { Peer } from './peer.ts'
import { ignoreUnavailable } from './plain-producer.ts'
import type { World } from './world.ts'

/** The settled offset of a group, -1 where it has none; undefined when nobody says so for long. */
export async function committedOffset(
  world: World,
  peer: Peer,
  groupId: string,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): Promise<number | undefined> {
  const id = world.history.invoke({ kind: 'fetch-offset', group: groupId, partition: `${topic}-${partition}` })
  const groups = [{ groupId, topics: [{ name: topic, partitionIndexes: [partition] }] }]
  for (let attempt = 0; attempt < 20; attempt++) {
    const answer = await peer.call(OFFSET_FETCH, { groups, requireStable: true }).catch(ignoreUnavailable)
    const group = answer?.groups[0]
    const found = group?.topics[0]?.partitions[0]
    const errorCode = group?.errorCode || (found?.errorCode ?? ErrorCode.REQUEST_TIMED_OUT)
    if (errorCode === 0) {
      world.history.ok(id, { offset: found!.committedOffset })
      return found!.committedOffset
    }
    if (!RETRIABLE.has(errorCode)) world.fail(`OffsetFetch of ${groupId}: error ${errorCode}`)
    await world.sleep(100 + world.random.below(200))
  }
  world.history.info(id)
  return undefined
}
