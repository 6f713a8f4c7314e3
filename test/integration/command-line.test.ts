import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'
import { RunningProgram, type RunOptions, run } from '../compat/process.ts'
import { bin } from './broker-process.ts'

const monedula = (cluster: TestCluster, args: string, options: RunOptions = {}) =>
  run(process.execPath, [bin('monedula.js'), ...args.split(' '), '-b', cluster.bootstrapServers], options)

test('topics are created, listed, described and deleted', async () => {
  await using cluster = await startCluster()
  assert.equal((await monedula(cluster, 'topic create orders -p 2 -c retention.ms=1000')).stdout, 'created orders\n')
  assert.equal((await monedula(cluster, 'topic list')).stdout, 'orders\n')
  assert.equal(
    (await monedula(cluster, 'topic describe orders')).stdout,
    'PARTITION  LEADER  REPLICAS  ISR  BEGIN  END\n0          0       0         0    0      0\n1          0       0         0    0      0\n',
  )
  assert.equal((await monedula(cluster, 'topic delete orders')).stdout, 'deleted orders\n')
  assert.equal((await monedula(cluster, 'topic list')).stdout, '')
})

test('lines are produced with keys and headers, and consumed as text or JSON', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders -k : -H from=till', { input: 'u1:one\nu2:two:2\n' })
  await monedula(cluster, 'produce orders', { input: 'three\n' })
  assert.equal((await monedula(cluster, 'consume orders')).stdout, 'u1\tone\nu2\ttwo:2\nthree\n')
  const { timestamp, ...first } = JSON.parse((await monedula(cluster, 'consume orders --json --max 1')).stdout)
  assert(timestamp > 0)
  const place = { topic: 'orders', partition: 0, offset: 0 }
  assert.deepEqual(first, { ...place, key: 'u1', value: 'one', headers: [['from', 'till']] })
})

test('a group goes on where it stands, and its lag is described', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders', { input: 'one\ntwo\n' })
  assert.equal((await monedula(cluster, 'consume orders -g billing')).stdout, 'one\ntwo\n')
  await monedula(cluster, 'produce orders', { input: 'three\n' })
  const { stdout } = await monedula(cluster, 'group describe billing')
  assert.match(stdout, /^billing: Empty, members: 0\n/)
  assert.match(stdout, /^orders +0 +2 +3 +1 +-$/m)
  assert.equal((await monedula(cluster, 'consume orders -g billing')).stdout, 'three\n')
  assert.match((await monedula(cluster, 'group list')).stdout, /^billing +Empty$/m)
})

test('a failure is one line, and exit code 1', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const expectedCodes = [1]
  const created = await monedula(cluster, 'topic create orders', { expectedCodes })
  assert.match(created.stderr, /^monedula: orders: [^\n]*already exists[^\n]*\n$/)
  const consumed = await monedula(cluster, 'consume none', { expectedCodes })
  assert.match(consumed.stderr, /^monedula: none: [^\n]*\n$/)
  const keyless = await monedula(cluster, 'produce orders -k :', { input: 'no key\n', expectedCodes })
  assert.match(keyless.stderr, /^monedula: a line has no key: [^\n]*\n$/)
})

test('consume --follow goes on with what comes, and ends cleanly by a signal', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders', { input: 'before\n' })
  const args = ['consume', 'orders', '--follow', '--from-beginning', '-b', cluster.bootstrapServers]
  const reader = new RunningProgram(process.execPath, [bin('monedula.js'), ...args])
  await reader.until(stdout => stdout.includes('before\n'), 20_000)
  await monedula(cluster, 'produce orders', { input: 'after\n' })
  await reader.until(stdout => stdout.includes('after\n'), 20_000)
  reader.kill('SIGINT')
  assert.equal(await reader.ended(10_000), 0)
  assert.equal(reader.stdout, 'before\nafter\n')
})

test('demo shows records flowing, and ends', async () => {
  const { stdout } = await run(process.execPath, [bin('monedula.js'), 'demo', '--count', '2'])
  assert.match(stdout, /orders-\d at 0 {2}user0 +\{"item":"apples","count":1\}\n/)
  assert.match(stdout, /orders-\d at \d {2}user1 +\{"item":"pears","count":2\}\n/)
})
