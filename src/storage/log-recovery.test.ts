import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryDisk, SimulatedClock, seededRandom } from '../platform/index.ts'
import { append, batchOf, openLog, readAll, valuesOf } from './log.test.fixture.ts'

const LOG = '/logs/t-0/00000000000000000000.log'

function put(disk: MemoryDisk, path: string, bytes: Uint8Array, position = 0): void {
  const file = disk.open(path, { create: true })
  file.write([bytes], position)
  file.close()
}

function contentOf(disk: MemoryDisk, path: string): Buffer {
  const file = disk.open(path)
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0, bytes.length, 0)
  file.close()
  return bytes
}

/** The disk as a killed process leaves it. */
function killed(disk: MemoryDisk): MemoryDisk {
  return disk.crash({ random: seededRandom(1), keep: 1 })
}

async function reopened(disk: MemoryDisk, config: Parameters<typeof openLog>[0] = {}) {
  return openLog(config, { disk, clock: new SimulatedClock() })
}

describe('a tail that is not whole', () => {
  const tails: [string, Uint8Array][] = [
    ['a part of a batch', batchOf(['torn']).subarray(0, 70)],
    ['a part of a header', batchOf(['torn']).subarray(0, 9)],
    ['zeros', Buffer.alloc(5000)],
    ['garbage', Buffer.from(seededRandom(7).bytes(3000))],
    ['a batch of the right offset with a wrong byte', brokenBatch(3)],
    ['a batch of an offset that was before', batchOf(['again'])],
    ['a length beyond the file', Buffer.concat([Buffer.alloc(8), Buffer.from('7fffffff', 'hex'), Buffer.alloc(100)])],
  ]
  for (const [name, tail] of tails) {
    it(`is cut off: ${name}`, async () => {
      const { disk, log } = await openLog()
      for (const value of ['a', 'b', 'c']) append(log, [value])
      const { size } = log
      const after = killed(disk)
      put(after, LOG, tail, size)
      const again = await reopened(after)
      assert.equal(again.log.logEndOffset, 3)
      assert.equal(after.stat(LOG)?.size, size)
      append(again.log, ['d'])
      assert.deepEqual(valuesOf(again.log), ['a', 'b', 'c', 'd'])
    })
  }

  function brokenBatch(baseOffset: number): Buffer {
    const bytes = Buffer.from(batchOf(['broken'], { baseOffset }))
    bytes[bytes.length - 1]! ^= 1
    return bytes
  }
})

describe('a damaged batch in the middle', () => {
  it('above the recovery point cuts the log and drops the segments behind it', async () => {
    const { disk, log } = await openLog({ segmentBytes: 300 })
    for (let count = 0; count < 20; count++) append(log, [`value-${count}`])
    const second = log.segmentBaseOffsets[1]!
    const after = killed(disk)
    put(after, `/logs/t-0/${String(second).padStart(20, '0')}.log`, Buffer.from([1]), 75)
    after.remove('/logs/recovery-point-offset-checkpoint')
    const again = await reopened(after, { segmentBytes: 300 })
    assert.equal(again.log.logEndOffset, second)
    assert.equal(after.list('/logs/t-0').filter(name => name.endsWith('.log')).length, 2)
  })
})

