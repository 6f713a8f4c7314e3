import type { BatchHeader } from '../../../src/protocol/everything.ts'
import type { Isolation, ReadRecord } from '../../../src/testing/history/index.ts'
import { DESCRIBE_LOG_DIRS } from './apis.ts'
import { committedOffset } from './group-offsets.ts'
import { abortHangingTransactions } from './hanging-transactions.ts'
import { Peer } from './peer.ts'
import { listOffset, readOnce } from './reading.ts'
import { SHORT_SEGMENT_BYTES, TOPIC } from './settings.ts'
import { TRANSFORMED, TRANSFORMER_GROUP } from './transactional-producer.ts'
import type { World } from './world.ts'

/** Reads all that is there when everybody is done, and writes it into the history. */
export async function audit(world: World, groups: readonly string[]): Promise<void> {
  const peer = new Peer(world, 'auditor', 1)
  if (world.losses > 0) await abortHangingTransactions(world, peer)
  await checkMoves(world, peer)
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

/** Reads a whole partition, and writes it into the history; its batches have to follow each other. */
export async function auditPartition(
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
  let bytes = 0
  let before: BatchHeader | undefined
  const ends = new Set([start])
  const written = new Map<number, number>()
  for (;;) {
    const reading = await readOnce(world, peer, { topic, partition, isolation, offset: position })
    if (reading.errorCode !== 0) world.fail(`${where} answers error ${reading.errorCode} at ${position}`)
    for (const header of reading.headers) {
      checkNeighbours(world, where, before, header)
      checkMarker(world, where, written, header)
      before = header
      ends.add(header.lastOffset + 1)
    }
    records.push(...reading.records.map(({ offset, epoch, value }) => ({ offset, epoch, value })))
    if (reading.next === position) {
      // The cleaner may have taken the last records for later ones that were lost with the power.
      const isWhole = world.losses === 0 || topic !== TOPIC.keyed
      if (position !== reading.highWatermark && isWhole) {
        world.fail(`${where} has a transaction that never ends: read to ${position} of ${reading.highWatermark}`)
      }
      break
    }
    bytes += reading.headers.reduce((sum, { length }) => sum + length, 0)
    position = reading.next
  }
  if (isolation === 'uncommitted') {
    checkRetention(world, where, start, bytes)
    checkSegments(world, where, start, ends)
  }
  world.history.note({ kind: 'audit', partition: where, isolation }, { offset: start, records })
  return records
}

/**
 * A segment begins where a batch before it ends, also behind a compaction. A recovery takes anything else for a loss, and the
 * end of the log could go back.
 */
function checkSegments(world: World, where: string, start: number, ends: ReadonlySet<number>): void {
  if (world.losses > 0) return
  const { disk, server } = world.broker
  for (const { log } of server?.services.replicas.partitions() ?? []) {
    if (log === undefined || `${log.topicPartition.topic}-${log.topicPartition.partition}` !== where) continue
    for (const name of disk.list(log.path)) {
      const base = name.endsWith('.log') ? Number.parseInt(name, 10) : start
      if (base > start && !ends.has(base)) world.fail(`${where}: a segment begins at ${base}, and no batch ends there`)
    }
  }
}

/** A topic that is to lose its oldest records has not lost more than it should, nor kept too much. */
function checkRetention(world: World, where: string, start: number, bytes: number): void {
  const { retention, durability } = world.settings
  if (where !== `${TOPIC.short}-0` || !('bytes' in retention)) return
  const isTooLittle = start > 0 && bytes < retention.bytes && durability !== 'lossy'
  const isTooMuch = bytes > retention.bytes + 2 * SHORT_SEGMENT_BYTES
  if (isTooLittle || isTooMuch)
    world.fail(`${where} has ${bytes} bytes from ${start} on, and is to keep ${retention.bytes}`)
}

/** Every move to another directory has come to its end. */
async function checkMoves(world: World, peer: Peer): Promise<void> {
  const { results } = await peer.call(DESCRIBE_LOG_DIRS, { topics: null })
  const seen = new Map<string, string>()
  for (const { logDir, errorCode, topics } of results) {
    if (errorCode !== 0) world.fail(`directory ${logDir} answers error ${errorCode}`)
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, isFutureKey } of partitions) {
        const where = `${name}-${partitionIndex}`
        if (isFutureKey) world.fail(`${where} is still being moved to ${logDir}`)
        const other = seen.get(where)
        if (other !== undefined) world.fail(`${where} is in ${other} and in ${logDir}`)
        seen.set(where, logDir)
      }
    }
  }
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

/** Where each transaction has an epoch, its markers are in the next one; `written` has the epoch that each producer wrote in last. */
function checkMarker(world: World, where: string, written: Map<number, number>, header: BatchHeader): void {
  const { isControl, baseOffset, producerId, producerEpoch } = header
  if (!isControl) written.set(producerId, producerEpoch)
  else if (written.get(producerId) === producerEpoch && world.endedEpochs.has(`${producerId}/${producerEpoch}`)) {
    // What a coordinator has lost with the power an operator aborts in the epoch that he finds.
    if (world.losses === 0) world.fail(`${where}: the marker at ${baseOffset} is in the epoch of its transaction`)
  }
}

async function settledOffset(
  world: World,
  peer: Peer,
  group: string,
  place: { topic: string; partition: number },
): Promise<number> {
  const offset = await committedOffset(world, peer, group, place)
  if (offset === undefined) {
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
