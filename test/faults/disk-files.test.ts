/** One file of a log directory after the other has no space or cannot be read; the other directory serves on. */
import assert from 'node:assert/strict'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { withFrailDirectory } from './frail-directory.ts'
import { fetchOnce } from './partition-reader.ts'
import { FaultInForce } from './system-call-faults.ts'
import {
  acknowledged,
  comesBack,
  otherDirectoryLives,
  type TwoDirectories,
  untilRefused,
  withTwoDirectories,
} from './two-directories.ts'

const WRITES = ['pwrite64', 'pwritev', 'pwritev2', 'write', 'writev']
const READS = ['pread64', 'preadv', 'read', 'readv']
const OPENINGS = ['open', 'openat']
/** Checkpoints are written while the fault is in force. */
const PROPERTIES = { 'log.flush.offset.checkpoint.interval.ms': '100', 'log.flush.scheduler.interval.ms': '50' }

interface Strike {
  readonly calls: readonly string[]
  readonly files: (parts: TwoDirectories, frail: string) => string[]
  /** The name of the file that is to be hit. */
  readonly hit: RegExp
}

const STRIKES: readonly Strike[] = [
  { calls: WRITES, files: parts => [...parts.files('.log'), ...parts.filesToCome('log')], hit: /\.log$/ },
  { calls: WRITES, files: parts => indexes(parts, 'index'), hit: /\.index$/ },
  { calls: WRITES, files: parts => indexes(parts, 'timeindex'), hit: /\.timeindex$/ },
  { calls: WRITES, files: parts => parts.filesToCome('snapshot'), hit: /\.snapshot$/ },
  { calls: OPENINGS, files: parts => parts.filesToCome('log'), hit: /\.log$/ },
  {
    calls: WRITES,
    files: (_parts, frail) => [join(frail, 'recovery-point-offset-checkpoint.tmp')],
    hit: /^recovery-point-offset-checkpoint/,
  },
]

/** The file of the segments that are appended to now and of those to come. */
function indexes(parts: TwoDirectories, kind: string): string[] {
  return [...parts.files('.log').map(path => path.replace(/log$/, kind)), ...parts.filesToCome(kind)]
}

test('no space for an append, an index, a snapshot, a roll or a checkpoint takes the directory offline, each for itself', async context => {
  await withFrailDirectory(context, async frail => {
    let failed = 0
    const hit: string[] = []
    const audit = await withTwoDirectories(frail, PROPERTIES, async parts => {
      for (const strike of STRIKES) {
        const files = strike.files(parts, frail)
        const fault = await FaultInForce.on(parts.broker.pid, { calls: strike.calls, effect: 'error=ENOSPC', files })
        await untilRefused(parts)
        failed += fault.fired
        const struck = [...fault.struck].map(path => basename(path))
        assert.ok(struck.length > 0 && struck.every(name => strike.hit.test(name)), `${strike.hit}: hit ${struck}`)
        hit.push(...struck)
        await fault.lift()
        const before = acknowledged(parts.load, parts.struck)
        await otherDirectoryLives(parts)
        assert.equal(acknowledged(parts.load, parts.struck), before, 'nothing is acknowledged after the fault')
        await parts.broker.killHard()
        await parts.broker.restart()
        await comesBack(parts)
      }
    })
    return { 'kinds of files': STRIKES.length, 'files hit': hit.length, 'calls failed': failed, ...audit }
  })
})

test('records that cannot be read give storage errors and take the directory offline', async context => {
  await withFrailDirectory(context, async frail => {
    let failed = 0
    const audit = await withTwoDirectories(frail, {}, async parts => {
      // Memory holds what was appended a moment ago: nothing after a start.
      await parts.load.more(600)
      await parts.broker.killHard()
      await parts.broker.restart()
      const files = parts.files('.log')
      const fault = await FaultInForce.on(parts.broker.pid, { calls: READS, effect: 'error=EIO', files })
      const client = await ProtocolClient.open(parts.broker.port)
      const [partition = -1] = parts.struck
      const [other = -1] = parts.healthy
      const { error, records } = await fetchOnce(client, { topic: parts.topic, partition })
      assert.equal(error, 'KAFKA_STORAGE_ERROR')
      assert.equal(records.length, 0)
      assert.equal((await fetchOnce(client, { topic: parts.topic, partition: other })).error, 'NONE')
      await untilRefused(parts)
      failed = fault.fired
      assert.ok([...fault.struck].every(path => files.includes(path)) && failed > 0)
      await fault.lift()
      assert.match((await fetchOnce(client, { topic: parts.topic, partition })).error, /STORAGE|LEADER/)
      client.close()
      await otherDirectoryLives(parts)
      await parts.broker.killHard()
      await parts.broker.restart()
      await comesBack(parts)
    })
    return { 'reads failed': failed, ...audit }
  })
})
