import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from './memory-disk.ts'
import { seededRandom } from './random.ts'

const random = seededRandom(1)

function contentOf(disk: MemoryDisk, path: string): string {
  const file = disk.open(path, { readOnly: true })
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0, bytes.length, 0)
  file.close()
  return bytes.toString('latin1')
}

test('a crash takes what was not synced when nothing is kept, and nothing that was', async () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/d')
  await disk.syncDirectory('/')
  const file = disk.open('/d/f', { create: true })
  await disk.syncDirectory('/d')
  file.write([Buffer.from('safe')], 0)
  await file.sync()
  file.write([Buffer.from('lost')], 4)
  disk.open('/d/new', { create: true }).close()
  const after = disk.crash({ random, keep: 0 })
  assert.deepEqual(after.list('/d'), ['f'])
  assert.match(contentOf(after, '/d/f'), /^safe\0{0,4}$/)
  assert.throws(() => file.size(), { code: 'ECRASHED' })
  assert.throws(() => disk.list('/d'), { code: 'ECRASHED' })
})

test('a crash that keeps everything loses nothing', () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/d')
  const file = disk.open('/d/a', { create: true })
  file.write([Buffer.alloc(2000, 'x')], 0)
  file.truncate(1500)
  file.close()
  disk.rename('/d/a', '/d/b')
  const after = disk.crash({ random, keep: 1 })
  assert.deepEqual(after.list('/d'), ['b'])
  assert.equal(contentOf(after, '/d/b'), 'x'.repeat(1500))
})

test('a kill loses nothing, closes what was open, and leaves to the next power cut what was not synced', async () => {
  const disk = new MemoryDisk()
  const file = disk.open('/f', { create: true })
  await disk.syncDirectory('/')
  file.write([Buffer.from('safe')], 0)
  await file.sync()
  file.write([Buffer.from('kept')], 4)
  const syncing = file.sync()
  const killed = disk.kill()
  await assert.rejects(syncing, { code: 'ECRASHED' })
  assert.equal(contentOf(killed, '/f'), 'safekept')
  file.close()
  killed.rename('/f', '/g')
  assert.match(contentOf(killed.crash({ random, keep: 0 }), '/f'), /^safe\0{0,4}$/)
})

test('a sync that takes long makes durable what was written before it began, and only once it is done', async () => {
  const waiting: (() => void)[] = []
  const disk = new MemoryDisk({ syncDelay: () => new Promise(resolve => waiting.push(resolve)) })
  const file = disk.open('/f', { create: true })
  const directory = disk.syncDirectory('/')
  waiting.shift()!()
  await directory
  file.write([Buffer.from('one')], 0)
  const first = file.sync()
  file.write([Buffer.from('two')], 3)
  const second = file.sync()
  file.write([Buffer.from('three')], 6)
  // Of two syncs under way the later one may be done first, and the earlier one has nothing to add then.
  waiting.pop()!()
  await second
  waiting.pop()!()
  await first
  const third = file.sync()
  assert.match(contentOf(disk.crash({ random, keep: 0 }), '/f'), /^onetwo\0{0,5}$/)
  waiting.pop()!()
  await assert.rejects(third, { code: 'ECRASHED' })
})

test('a write is torn at multiples of 512 bytes and the length may outlive the data', () => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 200; seed++) {
    const disk = new MemoryDisk()
    const file = disk.open('/f', { create: true })
    file.write([Buffer.alloc(512, 'a'), Buffer.alloc(512, 'b'), Buffer.alloc(10, 'c')], 0)
    const after = disk.crash({ random: seededRandom(seed), keep: 0.5 })
    if (after.stat('/f') === undefined) continue
    const content = contentOf(after, '/f')
    seen.add([content[0], content[512], content[1024]].map(byte => byte?.replace('\0', '0') ?? '-').join(''))
  }
  for (const state of ['abc', '0bc', 'a0c', '000', 'ab0', '---']) assert.ok(seen.has(state), state)
})

test('a rename survives whole or not at all, and the file behind it is never lost', async () => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 50; seed++) {
    const disk = new MemoryDisk()
    const file = disk.open('/x', { create: true })
    file.write([Buffer.from('1')], 0)
    await file.sync()
    file.close()
    await disk.syncDirectory('/')
    disk.rename('/x', '/y')
    const after = disk.crash({ random: seededRandom(seed), keep: 0.5 })
    seen.add(after.list('/').join())
    assert.equal(contentOf(after, after.list('/')[0]!), '1')
  }
  assert.deepEqual([...seen].sort(), ['x', 'y'])
})

test('a full disk takes a part of a write without an error, then refuses', () => {
  const disk = new MemoryDisk({ capacityBytes: 5 })
  const file = disk.open('/f', { create: true })
  assert.equal(file.write([Buffer.from('abc'), Buffer.from('def')], 0), 5)
  assert.throws(() => file.write([Buffer.from('f')], 5), { code: 'ENOSPC' })
  assert.equal(file.write([Buffer.from('over')], 0), 4)
  file.truncate(1)
  assert.equal(file.write([Buffer.from('g')], 1), 1)
  assert.equal(disk.usedBytes, 2)
})

test('a fault hits the operation and path it is meant for, as often as it should', async () => {
  const disk = new MemoryDisk()
  const file = disk.open('/f.log', { create: true })
  disk.failNext({ operation: 'write', path: path => path.endsWith('.log'), code: 'EIO', times: 2, after: 1 })
  file.write([Buffer.from('a')], 0)
  assert.throws(() => file.write([Buffer.from('b')], 1), { code: 'EIO' })
  assert.throws(() => file.write([Buffer.from('b')], 1), { code: 'EIO' })
  file.write([Buffer.from('b')], 1)
  disk.failNext({ operation: 'sync' })
  await assert.rejects(file.sync(), { code: 'EIO' })
  await file.sync()
})

test('an open file is neither renamed nor removed', () => {
  const disk = new MemoryDisk()
  const file = disk.open('/f', { create: true })
  assert.throws(() => disk.rename('/f', '/g'), { code: 'EBUSY' })
  assert.throws(() => disk.remove('/f'), { code: 'EBUSY' })
  file.close()
  disk.remove('/f')
})

test('a lock ends with the disk it was taken on', () => {
  const disk = new MemoryDisk()
  assert.ok(disk.lock('/.lock'))
  assert.equal(disk.lock('/.lock'), undefined)
  assert.ok(disk.crash({ random }).lock('/.lock'))
})
