/** Records in and out of the `monedula` command. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect } from '../../src/client/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'
import { run } from '../compat/process.ts'
import { Workspace } from './broker-process.ts'
import { argumentsOf, monedula, refusal, startMonedula } from './monedula-command.ts'

const FIRST_OF_2026 = Date.UTC(2026, 0, 1)

interface Shown {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: unknown
  readonly value: unknown
  readonly headers: readonly unknown[]
}

/** What is in a topic, as JSON shows it. */
async function shownIn(cluster: TestCluster, topic: string): Promise<Shown[]> {
  const { stdout } = await monedula(cluster, `consume ${topic} --json`)
  return stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Shown)
}

test('lines are produced with keys and headers, and consumed as text or JSON', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders -k : -H from=till', { input: 'u1:one\nu2:two:2\n' })
  await monedula(cluster, 'produce orders', { input: 'three\r\nlast, without an end' })
  const { stdout } = await monedula(cluster, 'consume orders')
  assert.equal(stdout, 'u1\tone\nu2\ttwo:2\nthree\nlast, without an end\n')
  const { timestamp, ...first } = JSON.parse((await monedula(cluster, 'consume orders --json -n 1')).stdout)
  assert(timestamp > 0)
  const place = { topic: 'orders', partition: 0, offset: 0 }
  assert.deepEqual(first, { ...place, key: 'u1', value: 'one', headers: [['from', 'till']] })
})

test('partition, time, key, codec and acks of all records can be said', async () => {
  await using cluster = await startCluster({ topics: { orders: 3 } })
  const options = '-p 2 --key k -t 2026-01-01T00:00:00Z -z zstd -a 1 --producer-property linger.ms=1 -X batch.size=99'
  await monedula(cluster, `produce orders ${options}`, { input: 'one\n' })
  assert.deepEqual(await shownIn(cluster, 'orders'), [
    { topic: 'orders', partition: 2, offset: 0, timestamp: FIRST_OF_2026, key: 'k', value: 'one', headers: [] },
  ])
})

test('files are lines, or each the value of a record, byte for byte', async () => {
  await using cluster = await startCluster({ topics: ['files'] })
  const workspace = new Workspace()
  try {
    const [first, second] = [workspace.of('first'), workspace.of('second')]
    writeFileSync(first, Buffer.from([0, 0xff, 0x0a, 0x0d]))
    writeFileSync(second, 'a\nb')
    await monedula(cluster, ['produce', 'files', '--file', first, second])
    await monedula(cluster, ['produce', 'files', '--lines', second, second])
  } finally {
    workspace.remove()
  }
  const values = (await shownIn(cluster, 'files')).map(({ value }) => value)
  assert.deepEqual(values, [{ base64: 'AP8KDQ==' }, 'a\nb', 'a', 'b', 'a', 'b'])
})

test('what consume --json prints, produce --json takes: bytes, nulls, headers, times and partitions come back', async () => {
  await using cluster = await startCluster({ topics: { from: 2, to: 2 } })
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  await using producer = connect(cluster.bootstrapServers).producer()
  const headers = [
    { key: 'twice', value: 'a' },
    { key: 'twice', value: null },
    { key: 'bytes', value: everyByte },
  ]
  await producer.sendBatch('from', [
    { key: everyByte, value: everyByte, headers, partition: 0, timestamp: FIRST_OF_2026 },
    { key: null, value: null, partition: 1, timestamp: 5 },
    { key: '', value: '', partition: 1, timestamp: 6 },
    // Lines that others would see in it, and what only looks like the form of bytes.
    { key: '\u2028 \n \ufeff', value: '{"base64":"AA=="}', partition: 0, timestamp: 7 },
  ])
  const { stdout } = await monedula(cluster, 'consume from --json')
  await monedula(cluster, 'produce to --json', { input: stdout })
  const byPlace = (records: Shown[]): unknown =>
    records.map(record => ({ ...record, topic: '' })).sort((a, b) => a.partition - b.partition || a.offset - b.offset)
  const [before, after] = [await shownIn(cluster, 'from'), await shownIn(cluster, 'to')]
  assert.equal(before.length, 4)
  assert.deepEqual(byPlace(after), byPlace(before))
})

