import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, SimulatedClock, seededRandom, silentLogger } from '../platform/index.ts'
import { EmbeddedZooKeeper, type WatchEvent, type ZooKeeperErrorCode } from './index.ts'
import { ZnodeStore } from './server/znode-store.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (data: Uint8Array | null): string | null => data && new TextDecoder().decode(data)
const fails = (code: ZooKeeperErrorCode, more: object = {}) => ({ name: 'ZooKeeperError', code, ...more })

async function open(disk = new MemoryDisk(), snapshotAfterBytes?: number, onFailure = () => {}) {
  const clock = new SimulatedClock(1_700_000_000_000)
  const zooKeeper = await EmbeddedZooKeeper.open({
    disk,
    clock,
    logger: silentLogger,
    directory: '/zk',
    onFailure,
    ...(snapshotAfterBytes ? { snapshotAfterBytes } : {}),
  })
  return { disk, clock, zooKeeper, zk: zooKeeper.connect() }
}

test('a new store has the four znodes of ZooKeeper, with its stats', async () => {
  const { zk } = await open()
  const root = await zk.getChildren('/')
  assert.deepEqual(root.children, ['zookeeper'])
  assert.equal(root.stat.cversion, -1)
  assert.deepEqual((await zk.getChildren('/zookeeper')).children.toSorted(), ['config', 'quota'])
  assert.equal(text((await zk.getData('/zookeeper')).data), '')
})

test('stats count creations, deletions and versions as ZooKeeper does', async () => {
  const { zk, clock } = await open()
  const { path, stat } = await zk.create('/a', bytes('x'), { mode: 'persistent' })
  assert.equal(path, '/a')
  await zk.create('/a/b', null, { mode: 'persistent' })
  await zk.create('/a/c', null, { mode: 'persistent' })
  await zk.delete('/a/b')
  clock.jumpWallClock(5)
  const set = await zk.setData('/a', bytes('xyz'), 0)
  assert.deepEqual(set, {
    czxid: stat.czxid,
    mzxid: stat.czxid + 4,
    ctime: stat.ctime,
    mtime: stat.ctime + 5,
    version: 1,
    cversion: 3,
    aversion: 0,
    ephemeralOwner: 0n,
    dataLength: 3,
    numChildren: 1,
    pzxid: stat.czxid + 3,
  })
  assert.equal((await zk.getData('/a/c')).data, null)
})

test('refusals carry the codes of ZooKeeper', async () => {
  const { zk } = await open()
  await zk.create('/a', null, { mode: 'persistent' })
  await zk.create('/a/b', null, { mode: 'ephemeral' })
  await assert.rejects(zk.create('/a', null, { mode: 'persistent' }), fails('NODE_EXISTS', { path: '/a' }))
  await assert.rejects(zk.create('/x/y', null, { mode: 'persistent' }), fails('NO_NODE', { path: '/x/y' }))
  await assert.rejects(zk.create('/a/b/c', null, { mode: 'persistent' }), fails('NO_CHILDREN_FOR_EPHEMERALS'))
  await assert.rejects(zk.delete('/a'), fails('NOT_EMPTY'))
  await assert.rejects(zk.delete('/a', 3), fails('BAD_VERSION'))
  await assert.rejects(zk.delete('/nope'), fails('NO_NODE'))
  await assert.rejects(zk.delete('/zookeeper'), fails('BAD_ARGUMENTS'))
  await assert.rejects(zk.setData('/a', null, 7), fails('BAD_VERSION'))
  await assert.rejects(zk.getData('/nope'), fails('NO_NODE'))
  await assert.rejects(zk.getChildren('/nope'), fails('NO_NODE'))
  assert.equal(await zk.exists('/nope'), undefined)
  for (const path of ['', 'a', '/a/', '//a', '/a/./b', '/a/../b', '/a\u0000', '/\u{1F600}']) {
    await assert.rejects(zk.getData(path), fails('BAD_ARGUMENTS'), path)
  }
})