describe('what an interrupted operation left', () => {
  it('deletion: marked files go', async () => {
    const { disk, log } = await openLog()
    append(log, ['a'])
    const after = killed(disk)
    put(after, '/logs/t-0/00000000000000000007.log.deleted', Buffer.from('x'))
    put(after, '/logs/t-0/00000000000000000007.index.deleted', Buffer.from('x'))
    const { log: again } = await reopened(after)
    assert.deepEqual(valuesOf(again), ['a'])
    assert.ok(!after.list('/logs/t-0').some(name => name.endsWith('.deleted')))
  })

  it('compaction that was not done: its output goes', async () => {
    const { disk, log } = await openLog()
    append(log, ['a'])
    const after = killed(disk)
    put(after, `${LOG}.cleaned`, batchOf(['cleaned']))
    put(after, `${LOG}.swap`, batchOf(['half']))
    const { log: again } = await reopened(after)
    assert.deepEqual(valuesOf(again), ['a'])
    assert.ok(!after.list('/logs/t-0').some(name => /swap|cleaned/.test(name)))
  })

  it('compaction that was done: its output takes the place of all that it stands for', async () => {
    const { disk, log } = await openLog({ segmentBytes: 300, cleanupPolicy: ['compact'] })
    for (const value of ['a', 'b', 'c', 'd', 'e']) append(log, [value.repeat(90)])
    assert.deepEqual(log.segmentBaseOffsets, [0, 1, 2, 3, 4])
    const after = killed(disk)
    const survivor = Buffer.from(batchOf(['kept'], { baseOffset: 2, partitionLeaderEpoch: 0 }))
    put(after, `${LOG}.swap`, survivor)
    put(after, '/logs/t-0/00000000000000000000.index.swap', new Uint8Array(0))
    put(after, '/logs/t-0/00000000000000000000.timeindex.swap', new Uint8Array(0))
    const { log: again } = await reopened(after, { segmentBytes: 300, cleanupPolicy: ['compact'] })
    assert.deepEqual(again.segmentBaseOffsets, [0, 3, 4])
    assert.deepEqual(
      readAll(again).map(({ offset, value }) => [offset, value[0]]),
      [
        [2, 'k'],
        [3, 'd'],
        [4, 'e'],
      ],
    )
  })

  it('KAFKA-12520: finishing a compaction leaves producers and their snapshots as they are', async () => {
    const config = { segmentBytes: 300, cleanupPolicy: ['compact' as const] }
    const { disk: after, log, manager } = await openLog(config)
    append(log, ['a'.repeat(90)], { producerId: 7, producerEpoch: 2, baseSequence: 40 })
    for (const value of ['b', 'c', 'd', 'e']) append(log, [value.repeat(90)])
    await manager.close()
    put(after, `${LOG}.swap`, batchOf(['kept'], { baseOffset: 2, partitionLeaderEpoch: 0 }))
    const again = await reopened(after, config)
    assert.deepEqual(again.log.segmentBaseOffsets, [0, 3, 4])
    const [producer] = again.log.producerStates()
    assert.deepEqual([producer?.producerId, producer?.producerEpoch, producer?.lastSequence], [7, 2, 40])
    for (const base of [3, 4, 5]) assert.ok(after.list('/logs/t-0').includes(`0000000000000000000${base}.snapshot`))
    const next = batchOf(['f'], { producerId: 7, producerEpoch: 2, baseSequence: 41 })
    assert.equal(again.log.appendAsLeader(next, { leaderEpoch: 0, origin: 'client' }).firstOffset, 5)
  })

  it('an index without its segment goes', async () => {
    const { disk, log } = await openLog()
    append(log, ['a'])
    const after = killed(disk)
    put(after, '/logs/t-0/00000000000000000042.index', Buffer.alloc(8))
    await reopened(after)
    assert.ok(!after.list('/logs/t-0').includes('00000000000000000042.index'))
  })

  it('a deleted partition goes', async () => {
    const { disk, manager, clock } = await openLog()
    manager.deleteLog({ topic: 't', partition: 0 })
    const after = killed(disk)
    const later = await openLog({}, { disk: after, clock })
    await clock.advance(1)
    assert.deepEqual(
      after.list('/logs').filter(name => name.startsWith('t')),
      ['t-0'],
    )
    assert.equal(later.log.logEndOffset, 0)
  })
})

describe('broken small files', () => {
  for (const name of ['t-0/leader-epoch-checkpoint', 'recovery-point-offset-checkpoint', 't-0/partition.metadata']) {
    it(`do not stop a start: ${name}`, async () => {
      for (const damage of [Buffer.alloc(0), Buffer.alloc(30), Buffer.from('0\n7\nx')]) {
        const { disk, log } = await openLog({ segmentBytes: 300 })
        for (let count = 0; count < 9; count++) append(log, [`value-${count}`])
        await log.flush()
        const after = killed(disk)
        const file = after.open(`/logs/${name}`, { create: true })
        file.truncate(0)
        if (damage.length > 0) file.write([damage], 0)
        file.close()
        const again = await reopened(killed(after), { segmentBytes: 300 })
        assert.equal(again.log.logEndOffset, 9)
        assert.equal(again.log.latestEpoch, 0)
        assert.equal(valuesOf(again.log).length, 9)
      }
    })
  }
})

describe('a recovery', () => {
  it('makes the same files as a clean stop', async () => {
    const config = { segmentBytes: 700, indexIntervalBytes: 100 }
    const clean = await openLog(config)
    const unclean = await openLog(config)
    for (const { log } of [clean, unclean]) {
      for (let count = 0; count < 40; count++) {
        append(log, [`value-${count}`], {
          producerId: count % 3,
          producerEpoch: 0,
          baseSequence: Math.floor(count / 3),
        })
      }
    }
    await clean.manager.close()
    const after = killed(unclean.disk)
    const recovered = await reopened(after, config)
    await recovered.manager.close()
    const names = clean.disk.list('/logs/t-0').toSorted()
    assert.deepEqual(after.list('/logs/t-0').toSorted(), names)
    for (const name of names) {
      assert.deepEqual(contentOf(after, `/logs/t-0/${name}`), contentOf(clean.disk, `/logs/t-0/${name}`), name)
    }
  })
})

