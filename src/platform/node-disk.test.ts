import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { DiskError } from './disk.ts'
import { nodeDisk } from './node-disk.ts'

const directory = mkdtempSync(join(tmpdir(), 'monedula-disk-'))
after(() => rmSync(directory, { recursive: true }))
const path = (name: string): string => join(directory, name)

test('what was written is read, in chunks and after a cut', async () => {
  const file = nodeDisk.open(path('a'), { create: true })
  assert.equal(file.write([Buffer.from('abc'), Buffer.from('def')], 0), 6)
  assert.equal(file.write([Buffer.from('X')], 1), 1)
  assert.equal(file.write([], 9), 0)
  await file.sync()
  const target = Buffer.alloc(10, '.')
  assert.equal(file.read(target, 1, 9, 0), 6)
  assert.equal(target.toString(), '.aXcdef...')
  assert.equal(await file.readLater(target, 0, 2, 4), 2)
  file.truncate(2)
  assert.equal(file.size(), 2)
  assert.equal(file.read(target, 0, 5, 2), 0)
  file.close()
  file.close()
  assert.throws(() => file.size(), { code: 'EBADF' })
})

test('a file closed while it is being synced is closed after that', async () => {
  const file = nodeDisk.open(path('closing'), { create: true })
  file.write([Buffer.from('x')], 0)
  const synced = file.sync()
  file.close()
  await synced
})

test('directories are made with those above them, and an impossible one is an error', () => {
  nodeDisk.makeDirectory(path('one/two/three'))
  nodeDisk.makeDirectory(path('one/two'))
  assert.ok(statSync(path('one/two/three')).isDirectory())
  writeFileSync(path('file'), '')
  assert.throws(() => nodeDisk.makeDirectory(path('file')), { code: 'EEXIST' })
  assert.throws(() => nodeDisk.makeDirectory(path('file/below/it')), { code: 'ENOTDIR' })
  if (process.platform === 'linux') assert.throws(() => nodeDisk.makeDirectory('/proc/none/at/all'), DiskError)
})

test('errors carry the code of the system', async () => {
  assert.throws(() => nodeDisk.open(path('missing')), { name: 'DiskError', code: 'ENOENT' })
  assert.throws(() => nodeDisk.list(path('missing')), DiskError)
  await assert.rejects(nodeDisk.syncDirectory(path('missing')), { code: 'ENOENT' })
  assert.equal(nodeDisk.stat(path('missing')), undefined)
})

test('directories are made with their parents, listed, renamed, synced and removed', async () => {
  nodeDisk.makeDirectory(path('d/e'))
  nodeDisk.open(path('d/e/f'), { create: true }).close()
  nodeDisk.rename(path('d/e'), path('d/g'))
  await nodeDisk.syncDirectory(path('d'))
  assert.deepEqual(nodeDisk.list(path('d')), ['g'])
  assert.ok(nodeDisk.stat(path('d/g'))?.isDirectory)
  nodeDisk.remove(path('d/g/f'))
  nodeDisk.removeDirectory(path('d'))
  nodeDisk.removeDirectory(path('d'))
})

test('a lock is had once, and again when released', () => {
  const lock = nodeDisk.lock(path('.lock'))
  assert.ok(lock)
  assert.equal(nodeDisk.lock(path('.lock')), undefined)
  lock.release()
  lock.release()
  const second = nodeDisk.lock(path('.lock'))
  assert.ok(second)
  second.release()
})

test('what a killed process, an earlier boot or another program left in the lock file does not count', () => {
  const name = path('.lock-stale')
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  writeFileSync(
    name,
    `+${boot} 4194303 17 aaa\n+old-boot ${process.pid} 1 bbb\n+${boot} ${process.pid} 1 ccc\n\0garbage`,
  )
  const lock = nodeDisk.lock(name)
  assert.ok(lock)
  lock.release()
})

test('the claim of another live process counts', { skip: process.platform !== 'linux' }, () => {
  const name = path('.lock-live')
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  const stat = readFileSync('/proc/1/stat', 'latin1')
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  writeFileSync(name, `+${boot} 1 ${start} aaa\n`)
  assert.equal(nodeDisk.lock(name), undefined)
  appendFileSync(name, `-${boot} 1 ${start} aaa\n`)
  nodeDisk.lock(name)?.release()
})

test('a lock file does not grow for ever', () => {
  const name = path('.lock-long')
  for (let round = 0; round < 100; round++) nodeDisk.lock(name)?.release()
  assert.ok(statSync(name).size < 8192)
})

test('a lock taken with fcntl, as a real Kafka takes it, is seen', { skip: process.platform !== 'linux' }, async t => {
  const name = path('.lock-fcntl')
  writeFileSync(name, '')
  const script = `import fcntl,sys\nf=open(${JSON.stringify(name)},'r+')\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint('held',flush=True)\nsys.stdin.read()`
  const holder: ChildProcess = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] })
  const held = await new Promise<boolean>(resolve => {
    holder.once('error', () => resolve(false))
    holder.once('exit', () => resolve(false))
    holder.stdout?.once('data', () => resolve(true))
  })
  if (!held) return t.skip('no python3 to hold an fcntl lock')
  assert.equal(nodeDisk.lock(name), undefined)
  const gone = new Promise(resolve => holder.once('exit', resolve))
  holder.kill()
  await gone
  assert.ok(nodeDisk.lock(name))
})