test('sequential names count every child ever created under the parent', async () => {
  const { zk } = await open()
  await zk.create('/q', null, { mode: 'persistent' })
  await zk.create('/q/other', null, { mode: 'persistent' })
  const first = await zk.create('/q/n-', null, { mode: 'persistent_sequential' })
  await zk.delete(first.path)
  const second = await zk.create('/q/n-', null, { mode: 'ephemeral_sequential' })
  const nameless = await zk.create('/q/', null, { mode: 'persistent_sequential' })
  assert.deepEqual([first.path, second.path, nameless.path], ['/q/n-0000000001', '/q/n-0000000002', '/q/0000000003'])
})

test('a multi does all or nothing, and its later operations see its earlier ones', async () => {
  const { zk } = await open()
  const results = await zk.multi([
    { type: 'create', path: '/a', data: null, mode: 'persistent' },
    { type: 'create', path: '/a/b', data: bytes('1'), mode: 'persistent' },
    { type: 'setData', path: '/a/b', data: bytes('2') },
    { type: 'check', path: '/a/b', version: 1 },
    { type: 'create', path: '/a/s-', data: null, mode: 'persistent_sequential' },
    { type: 'delete', path: '/a/s-0000000001' },
  ])
  assert.deepEqual(
    results.map(({ path }) => path),
    ['/a', '/a/b', '/a/b', '/a/b', '/a/s-0000000001', '/a/s-0000000001'],
  )
  assert.equal(results[1]?.stat?.czxid, results[2]?.stat?.mzxid, 'one transaction')
  await assert.rejects(
    zk.multi([
      { type: 'setData', path: '/a/b', data: bytes('3') },
      { type: 'create', path: '/c', data: null, mode: 'persistent' },
      { type: 'check', path: '/a', version: 9 },
    ]),
    fails('BAD_VERSION', { path: '/a', operation: 2 }),
  )
  assert.equal(text((await zk.getData('/a/b')).data), '2')
  assert.equal(await zk.exists('/c'), undefined)
  assert.deepEqual(await zk.multi([]), [])
})

test('a request beyond one MiB is refused', async () => {
  const { zk } = await open()
  await assert.rejects(zk.create('/a', new Uint8Array(2 ** 20), { mode: 'persistent' }), fails('BAD_ARGUMENTS'))
})

test('a watcher is told once, and before the change can be read', async () => {
  const { zk } = await open()
  const seen: string[] = []
  const watcher = (event: WatchEvent): void => void seen.push(`${event.type} ${event.path}`)
  await zk.exists('/a', watcher)
  await zk.exists('/a', watcher)
  const created = zk.create('/a', null, { mode: 'persistent' })
  const read = zk.getData('/a', watcher).then(() => seen.push('read'))
  await created
  await read
  await zk.getChildren('/a', watcher)
  await zk.create('/a/b', null, { mode: 'persistent' })
  await zk.create('/a/c', null, { mode: 'persistent' })
  await zk.setData('/a', null)
  await zk.setData('/a', null)
  await zk.delete('/a/b')
  await zk.delete('/a/c')
  await zk.getData('/a', watcher)
  await zk.getChildren('/a', watcher)
  await zk.delete('/a')
  assert.deepEqual(seen, ['created /a', 'read', 'childrenChanged /a', 'dataChanged /a', 'deleted /a'])
})

test('ephemerals go with their session, and others hear of it', async () => {
  const { zk, zooKeeper } = await open()
  const other = zooKeeper.connect()
  const { stat } = await other.create('/e', null, { mode: 'ephemeral' })
  assert.equal(stat.ephemeralOwner, other.sessionId)
  const seen: WatchEvent[] = []
  await zk.exists('/e', event => seen.push(event))
  const states: string[] = []
  other.onState(state => states.push(state))
  await other.expire()
  assert.deepEqual(seen, [{ type: 'deleted', path: '/e' }])
  assert.deepEqual(states, ['expired'])
  await assert.rejects(other.getData('/'), fails('SESSION_EXPIRED'))
  assert.equal(await zk.exists('/e'), undefined)
})

