/** The power fails: all that was not synced is gone, on a real file system. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { run, until } from '../compat/process.ts'
import { cycles, report } from './cycles.ts'
import { IdempotentLoad } from './idempotent-load.ts'
import { lastLogFile, tailOf } from './log-tail.ts'
import { type DiskOptions, diskOrSkip } from './loop-disk.ts'
import { UnsyncedLoad } from './unsynced-load.ts'
import { withBroker } from './with-broker.ts'

const TOPIC = { name: 'numbers', partitions: 2 }
const SYNCED = { 'log.flush.interval.messages': '1', 'offsets.topic.num.partitions': '2' }

test('with log.flush.interval.messages=1 no acknowledged record is lost in a power cut', async context => {
  await cutRepeatedly(context, { megabytes: 128 }, cycles(50))
})

test('a torn or zero-filled tail after a power cut is cut off and never read as records', async context => {
  const disk = { megabytes: 128, mountOptions: 'data=writeback,nodelalloc' }
  const tails = { none: 0, zeros: 0, torn: 0 }
  let load: UnsyncedLoad | undefined
  await cutRepeatedly(context, disk, Math.ceil(cycles(50) / 5), {
    begin: async broker => {
      load = await UnsyncedLoad.start(broker)
    },
    afterCut: directory => {
      tails[tailOf(lastLogFile(directory, UnsyncedLoad.partition))]++
    },
    end: async () => {
      await load?.stop()
      await load?.audit()
    },
  })
  if (load === undefined) return
  assert.ok(tails.zeros + tails.torn > 0, `no cut left a tail: ${JSON.stringify(tails)}`)
  report(context.name, {
    'zero-filled tails': tails.zeros,
    'torn tails': tails.torn,
    'records acknowledged unsynced': load.acknowledged,
  })
})

test('after a power cut that takes renames back each checkpoint is the old one or the new one, never neither', async context => {
  const properties = {
    'log.flush.offset.checkpoint.interval.ms': '3',
    'replica.high.watermark.checkpoint.interval.ms': '3',
    'log.flush.start.offset.checkpoint.interval.ms': '3',
  }
  let checked = 0
  let fromTo = ''
  let points = new Map<string, number>()
  let latest = new Map<string, number>()
  await cutRepeatedly(context, { megabytes: 320, fileSystem: 'xfs' }, Math.ceil(cycles(50) / 5), {
    properties,
    beforeCut: directory => {
      latest = checkpoint(directory, 'recovery-point-offset-checkpoint')
      fromTo = `${JSON.stringify([...points])} ${JSON.stringify([...latest])}`
    },
    afterCut: directory => {
      for (const name of readdirSync(directory).filter(file => file.endsWith('-offset-checkpoint'))) {
        checkpoint(directory, name)
        checked++
      }
      const found = checkpoint(directory, 'recovery-point-offset-checkpoint')
      for (const [partition, offset] of found) {
        const isOneOfThem = offset >= (points.get(partition) ?? 0) && offset <= latest.get(partition)!
        assert.ok(isOneOfThem, `${partition} has ${offset}, which is in neither: ${fromTo}`)
      }
      points = found
    },
  })
  report(context.name, { 'checkpoints read': checked })
})

/** Offsets by partition in a checkpoint, which must be whole. */
function checkpoint(directory: string, name: string): Map<string, number> {
  const text = readFileSync(join(directory, name), 'utf8')
  const [version, count, ...lines] = text.trimEnd().split('\n')
  assert.equal(version, '0', `${name} holds ${JSON.stringify(text)}`)
  assert.equal(Number(count), lines.length, `${name} holds ${JSON.stringify(text)}`)
  return new Map(
    lines.map(line => {
      const [topic, partition, offset] = line.split(' ')
      return [`${topic}-${partition}`, Number(offset)]
    }),
  )
}

/** What a test does beside the cuts. */
interface Looks {
  readonly properties?: Readonly<Record<string, string>>
  readonly begin?: (broker: BrokerProcess) => Promise<void>
  /** Looks at the log directory while everything stands still. */
  readonly beforeCut?: (directory: string) => void
  /** Looks at the log directory when the disk is back, before the broker is. */
  readonly afterCut?: (directory: string) => void
  readonly end?: () => Promise<void>
}

async function cutRepeatedly(
  context: TestContext,
  options: DiskOptions,
  cuts: number,
  looks: Looks = {},
): Promise<void> {
  const disk = await diskOrSkip(context, options)
  if (disk === undefined) return
  let lostFiles = 0
  let lostRenames = 0
  try {
    const properties = { ...SYNCED, ...looks.properties }
    await withBroker({ directory: join(disk.path, 'broker'), properties }, async broker => {
      const configEntries = [{ name: 'segment.bytes', value: '32768' }]
      await createTopics(broker, [{ topic: TOPIC.name, numPartitions: TOPIC.partitions, configEntries }])
      const load = new IdempotentLoad(broker.port, TOPIC)
      await load.start()
      await looks.begin?.(broker)
      writeFileSync(join(disk.path, 'renamed'), 'before the first cut', { flush: true })
      await run('sync', ['-f', disk.path])
      for (let cut = 0; cut < cuts; cut++) {
        await load.more(50)
        const unsynced = join(disk.path, `unsynced-${cut}`)
        writeFileSync(unsynced, 'gone')
        await holdStill(broker.pid)
        looks.beforeCut?.(broker.logDirectory)
        renameUnsynced(disk.path, cut)
        await disk.cutPower()
        await broker.killHard()
        await disk.unmount()
        await disk.mount()
        if (!existsSync(unsynced) || readFileSync(unsynced, 'utf8') !== 'gone') lostFiles++
        if (readFileSync(join(disk.path, 'renamed'), 'utf8') !== String(cut)) lostRenames++
        looks.afterCut?.(broker.logDirectory)
        await broker.restart()
      }
      await load.more(50)
      await load.stop()
      await looks.end?.()
      const audit = await load.audit()
      assert.ok(audit.acknowledged >= cuts * 50)
      assert.ok(lostFiles >= cuts / 2, `only ${lostFiles} of ${cuts} cuts lost a file that nobody had synced`)
      assert.ok(lostRenames >= cuts / 2, `only ${lostRenames} of ${cuts} cuts took a rename back`)
      report(context.name, { cuts, 'that lost unsynced bytes': lostFiles, 'and a rename': lostRenames, ...audit })
    })
  } finally {
    await disk.dispose()
  }
}

/** Replaces a synced file by another synced one, and does not sync the directory. */
function renameUnsynced(directory: string, content: number): void {
  const path = join(directory, 'renamed')
  const temporary = `${path}.tmp`
  writeFileSync(temporary, String(content), { flush: true })
  renameSync(temporary, path)
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
  await until(`process ${pid} stands still`, isStill, 1)
}