test('JSON that is no record is refused by what is wrong in it', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const wrong: readonly (readonly [line: string, reason: RegExp])[] = [
    ['{"valu": "x"}', /a record has no "valu"/],
    ['no json', /a line is no JSON object: no json/],
    ['["x"]', /a line is no JSON object/],
    ['{"value": {"id": 1}}', /value is \{"id":1\}: give a text, null, or/],
    ['{"value": {"base64": "not base64"}}', /value is \{"base64":"not base64"\}/],
    ['{"value": "x", "headers": ["a"]}', /a header is "a"/],
    ['{"value": "x", "timestamp": "now"}', /timestamp is "now"/],
    ['{"value": "x", "partition": -1}', /partition is -1/],
  ]
  for (const [line, reason] of wrong) {
    const shown = await refusal(cluster, 'produce orders --json', `${line}\n`)
    assert.match(shown, /^monedula: [^\n]+\n$/)
    assert.match(shown, reason)
  }
  await monedula(cluster, 'produce orders --json', {
    input: '{"value": "x", "headers": {"a": "b"}}\n{"key": "gone"}\n',
  })
  const shown = await shownIn(cluster, 'orders')
  assert.deepEqual(
    shown.map(({ key, value, headers }) => [key, value, headers]),
    [
      [null, 'x', [['a', 'b']]],
      ['gone', null, []],
    ],
  )
})

test('reading begins at an offset, before the end or at a time, and ends after so many records', async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  await using producer = connect(cluster.bootstrapServers).producer()
  for (const partition of [0, 1]) {
    const values = [0, 1, 2, 3].map(number => `${partition}${number}`)
    await producer.sendBatch(
      'orders',
      values.map((value, index) => ({ value, partition, timestamp: FIRST_OF_2026 + index * 1_000 })),
    )
  }
  const read = async (options: string): Promise<string[]> =>
    (await monedula(cluster, `consume orders ${options}`)).stdout.split('\n').filter(Boolean).sort()
  assert.deepEqual(await read('-p 1'), ['10', '11', '12', '13'])
  assert.deepEqual(await read('-p 0,1 -o 3'), ['03', '13'])
  assert.deepEqual(await read('-o -1'), ['03', '13'])
  assert.deepEqual(await read('-p 0 -o -99'), ['00', '01', '02', '03'])
  assert.deepEqual(await read('-o @2026-01-01T00:00:02Z'), ['02', '03', '12', '13'])
  assert.deepEqual(await read(`-o @${FIRST_OF_2026 + 3_000} -p 0`), ['03'])
  assert.deepEqual(await read('-o @2027-01-01'), [])
  assert.deepEqual(await read('-o end'), [])
  assert.deepEqual(await read('-p 0 -o beginning -n 2'), ['00', '01'])
  assert.deepEqual(await read('-p 0 -g half -o 2 -n 1'), ['02'])
  assert.deepEqual(await read('-p 0 -g half'), ['03'])
})

test('a format says how each record is printed, and null is not an empty text', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const input = 'a:1,b:-\tk\tv\n-\t-\t-\n-\tempty\t\n'
  const shape = ['--parse-headers', '-k', '\\t', '--null-marker', '-', '-t', `${FIRST_OF_2026}`]
  await monedula(cluster, ['produce', 'orders', ...shape], { input })
  assert.equal((await monedula(cluster, 'consume orders')).stdout, 'k\tv\nnull\nempty\t\n')
  const format = '%t-%p@%o %k=%s [%h] %T %d %K/%S 100%%\\n'
  const { stdout } = await monedula(cluster, ['consume', 'orders', '--format', format, '--null-marker', 'NIL'])
  const time = `${FIRST_OF_2026} 2026-01-01T00:00:00.000Z`
  assert.deepEqual(stdout.split('\n'), [
    `orders-0@0 k=v [a=1,b=NIL] ${time} 1/1 100%`,
    `orders-0@1 NIL=NIL [] ${time} -1/-1 100%`,
    `orders-0@2 empty= [] ${time} 5/0 100%`,
    '',
  ])
})

test('records of an aborted transaction are passed over by read_committed, and do not keep it from ending', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'till' })
  await producer.initTransactions()
  await producer.transaction(transaction => transaction.send('orders', { value: 'kept' }))
  producer.beginTransaction()
  await producer.send('orders', { value: 'dropped' })
  await producer.abortTransaction()
  const read = (options: string) => monedula(cluster, `consume orders ${options}`)
  assert.equal((await read('--isolation-level read_committed')).stdout, 'kept\n')
  assert.equal((await read('--isolation-level read_uncommitted')).stdout, 'kept\ndropped\n')
})

test('a member of a group that ends after so many records has committed them', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders', { input: 'one\ntwo\nthree\n' })
  assert.equal((await monedula(cluster, 'consume orders -g billing -n 2')).stdout, 'one\ntwo\n')
  assert.equal((await monedula(cluster, 'consume orders -g billing')).stdout, 'three\n')
})