test('a session under a chroot sees nothing of it', async () => {
  const { zk, zooKeeper } = await open()
  await zk.create('/kafka', null, { mode: 'persistent' })
  const inside = zooKeeper.connect({ chroot: '/kafka' })
  const seen: WatchEvent[] = []
  await inside.getChildren('/', event => seen.push(event))
  const { path } = await inside.create('/a', null, { mode: 'persistent' })
  assert.equal(path, '/a')
  assert.deepEqual(seen, [{ type: 'childrenChanged', path: '/' }])
  assert.ok(await zk.exists('/kafka/a'))
  await assert.rejects(inside.create('/a', null, { mode: 'persistent' }), fails('NODE_EXISTS', { path: '/a' }))
})

test('everything is there after a restart, but for what belonged to sessions of the dead process', async () => {
  const { zk, disk, zooKeeper } = await open()
  await zk.create('/p', bytes('kept'), { mode: 'persistent' })
  await zk.create('/e', null, { mode: 'ephemeral' })
  const { stat } = await zk.getData('/p')
  // No clean close: the process is just gone, its page cache is not.
  const next = await open(disk.crash({ random: seededRandom(3), keep: 1 }))
  assert.deepEqual(await next.zk.getData('/p'), { data: bytes('kept'), stat })
  assert.equal(await next.zk.exists('/e'), undefined)
  assert.notEqual(next.zk.sessionId, zk.sessionId)
  await zooKeeper.close().catch(() => undefined)
})

test('what belonged to sessions of a ZooKeeper that wrote here before is gone too', async () => {
  const disk = new MemoryDisk()
  const first = await open(disk)
  await first.zooKeeper.close()
  const { clock } = first
  const store = await ZnodeStore.open({ disk, clock, directory: '/zk/version-2', logger: silentLogger })
  await store.createSession(7n, 6_000)
  await store.submit(7n, [{ type: 'create', path: '/e', data: null, mode: 'ephemeral' }])
  await store.close()
  const { zk } = await open(disk)
  assert.equal(await zk.exists('/e'), undefined)
})

test('two stores never share a directory', async () => {
  const { disk, zooKeeper } = await open()
  await assert.rejects(open(disk), { name: 'DataDirectoryError', message: '/zk is in use by another process' })
  await zooKeeper.close()
  await open(disk)
})

test('snapshots replace logs, and the tree is the same after a restart', async () => {
  const { zk, disk, clock, zooKeeper } = await open(undefined, 10_000)
  await zk.create('/a', null, { mode: 'persistent' })
  for (let index = 0; index < 2_000; index += 1) {
    await zk.create('/a/n', bytes(`${index}`), { mode: 'persistent_sequential' })
    if (index % 3 > 0) await zk.delete(`/a/n${String(index).padStart(10, '0')}`)
    if (index % 100 === 0) await clock.settle()
  }
  const before = await zk.getChildren('/a')
  const closing = zooKeeper.close()
  await clock.settle()
  await closing
  const names = disk.list('/zk/version-2')
  assert.equal(names.filter(name => name.startsWith('snapshot.')).length, 2)
  assert.ok(names.filter(name => name.startsWith('log.')).length <= 3, names.join())
  const { zk: again } = await open(disk)
  assert.deepEqual(await again.getChildren('/a'), before)
})

test('a full disk refuses a write and nothing else', async () => {
  const { zk, disk } = await open()
  await zk.create('/a', null, { mode: 'persistent' })
  disk.setCapacity(disk.usedBytes + 40)
  await assert.rejects(zk.create('/b', new Uint8Array(100), { mode: 'persistent' }), fails('SYSTEM_ERROR'))
  assert.equal(await zk.exists('/b'), undefined)
  disk.setCapacity(1e9)
  await zk.create('/c', null, { mode: 'persistent' })
  const next = await open(disk.crash({ random: seededRandom(3) }))
  assert.deepEqual((await next.zk.getChildren('/')).children.toSorted(), ['a', 'c', 'zookeeper'])
})

