/** Reads a whole partition as a consumer does, and checks the sum of every batch. */
import assert from 'node:assert/strict'
import * as p from '../../src/protocol/everything.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'

const FETCH = [p.FetchRequest, p.FetchResponse] as const
const MAX_BYTES = 8 << 20

/** One record of data; control records are left out. */
export interface StoredRecord {
  readonly offset: number
  /** Null where the record has none. */
  readonly key: string | null
  /** Empty where the record has none. */
  readonly value: string
}

/** Which partition, from which offset (0 unless given), and whether open and aborted transactions are hidden. */
export interface Reading {
  readonly topic: string
  readonly partition: number
  readonly from?: number
  readonly isReadCommitted?: boolean
}

/** What one fetch of the partition gives: the name of its error and the bytes. */
export async function fetchOnce(
  client: ProtocolClient,
  { topic, partition, from = 0, isReadCommitted = false }: Reading,
): Promise<{
  error: string
  records: Uint8Array
  highWatermark: number
  lastStableOffset: number
  aborted: { producerId: number; firstOffset: number }[]
}> {
  const answer = await client.ask(FETCH, 11, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: MAX_BYTES,
    isolationLevel: isReadCommitted ? 1 : 0,
    topics: [{ topic, partitions: [{ partition, fetchOffset: from, partitionMaxBytes: MAX_BYTES }] }],
  })
  const found = answer.responses[0]!.partitions[0]!
  return {
    error: p.errorName(found.errorCode),
    records: found.records ?? new Uint8Array(0),
    highWatermark: found.highWatermark,
    lastStableOffset: found.lastStableOffset,
    aborted: (found.abortedTransactions ?? []).map(({ producerId, firstOffset }) => ({ producerId, firstOffset })),
  }
}

/** High watermark and last stable offset of a partition. */
export async function ends(
  port: number,
  reading: Reading,
): Promise<{ highWatermark: number; lastStableOffset: number }> {
  const client = await ProtocolClient.open(port)
  try {
    const { error, highWatermark, lastStableOffset } = await fetchOnce(client, reading)
    assert.equal(error, 'NONE', `${reading.topic}-${reading.partition}`)
    return { highWatermark, lastStableOffset }
  } finally {
    client.close()
  }
}

/** Every record of data of a partition up to its high watermark or last stable offset. */
export async function readPartition(port: number, reading: Reading): Promise<StoredRecord[]> {
  const client = await ProtocolClient.open(port)
  const stored: StoredRecord[] = []
  try {
    for (let from = reading.from ?? 0; ; ) {
      const fetched = await fetchOnce(client, { ...reading, from })
      assert.equal(fetched.error, 'NONE', `${reading.topic}-${reading.partition} at offset ${from}`)
      const end = reading.isReadCommitted ? fetched.lastStableOffset : fetched.highWatermark
      const next = takeRecords(fetched, from, stored)
      if (next >= end || next === from) return stored
      from = next
    }
  } finally {
    client.close()
  }
}

/** Adds the records of a fetch that no aborted transaction holds; returns the offset after them. */
function takeRecords(
  fetched: { records: Uint8Array; aborted: { producerId: number; firstOffset: number }[] },
  from: number,
  stored: StoredRecord[],
): number {
  const waiting = [...fetched.aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<number>()
  let next = from
  for (const header of p.batches(fetched.records)) {
    assert.ok(p.batchCrcValid(fetched.records, header), `the batch at offset ${header.baseOffset} has a wrong sum`)
    while (waiting[0] !== undefined && waiting[0].firstOffset <= header.lastOffset) {
      aborting.add(waiting.shift()!.producerId)
    }
    if (header.isControl) aborting.delete(header.producerId)
    else if (!(header.isTransactional && aborting.has(header.producerId))) {
      for (const { offset, key, value } of p.decodeRecords(fetched.records, header, { maxBytes: MAX_BYTES })) {
        if (offset < from) continue
        const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
        stored.push({ offset, key: key === null ? null : text(key), value: text(value ?? new Uint8Array(0)) })
      }
    }
    next = header.lastOffset + 1
  }
  return next
}
