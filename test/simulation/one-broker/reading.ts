import * as p from '../../../src/protocol/everything.ts'
import type { Isolation, ReadRecord } from '../../../src/testing/history/index.ts'
import { FETCH, LIST_OFFSETS, since } from './apis.ts'
import type { Peer } from './peer.ts'
import { Unavailable } from './peer.ts'
import type { World } from './world.ts'

/** What one fetch of a partition gave. */
export interface Reading {
  readonly errorCode: number
  readonly records: readonly (ReadRecord & { readonly key: string | undefined })[]
  /** Where to read on. */
  readonly next: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** All batches, control batches too. */
  readonly headers: readonly p.BatchHeader[]
}

/** More than anything here is large. */
const WHOLE_BYTES = 1 << 20

/** Where to read. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly isolation: Isolation
  readonly offset: number
  readonly maxBytes?: number
  readonly maxWaitMs?: number
}

/** Versions of Fetch since which no message is cut in two, and readers may ask for committed records alone. */
const FIRST_WITH = { wholeBatches: 3, isolation: 4 } as const

/** Reads once, as a consumer does: sums are checked, and what was aborted is left out for readers of committed records. */
export async function readOnce(world: World, peer: Peer, place: Place): Promise<Reading> {
  const { topic, partition, isolation, offset, maxWaitMs = 0 } = place
  const api = since(FETCH, isolation === 'committed' ? FIRST_WITH.isolation : 0)
  const version = peer.version(api)
  const maxBytes = version < FIRST_WITH.wholeBatches ? WHOLE_BYTES : (place.maxBytes ?? WHOLE_BYTES)
  const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: maxBytes }]
  const { responses } = await peer.call(api, {
    isolationLevel: isolation === 'committed' ? 1 : 0,
    maxWaitMs,
    minBytes: 1,
    maxBytes,
    topics: [{ topic, topicId: world.topicId(topic), partitions }],
  })
  const answer = responses[0]?.partitions[0]
  if (answer === undefined) throw new Unavailable('the answer has no partition')
  return readingOf(world, place, answer)
}

type Answer = p.FetchResponse['responses'][number]['partitions'][number]

/** What an answer to a fetch means for a consumer, which holds it against what must be so. */
export function readingOf(world: World, { topic, partition, isolation, offset }: Place, answer: Answer): Reading {
  const { errorCode, highWatermark, lastStableOffset, logStartOffset } = answer
  const where = `${topic}-${partition}`
  const bytes = answer.records ?? new Uint8Array(0)
  // Versions before those of committed records tell neither.
  const knownStable = lastStableOffset < 0 ? highWatermark : lastStableOffset
  if (errorCode === 0 && !(logStartOffset <= knownStable && knownStable <= highWatermark)) {
    world.fail(`${where} has start ${logStartOffset}, LSO ${lastStableOffset}, HW ${highWatermark}`)
  }
  if (errorCode === 0 && offset < logStartOffset) world.fail(`${where} is read at ${offset}, below ${logStartOffset}`)
  const limit = isolation === 'committed' ? lastStableOffset : highWatermark
  const headers = [...p.batches(bytes)]
  for (const header of headers) {
    if (!p.batchCrcValid(bytes, header)) world.fail(`batch ${header.baseOffset} of ${where} is broken`)
    if (header.lastOffset >= limit) world.fail(`batch ${header.baseOffset} of ${where} was read above ${limit}`)
  }
  const records = visibleRecords(bytes, headers, isolation === 'committed' ? (answer.abortedTransactions ?? []) : [])
  return {
    errorCode,
    records: records.filter(record => record.offset >= offset),
    next: headers.length === 0 ? offset : headers.at(-1)!.lastOffset + 1,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    headers,
  }
}

function visibleRecords(
  bytes: Uint8Array,
  headers: readonly p.BatchHeader[],
  abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[],
) {
  const waiting = [...abortedTransactions].sort((left, right) => left.firstOffset - right.firstOffset)
  const aborted = new Set<number>()
  const records: (ReadRecord & { readonly key: string | undefined })[] = []
  for (const header of headers) {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= header.lastOffset) {
      aborted.add(waiting.shift()!.producerId)
    }
    if (header.isControl) aborted.delete(header.producerId)
    if (header.isControl || (header.isTransactional && aborted.has(header.producerId))) continue
    for (const record of p.decodeRecords(bytes, header, { maxBytes: 1 << 20 })) {
      const value = Buffer.from(record.value ?? []).toString()
      const key = record.key === null || record.key === undefined ? undefined : Buffer.from(record.key).toString()
      records.push({ offset: record.offset, epoch: header.partitionLeaderEpoch, value, key })
    }
  }
  return records
}

/** The first offset of a partition, or with `-1` the one behind the last that may be read; undefined when nobody says. */
export async function listOffset(
  peer: Peer,
  { topic, partition }: { topic: string; partition: number },
  timestamp: -1 | -2,
  isolation: Isolation = 'uncommitted',
): Promise<number | undefined> {
  const request = {
    replicaId: -1,
    isolationLevel: isolation === 'committed' ? 1 : 0,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }],
  }
  const { topics } = await peer.call(since(LIST_OFFSETS, isolation === 'committed' ? 2 : 0), request)
  const answer = topics[0]?.partitions[0]
  return answer?.errorCode === 0 ? answer.offset : undefined
}