test('consume --follow ends when nothing has come for as long as --timeout-ms says', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders', { input: 'before\n' })
  assert.equal((await monedula(cluster, 'consume orders --follow --timeout-ms 50')).stdout, '')
})

test('consume --follow goes on with what comes, and ends cleanly by a signal', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders', { input: 'before\n' })
  const reader = startMonedula(cluster, 'consume orders --follow --from-beginning')
  await reader.until(stdout => stdout.includes('before\n'))
  await monedula(cluster, 'produce orders', { input: 'after\n' })
  await reader.until(stdout => stdout.includes('after\n'))
  reader.kill('SIGINT')
  assert.equal(await reader.ended(), 0)
  assert.equal(reader.stdout, 'before\nafter\n')
})

test('a reader of the output that has enough ends consume quietly, and the group is left', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders', { input: 'wanted\n' })
  const reader = startMonedula(cluster, 'consume orders --follow --from-beginning -g billing')
  await reader.until(stdout => stdout !== '')
  reader.child.stdout?.destroy()
  await monedula(cluster, 'produce orders', { input: 'one more\n' })
  assert.equal(await reader.ended(), 0)
  assert.equal(reader.stderr, '')
  assert.match((await monedula(cluster, 'group describe billing')).stdout, /^billing: Empty, members: 0$/m)
})

const WITHOUT_A_FULL_DEVICE = existsSync('/dev/full') ? false : 'there is no /dev/full'

test('a member of a group whose output is full says so, and commits nothing', {
  skip: WITHOUT_A_FULL_DEVICE,
}, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using client = connect(cluster.bootstrapServers).consumer({ groupId: 'billing' })
  await monedula(cluster, 'produce orders', { input: 'some line\n'.repeat(10_000) })
  const words = argumentsOf(cluster, 'consume orders -g billing')
  const toFull = ['-c', 'exec "$0" "$@" > /dev/full', process.execPath, ...words]
  const { stderr } = await run('sh', toFull, { expectedCodes: [1] })
  assert.match(stderr, /^monedula: standard output cannot be written: ENOSPC[^\n]+\n$/)
  assert.deepEqual(await client.committed([{ topic: 'orders', partition: 0 }]), [undefined])
})

test('a member of a group whose output fits a file in part commits no more than whole records in the file', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using client = connect(cluster.bootstrapServers).consumer({ groupId: 'billing' })
  await monedula(cluster, 'produce orders', { input: `${'x'.repeat(99)}\n`.repeat(20_000) })
  const workspace = new Workspace()
  try {
    const file = workspace.of('out')
    const words = argumentsOf(cluster, 'consume orders -g billing')
    const limited = `ulimit -f 512; exec "$0" "$@" > '${file}'`
    const { stderr } = await run('sh', ['-c', limited, process.execPath, ...words], { expectedCodes: [1] })
    assert.match(stderr, /^monedula: standard output cannot be written: EFBIG[^\n]+\n$/)
    const [committed] = await client.committed([{ topic: 'orders', partition: 0 }])
    const whole = readFileSync(file, 'utf8').split('\n').length - 1
    assert(committed !== undefined && committed.offset <= whole, `${committed?.offset} of ${whole} were committed`)
  } finally {
    workspace.remove()
  }
})

test('a member of a group that ends by a signal has committed what it printed', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await monedula(cluster, 'produce orders', { input: 'one\ntwo\n' })
  const reader = startMonedula(cluster, 'consume orders --follow --from-beginning -g billing')
  await reader.until(stdout => stdout === 'one\ntwo\n')
  reader.kill('SIGTERM')
  assert.equal(await reader.ended(), 0)
  assert.equal((await monedula(cluster, 'consume orders -g billing')).stdout, '')
})

test('consume commits while it runs, and nothing where enable.auto.commit is false', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using client = connect(cluster.bootstrapServers).consumer({ groupId: 'billing' })
  await monedula(cluster, 'produce orders', { input: 'one\ntwo\n' })
  const read = 'consume orders --from-beginning -g billing'
  assert.equal((await monedula(cluster, `${read} -X enable.auto.commit=false`)).stdout, 'one\ntwo\n')
  const reader = startMonedula(cluster, `${read} --follow -X auto.commit.interval.ms=10`)
  await reader.until(stdout => stdout === 'one\ntwo\n')
  const place = { topic: 'orders', partition: 0 }
  while ((await client.committed([place]))[0]?.offset !== 2) assert(reader.running)
  reader.kill('SIGTERM')
  assert.equal(await reader.ended(), 0)
})

