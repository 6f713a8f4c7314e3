/** The power fails: all that was not synced is gone, on a real file system. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createTopics } from '../compat/create-topics.ts'
import { sleep } from '../compat/process.ts'
import { cycles, report } from './cycles.ts'
import { IdempotentLoad } from './idempotent-load.ts'
import { type DiskOptions, diskOrSkip } from './loop-disk.ts'
import { withBroker } from './with-broker.ts'

const TOPIC = { name: 'numbers', partitions: 2 }
const SYNCED = { 'log.flush.interval.messages': '1', 'offsets.topic.num.partitions': '2' }

test('with log.flush.interval.messages=1 no acknowledged record is lost in a power cut', async context => {
  await cutRepeatedly(context, { megabytes: 128 }, cycles(50))
})

test('a torn or zero-filled tail after a power cut is cut off and never read as records', async context => {
  const disk = { megabytes: 128, mountOptions: 'data=writeback,nodelalloc' }
  await cutRepeatedly(context, disk, Math.ceil(cycles(50) / 5))
})

async function cutRepeatedly(context: TestContext, options: DiskOptions, cuts: number): Promise<void> {
  const disk = await diskOrSkip(context, options)
  if (disk === undefined) return
  let lostFiles = 0
  try {
    await withBroker({ directory: join(disk.path, 'broker'), properties: SYNCED }, async broker => {
      const configEntries = [{ name: 'segment.bytes', value: '32768' }]
      await createTopics(broker, [{ topic: TOPIC.name, numPartitions: TOPIC.partitions, configEntries }])
      const load = new IdempotentLoad(broker.port, TOPIC)
      await load.start()
      for (let cut = 0; cut < cuts; cut++) {
        await load.more(50)
        const unsynced = join(disk.path, `unsynced-${cut}`)
        writeFileSync(unsynced, 'gone')
        await holdStill(broker.pid)
        await disk.cutPower()
        await broker.killHard()
        await disk.unmount()
        await disk.mount()
        if (!existsSync(unsynced) || readFileSync(unsynced, 'utf8') !== 'gone') lostFiles++
        await broker.restart()
      }
      await load.more(50)
      await load.stop()
      const audit = await load.audit()
      assert.ok(audit.acknowledged >= cuts * 50)
      assert.ok(lostFiles >= cuts / 2, `only ${lostFiles} of ${cuts} cuts lost a file that nobody had synced`)
      report(context.name, { cuts, 'that lost unsynced bytes': lostFiles, ...audit })
    })
  } finally {
    await disk.dispose()
  }
}

/**
 * Stops every thread of a process between two system calls. An fdatasync that runs into the shutdown of ext4 may say that
 * it succeeded when it did not (a bare program of pwrite and fdatasync loses a write it was promised in about two cuts of
 * a hundred), which a disk that loses its power does not do.
 */
async function holdStill(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  const isStill = (): boolean =>
    readdirSync(`/proc/${pid}/task`).every(thread =>
      /\) T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')),
    )
  for (let waited = 0; !isStill(); waited++) {
    assert.ok(waited < 10_000, `process ${pid} does not stop`)
    await sleep(1)
  }
}
