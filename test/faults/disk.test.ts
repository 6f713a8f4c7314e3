/** Disks that fail and dawdle: one log directory is struck, the other serves on. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import * as p from '../../src/protocol/everything.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { withFrailDirectory } from './frail-directory.ts'
import { FaultInForce, type SystemCallFault } from './system-call-faults.ts'
import { acknowledged, comesBack, otherDirectoryLives, untilRefused, withTwoDirectories } from './two-directories.ts'

const METADATA = [p.MetadataRequest, p.MetadataResponse] as const
const SYNCED = { 'log.flush.interval.messages': '1' }

test('after a failed fsync the directory is offline and takes no append, also when fsync works again', async context => {
  await strikeOnce(context, { calls: ['fsync', 'fdatasync'], effect: 'error=EIO' })
})

test('after a failed write the directory is offline and takes no append, also when writes work again', async context => {
  await strikeOnce(context, { calls: ['pwrite64', 'pwritev', 'pwritev2', 'write', 'writev'], effect: 'error=EIO' })
})

/** A fault on the open logs of one directory, lifted once it was noticed: what was refused stays refused. */
async function strikeOnce(context: TestContext, what: SystemCallFault): Promise<void> {
  await withFrailDirectory(context, async frail => {
    let fired = 0
    const audit = await withTwoDirectories(frail, SYNCED, async parts => {
      const files = [...parts.files('.log'), ...parts.filesToCome('log')]
      const fault = await FaultInForce.on(parts.broker.pid, { ...what, files })
      await untilRefused(parts)
      fired = fault.fired
      await fault.lift()
      const before = acknowledged(parts.load, parts.struck)
      await otherDirectoryLives(parts)
      assert.equal(acknowledged(parts.load, parts.struck), before, 'nothing is acknowledged after the fault')
      await parts.broker.killHard()
      await parts.broker.restart()
      await comesBack(parts)
    })
    assert.ok(fired > 0, 'the fault fired')
    return { 'failed calls': fired, ...audit }
  })
}

test('while fsync takes long, Metadata is answered many times before one append is', async context => {
  await withFrailDirectory(context, async frail => {
    const counts = { 'slow calls': 0, 'answers of Metadata before the next append': 0 }
    const audit = await withTwoDirectories(frail, SYNCED, async ({ broker, load }) => {
      const what = { calls: ['fsync', 'fdatasync'], effect: 'delay_enter=4000000' }
      const fault = await FaultInForce.on(broker.pid, what)
      const client = await ProtocolClient.open(broker.port)
      // Those of the four partitions that are under way come one behind the other; the next one takes its time.
      for (let round = 0; round < 5; round++) {
        await load.more(1)
        const before = load.acknowledged
        let answers = 0
        for (; load.acknowledged === before && answers < 500; answers++) {
          await client.ask(METADATA, 4, { topics: [], allowAutoTopicCreation: false })
        }
        counts['answers of Metadata before the next append'] += answers
      }
      counts['slow calls'] = fault.fired
      client.close()
      await fault.lift()
    })
    assert.ok(counts['answers of Metadata before the next append'] >= 100, JSON.stringify(counts))
    return { ...counts, ...audit }
  })
})
