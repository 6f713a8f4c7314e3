import type { BatchHeader } from '../../../src/protocol/everything.ts'
import type { Isolation, ReadRecord } from '../../../src/testing/history/index.ts'
import { committedOffset } from './group-offsets.ts'
import { Peer } from './peer.ts'
import { listOffset, readOnce } from './reading.ts'
import { TOPIC } from './settings.ts'
import { TRANSFORMED, TRANSFORMER_GROUP } from './transactional-producer.ts'
import type { World } from './world.ts'

/** Reads all that is there when everybody is done, and writes it into the history. */
export async function audit(world: World, groups: readonly string[]): Promise<void> {
  const peer = new Peer(world, 'auditor')
  for (const { name, partitions } of world.settings.topics) {
    for (let partition = 0; partition < partitions; partition++) {
      for (const isolation of ['uncommitted', 'committed'] as const) {
        await auditPartition(world, peer, { topic: name, partition, isolation })
      }
    }
  }
  for (const group of groups) {
    for (const partition of [0, 1]) await settledOffset(world, peer, group, { topic: TOPIC.plain, partition })
  }
  await checkTransformer(world, peer)
  peer.close()
}

async function auditPartition(
  world: World,
  peer: Peer,
  { topic, partition, isolation }: { topic: string; partition: number; isolation: Isolation },
): Promise<ReadRecord[]> {
  const where = `${topic}-${partition}`
  const start = await listOffset(peer, { topic, partition }, -2)
  if (start === undefined) {
    world.fail(`${where} cannot be read`)
    return []
  }
  if (start > 0) world.count('start moved')
  const records: ReadRecord[] = []
  let position = start
  let before: BatchHeader | undefined
  for (;;) {
    const reading = await readOnce(world, peer, { topic, partition, isolation, offset: position })
    if (reading.errorCode !== 0) world.fail(`${where} answers error ${reading.errorCode} at ${position}`)
    for (const header of reading.headers) {
      checkNeighbours(world, where, before, header)
      before = header
    }
    records.push(...reading.records.map(({ offset, epoch, value }) => ({ offset, epoch, value })))
    if (reading.next === position) {
      const isLossy = world.settings.durability === 'lossy'
      if (position !== reading.highWatermark && !isLossy) {
        world.fail(`${where} has a transaction that never ends: read to ${position} of ${reading.highWatermark}`)
      }
      break
    }
    position = reading.next
  }
  world.history.note({ kind: 'audit', partition: where, isolation }, { offset: start, records })
  return records
}

/** Offsets are dense and epochs rise. */
function checkNeighbours(world: World, where: string, before: BatchHeader | undefined, header: BatchHeader): void {
  if (before === undefined) return
  const isDense = header.baseOffset === before.lastOffset + 1
  const isCompacted = where.startsWith(TOPIC.keyed) && header.baseOffset > before.lastOffset
  if (!isDense && isCompacted) world.count('compacted')
  if (!isDense && !isCompacted) world.fail(`${where}: batch ${header.baseOffset} follows ${before.lastOffset}`)
  if (header.partitionLeaderEpoch < before.partitionLeaderEpoch) {
    world.fail(`${where}: epoch ${header.partitionLeaderEpoch} follows ${before.partitionLeaderEpoch}`)
  }
}

async function settledOffset(
  world: World,
  peer: Peer,
  group: string,
  place: { topic: string; partition: number },
): Promise<number> {
  const offset = await committedOffset(world, peer, group, place)
  if (offset === undefined && world.settings.durability !== 'lossy') {
    world.fail(`the offset of ${group} in ${place.topic}-${place.partition} is never settled`)
  }
  return offset ?? -1
}

/** What the transformer has consumed is in its output once, and in order; what it has not consumed is not there. */
async function checkTransformer(world: World, peer: Peer): Promise<void> {
  const consumed = await settledOffset(world, peer, TRANSFORMER_GROUP, TRANSFORMED)
  if (world.settings.durability === 'lossy') return
  const read = async (topic: string, partition: number): Promise<readonly ReadRecord[]> =>
    auditPartition(world, peer, { topic, partition, isolation: 'committed' })
  const output = await read(TOPIC.output, 0)
  const input = await read(TRANSFORMED.topic, TRANSFORMED.partition)
  const expected = input.filter(({ offset }) => offset < consumed).map(({ value, offset }) => `${value}@${offset}`)
  const found = output.map(({ value }) => value.slice(0, value.indexOf('>')))
  const wrong = expected.findIndex((value, index) => found[index] !== value)
  if (wrong >= 0) world.fail(`exactly once: output ${wrong} is ${found[wrong]} and not ${expected[wrong]}`)
  else if (found.length > expected.length) {
    world.fail(`exactly once: ${found[expected.length]} is in the output, and ${consumed} is consumed`)
  }
}
