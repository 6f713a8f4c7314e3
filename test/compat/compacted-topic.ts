/** A compacted topic of one partition as its files show it, whichever broker keeps them. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type BatchHeader, batches, decodeRecords, type LogRecord } from '../../src/protocol/index.ts'
import type { BrokerProcess } from './broker-process.ts'
import { PATIENCE_MS, sleep } from './process.ts'

const POLL_MS = 20
const LIMITS = { maxBytes: 1 << 24 }

/** Paths of the segments' records, oldest first. */
export function segmentsOf(broker: BrokerProcess, topic: string): string[] {
  const directory = join(broker.logDirectory, `${topic}-0`)
  const logs = readdirSync(directory).filter(name => /^\d+\.log$/.test(name))
  return logs.sort().map(name => join(directory, name))
}

/** The offset that a segment begins with. */
export function baseOffsetOf(path: string): number {
  return Number(/(\d+)\.log$/.exec(path)?.[1] ?? Number.NaN)
}

/** Bytes of all segments but the active one. */
export function closedBytes(broker: BrokerProcess, topic: string): number {
  const closed = segmentsOf(broker, topic).slice(0, -1)
  return closed.reduce((bytes, path) => bytes + statSync(path).size, 0)
}

/** Waits until the cleaner says that it has come to the active segment. */
export async function untilCompacted(broker: BrokerProcess, topic: string, timeoutMs = PATIENCE_MS): Promise<void> {
  const checkpoint = join(broker.logDirectory, 'cleaner-offset-checkpoint')
  const line = new RegExp(`^${topic} 0 (\\d+)$`, 'm')
  for (const deadline = Date.now() + timeoutMs; ; await sleep(POLL_MS)) {
    const text = existsSync(checkpoint) ? readFileSync(checkpoint, 'utf8') : ''
    const cleaned = Number(line.exec(text)?.[1] ?? -1)
    const active = Math.max(...segmentsOf(broker, topic).map(baseOffsetOf))
    if (cleaned === active && active > 0) return
    if (Date.now() > deadline) throw new Error(`${topic} is compacted up to ${cleaned} of ${active}`)
  }
}

/** All records in the files, those that no reader is shown among them, with their batches. */
export function* recordsInFiles(
  broker: BrokerProcess,
  topic: string,
): Generator<{ readonly batch: BatchHeader; readonly record: LogRecord }> {
  for (const path of segmentsOf(broker, topic)) {
    const bytes = readFileSync(path)
    for (const batch of batches(bytes)) {
      for (const record of decodeRecords(bytes, batch, LIMITS)) yield { batch, record }
    }
  }
}