test('after a failed sync nothing is acknowledged any more', async () => {
  let failures = 0
  const { zk, disk } = await open(undefined, undefined, () => {
    failures += 1
  })
  await zk.create('/a', null, { mode: 'persistent' })
  disk.failNext({ operation: 'sync' })
  const failed = zk.create('/b', null, { mode: 'persistent' })
  const read = zk.exists('/b')
  await assert.rejects(failed, fails('CONNECTION_LOSS'))
  await assert.rejects(read, fails('CONNECTION_LOSS'))
  await assert.rejects(zk.create('/c', null, { mode: 'persistent' }), fails('CONNECTION_LOSS'))
  await assert.rejects(zk.getData('/a'), fails('CONNECTION_LOSS'))
  assert.equal(failures, 1)
})

test('many writes at once share syncs', async () => {
  const { zk, disk } = await open()
  const trace = disk.startTrace()
  await Promise.all(Array.from({ length: 1_000 }, (_, index) => zk.create(`/n${index}`, null, { mode: 'persistent' })))
  assert.ok(trace.filter(line => line.startsWith('sync ')).length <= 2)
})

test('damage that is not a torn end is refused, not cut', async () => {
  const { zk, disk, clock, zooKeeper } = await open(undefined, 10_000)
  for (let index = 0; index < 300; index += 1) {
    await zk.create(`/n${index}`, new Uint8Array(100), { mode: 'persistent' })
    await clock.settle()
  }
  const closing = zooKeeper.close()
  await clock.settle()
  await closing
  const logs = disk.list('/zk/version-2').filter(name => name.startsWith('log.'))
  const byZxid = logs.toSorted((a, b) => Number.parseInt(a.slice(4), 16) - Number.parseInt(b.slice(4), 16))
  const snapshots = disk.list('/zk/version-2').filter(name => name.startsWith('snapshot.'))
  const newest = snapshots.toSorted((a, b) => Number.parseInt(a.slice(9), 16) - Number.parseInt(b.slice(9), 16)).at(-1)
  // The newest snapshot and the log before it are both damaged: going on would lose what was acknowledged.
  for (const [name, position] of [
    [newest, 60],
    [byZxid[0], 200],
  ] as const) {
    const file = disk.open(`/zk/version-2/${name}`)
    file.write([Uint8Array.of(0xff, 0xff, 0xff)], position)
    file.close()
  }
  await assert.rejects(open(disk), { name: 'DataDirectoryError', message: /is damaged at byte \d+$/ })
})

test('a flipped bit before acknowledged changes is refused with the way out, not taken for a torn end', async () => {
  const { zk, disk, clock, zooKeeper } = await open()
  for (const name of ['/a', '/b', '/c', '/d']) await zk.create(name, new Uint8Array(100), { mode: 'persistent' })
  const closing = zooKeeper.close()
  await clock.settle()
  await closing
  const file = disk.open('/zk/version-2/log.1')
  const whole = new Uint8Array(file.size())
  file.read(whole, 0, whole.length, 0)
  file.write([Uint8Array.of(0xff)], 300)
  await assert.rejects(open(disk), {
    name: 'DataDirectoryError',
    message: /is damaged at byte \d+, .*cut it to \d+ bytes/,
  })
  assert.equal(file.size(), whole.length, 'the file is left as it was found')
  file.write([whole], 0)
  file.write([Uint8Array.of(0xff)], whole.length - 10)
  file.close()
  const { zk: again } = await open(disk)
  const names = (await again.getChildren('/')).children.toSorted()
  assert.deepEqual(names.slice(0, 3), ['a', 'b', 'c'], 'damage of the last record is a torn end')
})
