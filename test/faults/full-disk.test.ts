/** Disks that fill up: beside a healthy one, when topics are deleted, and where there is no other. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createTopics } from '../compat/create-topics.ts'
import { withAdmin } from '../compat/directory-copy.ts'
import { until } from '../compat/process.ts'
import { report } from './cycles.ts'
import { IdempotentLoad } from './idempotent-load.ts'
import { diskOrSkip } from './loop-disk.ts'
import { ends } from './partition-reader.ts'
import {
  comesBack,
  otherDirectoryLives,
  type TwoDirectories,
  untilRefused,
  withTwoDirectories,
} from './two-directories.ts'
import { withBroker } from './with-broker.ts'

/** Free space in KiB when the fault begins: the disk is full at an append, an index, a roll or a snapshot. */
const FREE_KIB = [16, 40, 100, 180, 260]

/** A disk and the file on it that takes what space it has. */
interface Fillable {
  readonly path: string
  fill(freeKib: number): void
  makeSpace(): void
}

async function withFillableDisk(
  context: TestContext,
  megabytes: number,
  body: (disk: Fillable) => Promise<void>,
): Promise<void> {
  const disk = await diskOrSkip(context, { megabytes })
  if (disk === undefined) return
  const ballast = join(disk.path, 'ballast')
  try {
    await body({
      path: disk.path,
      fill: freeKib => {
        const { bavail, bsize } = statfsSync(disk.path)
        writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - freeKib * 1024)))
      },
      makeSpace: () => rmSync(ballast),
    })
  } finally {
    await disk.dispose()
  }
}

test('a full disk gives storage errors and no false acknowledgement, the other directory lives, and space heals it', async context => {
  await withFillableDisk(context, 16, async disk => {
    const frail = join(disk.path, 'logs')
    mkdirSync(frail)
    let refusals = 0
    const audit = await withTwoDirectories(frail, {}, async parts => {
      for (const freeKib of FREE_KIB) {
        disk.fill(freeKib)
        refusals += await untilRefused(parts)
        await otherDirectoryLives(parts)
        await parts.broker.killHard()
        disk.makeSpace()
        await parts.broker.restart()
        await comesBack(parts)
      }
    })
    report(context.name, { 'times full': FREE_KIB.length, 'storage errors': refusals, ...audit })
  })
})

test('while a disk is full a topic can be deleted, which frees the other directory at once and this one with the next start', async context => {
  await withFillableDisk(context, 16, async disk => {
    const frail = join(disk.path, 'logs')
    mkdirSync(frail)
    const properties = { 'log.segment.delete.delay.ms': '100' }
    const body = async (parts: TwoDirectories): Promise<void> => {
      const { broker, topic, load } = parts
      disk.fill(100)
      const refusals = await untilRefused(parts)
      await load.stop()
      const foundIn = (directory: string): string[] => readdirSync(directory).filter(name => name.startsWith(topic))
      assert.equal(foundIn(broker.logDirectory).length, parts.healthy.length)
      await withAdmin(broker, admin => admin.deleteTopics({ topics: [topic] }))
      await until('the logs to go from the healthy disk', () => foundIn(broker.logDirectory).length === 0)
      assert.equal(foundIn(frail).length, parts.struck.length)
      await broker.killHard()
      disk.makeSpace()
      await broker.restart()
      await until('the logs to go from the disk that was full', () => foundIn(frail).length === 0)
      await createTopics(broker, [{ topic, numPartitions: 4 }])
      for (const partition of [...parts.healthy, ...parts.struck]) {
        assert.equal((await ends(broker.port, { topic, partition })).highWatermark, 0)
      }
      report(context.name, { 'storage errors': refusals, 'records acknowledged before': load.acknowledged })
    }
    await withTwoDirectories(frail, properties, body, { isAudited: false })
  })
})

test('a broker whose only disk is full halts, also when it is started there again, and has everything when there is space', async context => {
  await withFillableDisk(context, 24, async disk => {
    const logs = join(disk.path, 'logs')
    await withBroker({ properties: { 'log.dirs': logs } }, async broker => {
      const topic = { name: 'numbers', partitions: 2 }
      await createTopics(broker, [{ topic: topic.name, numPartitions: topic.partitions }])
      const load = new IdempotentLoad(broker.port, topic, 1_000)
      await load.start()
      await load.more(100)
      disk.fill(100)
      await until('the broker to halt', () => !broker.isRunning)
      assert.match(broker.log, /Halting: all log directories have failed/)
      assert.ok(existsSync(join(disk.path, 'ballast')))
      // A few blocks are free again at times, and then it comes as far as its first append.
      const again = await broker.spawn()
      assert.equal(await again.ended(), 1)
      assert.match(again.stdout, /(Cannot start|log directory goes offline): .*ENOSPC/)
      assert.doesNotMatch(again.stdout + again.stderr, /\n\s+at /, 'no stack trace')
      disk.makeSpace()
      await broker.restart()
      await load.more(100)
      await load.stop()
      report(context.name, { halts: 2, ...(await load.audit()) })
    })
  })
})