test('a line that a signal cut off is not published, but the last one of an input that ended is', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const writer = startMonedula(cluster, 'produce orders')
  writer.child.stdin?.write('one\ntwo\nthr')
  await using consumer = connect(cluster.bootstrapServers).consumer({ autoOffsetReset: 'earliest' })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  for await (const { offset } of consumer) if (offset === 1) break
  writer.kill('SIGINT')
  assert.equal(await writer.ended(), 0)
  assert.deepEqual(
    (await shownIn(cluster, 'orders')).map(({ value }) => value),
    ['one', 'two'],
  )
  await monedula(cluster, 'produce orders', { input: 'thr' })
  assert.deepEqual(
    (await shownIn(cluster, 'orders')).map(({ value }) => value),
    ['one', 'two', 'thr'],
  )
})

test('input that breaks is a failure, and no end', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const feeder = createConnection((server.address() as AddressInfo).port, '127.0.0.1')
  const [input] = (await once(server, 'connection')) as [Socket]
  const writer = spawn(process.execPath, argumentsOf(cluster, 'produce orders'), { stdio: [input, 'ignore', 'pipe'] })
  try {
    const ended = once(writer, 'close')
    const said: string[] = []
    writer.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text))
    feeder.write('one\n')
    await using consumer = connect(cluster.bootstrapServers).consumer({ autoOffsetReset: 'earliest' })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    for await (const _ of consumer) break
    feeder.resetAndDestroy()
    assert.deepEqual(await ended, [1, null])
    assert.match(said.join(''), /^monedula: read ECONNRESET\n$/)
  } finally {
    writer.kill('SIGKILL')
    for (const socket of [feeder, input]) socket.destroy()
    server.close()
  }
})

test('a signal ends produce from files, and the exit code says that some is missing', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const workspace = new Workspace()
  try {
    const file = workspace.of('lines')
    writeFileSync(file, `${'x'.repeat(99)}\n`.repeat(10_000))
    // More than can be sent before the signal comes.
    const files = Array.from({ length: 10_000 }, () => file)
    const writer = startMonedula(cluster, ['produce', 'orders', '--lines', ...files])
    await using consumer = connect(cluster.bootstrapServers).consumer({ autoOffsetReset: 'earliest' })
    consumer.assign([{ topic: 'orders', partition: 0 }])
    for await (const _ of consumer) break
    writer.kill('SIGTERM')
    assert.equal(await writer.ended(), 143)
    // Not killed, but ended.
    assert.equal(writer.child.signalCode, null)
    assert.equal(writer.stderr, '')
  } finally {
    workspace.remove()
  }
})

test('an empty file has no lines', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const workspace = new Workspace()
  try {
    const [empty, one] = [workspace.of('empty'), workspace.of('one')]
    writeFileSync(empty, '')
    writeFileSync(one, 'one')
    await monedula(cluster, ['produce', 'orders', '--lines', empty, one, empty])
  } finally {
    workspace.remove()
  }
  assert.deepEqual(
    (await shownIn(cluster, 'orders')).map(({ value }) => value),
    ['one'],
  )
})

test('the lines before one that is no record are published', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const input = '{"value": "one"}\n{"value": "two"}\nno json\n{"value": "four"}\n'
  assert.match(await refusal(cluster, 'produce orders --json', input), /a line is no JSON object: no json/)
  assert.deepEqual(
    (await shownIn(cluster, 'orders')).map(({ value }) => value),
    ['one', 'two'],
  )
})

test('produce tells of a failure while its input is still open', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const writer = startMonedula(cluster, 'produce orders -X max.request.size=1000')
  writer.child.stdin?.write(`${'x'.repeat(2_000)}\n`)
  assert.equal(await writer.ended(), 1)
  assert.match(writer.stderr, /^monedula: [^\n]+\n$/)
})

test('a signal ends the input of produce: what was read is published', async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  const writer = startMonedula(cluster, 'produce orders')
  writer.child.stdin?.write('read\n')
  await using consumer = connect(cluster.bootstrapServers).consumer({ autoOffsetReset: 'earliest' })
  consumer.assign([{ topic: 'orders', partition: 0 }])
  for await (const { valueBytes } of consumer) {
    assert.equal(Buffer.from(valueBytes ?? []).toString(), 'read')
    break
  }
  writer.kill('SIGTERM')
  assert.equal(await writer.ended(), 0)
})
