import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryDisk, seededRandom } from '../platform/index.ts'
import { AtomicFile, CheckpointError, OffsetCheckpoint } from './checkpoint-file.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'
import { MetaPropertiesError, readMetaProperties, writeMetaProperties } from './meta-properties.ts'

function put(disk: MemoryDisk, path: string, text: string): void {
  const file = disk.open(path, { create: true })
  file.write([Buffer.from(text)], 0)
  file.close()
}

describe('a file that is replaced whole', () => {
  it('KAFKA-16541: is the old or the new one after a crash at any moment, and the new one when the write has resolved', async () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = seededRandom(seed)
      const disk = new MemoryDisk()
      disk.makeDirectory('/d')
      await disk.syncDirectory('/')
      const file = new AtomicFile(disk, '/d/f')
      await file.write(() => 'old '.repeat(300))
      let resolved = false
      const written = file
        .write(() => 'new '.repeat(300))
        .then(() => {
          resolved = true
        })
      for (let turns = random.below(12); turns > 0; turns--) await Promise.resolve()
      const done = resolved
      const after = disk.crash({ random })
      await written.catch(() => {})
      const text = new AtomicFile(after, '/d/f').read()
      if (done) assert.equal(text, 'new '.repeat(300))
      else assert.ok(text === 'old '.repeat(300) || text === 'new '.repeat(300))
    }
  })

  it('is written once for many that ask while it is being written', async () => {
    const disk = new MemoryDisk()
    const file = new AtomicFile(disk, '/f')
    const trace = disk.startTrace()
    await Promise.all(Array.from({ length: 9 }, (_, index) => file.write(() => String(index))))
    assert.equal(trace.filter(line => line.startsWith('rename')).length, 2)
    assert.equal(file.read(), '8')
  })
})

describe('an offset checkpoint', () => {
  it('is made as text once or twice for thousands that ask in one turn', async () => {
    const disk = new MemoryDisk()
    disk.makeDirectory('/d')
    const checkpoint = new OffsetCheckpoint(disk, '/d', 'recovery-point-offset-checkpoint')
    let made = 0
    const offsets = () => {
      made += 1
      return [{ topic: 't', partition: 0, offset: made }]
    }
    await Promise.all(Array.from({ length: 5000 }, () => checkpoint.write(offsets)))
    assert.ok(made <= 3, `made ${made} times`)
    assert.equal(checkpoint.read().get('t-0'), made)
  })

  it("is in Kafka's format", async () => {
    const disk = new MemoryDisk()
    const checkpoint = new OffsetCheckpoint(disk, '', 'recovery-point-offset-checkpoint')
    assert.equal(checkpoint.read().size, 0)
    await checkpoint.write(() => [
      { topic: 't1', partition: 0, offset: 60 },
      { topic: 'a-b', partition: 12, offset: 7 },
    ])
    assert.equal(new AtomicFile(disk, '/recovery-point-offset-checkpoint').read(), '0\n2\nt1 0 60\na-b 12 7\n')
    assert.deepEqual(
      checkpoint.read(),
      new Map([
        ['t1-0', 60],
        ['a-b-12', 7],
      ]),
    )
  })

  it('is refused when it is not what it says', () => {
    for (const text of ['1\n0\n', '0\n2\nt 0 1\n', '0\nx\n', '0\n1\nt 0\n', '0\n1\nt zero 1\n', '\0\0\0\0']) {
      const disk = new MemoryDisk()
      put(disk, '/cleaner-offset-checkpoint', text)
      assert.throws(() => new OffsetCheckpoint(disk, '', 'cleaner-offset-checkpoint').read(), CheckpointError)
    }
  })
})

describe('leader epochs', () => {
  function cacheOf(...entries: [number, number][]): LeaderEpochCache {
    const cache = new LeaderEpochCache(new MemoryDisk(), '')
    for (const [epoch, startOffset] of entries) cache.assign(epoch, startOffset)
    return cache
  }

  it('end where the next one begins', () => {
    const cache = cacheOf([2, 0], [4, 10], [7, 25])
    assert.deepEqual(cache.endOffsetFor(7, 40), { epoch: 7, endOffset: 40 })
    assert.deepEqual(cache.endOffsetFor(4, 40), { epoch: 4, endOffset: 25 })
    assert.deepEqual(cache.endOffsetFor(5, 40), { epoch: 4, endOffset: 25 })
    assert.deepEqual(cache.endOffsetFor(1, 40), { epoch: 1, endOffset: 0 })
    assert.deepEqual(cache.endOffsetFor(8, 40), { epoch: -1, endOffset: -1 })
    assert.deepEqual(cache.endOffsetFor(-1, 40), { epoch: -1, endOffset: -1 })
    assert.deepEqual(cacheOf().endOffsetFor(0, 40), { epoch: -1, endOffset: -1 })
    assert.deepEqual(
      [9, 10, 24, 25].map(offset => cache.epochOf(offset)),
      [2, 4, 4, 7],
    )
  })

  it('follow the log when it is cut at either end', () => {
    const cache = cacheOf([2, 0], [4, 10], [7, 25])
    cache.truncateFromEnd(25)
    assert.equal(cache.latestEpoch, 4)
    cache.truncateFromStart(12)
    assert.deepEqual(cache.entries, [{ epoch: 4, startOffset: 12 }])
    cache.assign(5, 12)
    assert.deepEqual(cache.entries, [{ epoch: 5, startOffset: 12 }])
  })

  it('are read as they were written, and not at all from a broken file', async () => {
    const disk = new MemoryDisk()
    const cache = new LeaderEpochCache(disk, '')
    cache.assign(0, 0)
    cache.assign(3, 8)
    await cache.write()
    assert.equal(new AtomicFile(disk, '/leader-epoch-checkpoint').read(), '0\n2\n0 0\n3 8\n')
    const again = new LeaderEpochCache(disk, '')
    assert.ok(again.load())
    assert.deepEqual(again.entries, cache.entries)
    put(disk, '/leader-epoch-checkpoint', '0\n2\n3 0\n')
    assert.equal(new LeaderEpochCache(disk, '').load(), false)
  })
})

describe('meta.properties', () => {
  it("is Kafka's of ZooKeeper mode", async () => {
    const disk = new MemoryDisk()
    assert.equal(readMetaProperties(disk, ''), undefined)
    const writtenAt = 'Mon Nov 23 19:28:10 UTC 2026'
    await writeMetaProperties(disk, '', { brokerId: 3, clusterId: 'fL3qqBOmT3-7RYfuEwtmbw', writtenAt })
    assert.equal(
      new AtomicFile(disk, '/meta.properties').read(),
      `#\n#${writtenAt}\nbroker.id=3\nversion=0\ncluster.id=fL3qqBOmT3-7RYfuEwtmbw\n`,
    )
    assert.deepEqual(readMetaProperties(disk, ''), { brokerId: 3, clusterId: 'fL3qqBOmT3-7RYfuEwtmbw' })
  })

  it('of another version or with another kind of broker id is refused', () => {
    for (const text of ['version=1\nnode.id=1\n', 'broker.id=1\n', 'version=0\nbroker.id=one\n']) {
      const disk = new MemoryDisk()
      put(disk, '/meta.properties', text)
      assert.throws(() => readMetaProperties(disk, ''), MetaPropertiesError)
    }
  })
})