describe('what a kill left in the cache of the system', () => {
  it('survives a power cut once it is served again, where acknowledgements wait for syncs', async () => {
    const config = { flushMessages: 1 }
    const { disk, log } = await openLog(config)
    append(log, ['a'])
    await log.flush()
    append(log, ['b'])
    const served = await reopened(disk.kill(), config)
    assert.deepEqual(valuesOf(served.log), ['a', 'b'])
    assert.equal(served.log.recoveryPoint, 2)
    const after = await reopened(served.disk.crash({ random: seededRandom(1), keep: 0 }), config)
    assert.deepEqual(valuesOf(after.log), ['a', 'b'])
  })

  it('takes its directory offline when it cannot be synced', async () => {
    const config = { flushMessages: 1 }
    const { disk, log } = await openLog(config)
    append(log, ['a'])
    const left = disk.kill()
    left.failNext({ operation: 'sync', path: path => path === LOG })
    await assert.rejects(openLog(config, { disk: left }), /log directory .* is offline/)
  })
})

describe('a directory without a mark of a clean stop', () => {
  it('was not left cleanly, also when the power has taken all its logs', async () => {
    const { disk, log } = await openLog()
    append(log, ['a'])
    const left = await openLog({}, { disk: disk.crash({ random: seededRandom(1), keep: 0 }) })
    assert.equal(left.log.logEndOffset, 0)
    assert.equal(left.manager.wasClean, false)
  })
})

describe('a log that was never written to', () => {
  it('costs no write after a kill, nor at the stop that follows a stop', async () => {
    const first = await openLog()
    first.log.assignLeaderEpoch(0, 0)
    const restarted = await openLog({}, { disk: killed(first.disk) })
    restarted.log.assignLeaderEpoch(1, 0)
    assert.equal(restarted.log.recoveryPoint, 0)
    await restarted.manager.close()
    const again = await openLog({}, { disk: restarted.disk })
    again.log.assignLeaderEpoch(1, 0)
    const trace = again.disk.startTrace()
    await again.manager.close()
    assert.deepEqual(
      trace.filter(line => line.includes('/t-0')),
      [],
    )
    assert.ok(restarted.disk.list('/logs/t-0').includes('00000000000000000000.index'), 'Kafka finds its indexes')
  })
})

it('what is appended after a cut that the power took back survives a kill', async () => {
  const { disk, log } = await openLog()
  for (const value of ['a', 'b', 'c', 'd']) append(log, [value])
  const after = killed(disk)
  const torn = after.open(LOG)
  torn.truncate(log.size - 1)
  torn.close()
  // The log was emptied down to offset 2, and of that only the new segment was on disk; the checkpoint knows of nothing.
  put(after, '/logs/t-0/00000000000000000002.log', Buffer.alloc(0))
  put(after, '/logs/recovery-point-offset-checkpoint', Buffer.from('0\n1\nt 0 4\n'))
  const again = await reopened(after)
  const left = valuesOf(again.log)
  append(again.log, ['x'])
  const { log: last } = await reopened(killed(after))
  assert.deepEqual(valuesOf(last), [...left, 'x'])
})

it('what a recovery cut off that was killed before it synced does not come back with the power', async () => {
  let held: Promise<void> | undefined
  const { disk, log } = await openLog({}, { disk: new MemoryDisk({ syncDelay: () => held ?? Promise.resolve() }) })
  for (const value of ['a', 'b']) append(log, [value])
  await log.flush()
  const whole = log.size
  const first = disk.kill()
  put(first, LOG, batchOf(['torn']).subarray(0, 70), whole)
  const torn = first.open(LOG)
  await torn.sync()
  torn.close()
  // No sync comes to its end from here on: the recovery cuts, and is killed.
  held = new Promise(() => {})
  reopened(first).catch(() => undefined)
  for (let steps = 0; steps < 1_000 && first.stat(LOG)!.size > whole; steps++) await Promise.resolve()
  const second = first.kill()
  assert.ok(second.durableSize(LOG)! > whole)
  held = undefined
  assert.deepEqual(valuesOf((await reopened(second)).log), ['a', 'b'])
  assert.equal(second.durableSize(LOG), whole)
  assert.deepEqual(
    second.list('/logs').filter(name => name.includes('recovery')),
    ['recovery-point-offset-checkpoint'],
  )
})
