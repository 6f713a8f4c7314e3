/**
 * What stops people in their first hour. Each failing start says in one line what is wrong, with which value, and the way out; what
 * need not fail does not.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import * as p from '../../src/protocol/everything.ts'
import { connectTo } from '../compat/connect-to.ts'
import { type RunningProgram, until } from '../compat/process.ts'
import { bin, failedStart, freePort, startBroker, Workspace } from './broker-process.ts'

const METADATA = [p.MetadataRequest, p.MetadataResponse] as const
const FIND_COORDINATOR = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const START = bin('kafka-server-start.sh')
const MONEDULA = bin('monedula.js')

let workspace: Workspace
const running: RunningProgram[] = []
beforeEach(() => {
  workspace = new Workspace()
})
afterEach(async () => {
  for (const broker of running.splice(0)) {
    broker.kill('SIGKILL')
    await broker.ended()
  }
  workspace.remove()
})

async function start(command: string, args: readonly string[]): Promise<RunningProgram> {
  const broker = await startBroker(command, args)
  running.push(broker)
  return broker
}

/** A start that fails with exit code 1 and exactly one line that complains, which says all of `words`. */
async function assertRefused(args: readonly string[], words: readonly (string | RegExp)[]): Promise<void> {
  const { code, output } = await failedStart(START, args)
  assert.equal(code, 1, output)
  assert.doesNotMatch(output, /^\s+at /m, 'a stack trace')
  const complaints = output.split('\n').filter(line => line !== '' && !/^\[[^\]]*\] (INFO|WARN) /.test(line))
  assert.equal(complaints.length, 1, output)
  for (const word of words) {
    if (typeof word === 'string') assert.ok(complaints[0]!.includes(word), `${word} in: ${complaints[0]}`)
    else assert.match(complaints[0]!, word)
  }
}

test('a port in use is named, with the key that chooses another', async () => {
  const server: Server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  try {
    const file = workspace.properties('server.properties', { listeners: `PLAINTEXT://127.0.0.1:${port}` })
    await assertRefused([file], [`127.0.0.1:${port}`, 'EADDRINUSE', 'another program listens there', 'listeners'])
    const metrics = workspace.properties('metrics.properties', { 'monedula.metrics.port': port })
    await assertRefused([metrics], [`127.0.0.1:${port}`, 'EADDRINUSE', 'monedula.metrics.port'])
  } finally {
    server.close()
  }
})

test('meta.properties of another cluster, or of another broker, is refused with the file and both ids', async () => {
  const file = workspace.properties('server.properties', {})
  const first = await start(START, [file])
  first.kill('SIGTERM')
  await first.ended()
  const meta = workspace.of('logs/meta.properties')
  const written = readFileSync(meta, 'utf8')
  const clusterId = /^cluster\.id=(.+)$/m.exec(written)?.[1] ?? assert.fail(written)

  writeFileSync(meta, written.replace(/^broker\.id=.*$/m, 'broker.id=7'))
  await assertRefused([file], ['broker.id', '7', /meta\.properties/])
  writeFileSync(meta, written.replace(clusterId, 'AAAAAAAAAAAAAAAAAAAAAg'))
  await assertRefused([file], [clusterId, 'AAAAAAAAAAAAAAAAAAAAAg', /meta\.properties/])
  writeFileSync(meta, written)
  const again = await start(START, [file])
  again.kill('SIGTERM')
})

test('a second broker on the same directories is refused', async () => {
  const file = workspace.properties('server.properties', {})
  await start(START, [file])
  await assertRefused([file], [workspace.of('logs'), 'in use', 'log.dirs', /stop it/])
})

test('a value that is none is refused with key, value and reason', async () => {
  const cases: readonly [key: string, value: string, reason: RegExp][] = [
    ['num.partitions', '3 ## comment', /number/i],
    ['log.retention.hours', 'a week', /number/i],
    ['num.partitions', '0', /at least 1/i],
    ['log.cleanup.policy', 'shrink', /compact.*delete|delete.*compact/],
    ['compression.type', 'brotli', /gzip/],
    ['auto.create.topics.enable', 'yes', /boolean|true/i],
  ]
  const starts = cases.map(([key, value, reason], index) =>
    assertRefused([workspace.properties(`${index}.properties`, { [key]: value })], [key, value, reason]),
  )
  await Promise.all(starts)
})

test('what is not there yet is refused rather than left out, with what to remove', async () => {
  const cases: readonly [Readonly<Record<string, string>>, readonly (string | RegExp)[]][] = [
    [{ 'zookeeper.connect': 'localhost:2181' }, ['zookeeper.connect', 'localhost:2181', /remove/i]],
    [{ listeners: 'SSL://127.0.0.1:0', 'security.inter.broker.protocol': 'SSL' }, ['SSL', /listeners|protocol/]],
    [{ 'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer' }, ['authorizer.class.name', /remove/i]],
    [{ 'process.roles': 'broker,controller' }, ['process.roles', /KRaft/]],
  ]
  const starts = cases.map(([values, words], index) =>
    assertRefused([workspace.properties(`${index}.properties`, values)], words),
  )
  await Promise.all(starts)
})

test('a directory that cannot be written is named', async () => {
  // To root nothing is forbidden but what no file system allows.
  const isRoot = process.getuid?.() === 0
  const directory = isRoot ? '/proc/monedula' : workspace.of('forbidden/logs')
  if (!isRoot) mkdirSync(workspace.of('forbidden'), 0o500)
  const file = workspace.properties('server.properties', { 'log.dirs': directory })
  await assertRefused([file], [directory, 'log.dirs', /may write/])
})

test('log.dirs that is a file is named', async () => {
  writeFileSync(workspace.of('occupied'), '')
  const file = workspace.properties('server.properties', { 'log.dirs': workspace.of('occupied/logs') })
  await assertRefused([file], [workspace.of('occupied/logs'), 'log.dirs'])
})

test('a file that is not there and an override that is none say so', async () => {
  await assertRefused(
    [workspace.of('missing.properties')],
    [workspace.of('missing.properties'), /ENOENT|no such file/i],
  )
  const file = workspace.properties('server.properties', {})
  await assertRefused([file, '--override', 'num.partitions'], ['num.partitions', 'key=value'])
  await assertRefused([file, '--override', 'num.partitions=-2'], ['num.partitions', '-2'])
  const { code, output } = await failedStart(START, [])
  assert.equal(code, 1)
  assert.match(output, /USAGE: .*kafka-server-start\.sh/)
})

test('monedula start explains a wrong option, and one that a file leaves without effect', async () => {
  const misspelt = await failedStart(process.execPath, [MONEDULA, 'start', '--prot', '1'])
  assert.equal(misspelt.code, 1)
  assert.match(misspelt.output, /--prot/)
  const file = workspace.properties('server.properties', {})
  for (const option of ['--port', '--data']) {
    const { code, output } = await failedStart(process.execPath, [MONEDULA, 'start', '-c', file, option, '1'])
    assert.equal(code, 1)
    assert.match(output, new RegExp(`--config <file>' cannot be used with option '-\\w, ${option} `))
  }
})

test('monedula start names its own options where a key of the configuration is the way out', async () => {
  const server: Server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const data = workspace.of('data')
  const refused = async (...args: string[]): Promise<string> => {
    const { code, output } = await failedStart(process.execPath, [MONEDULA, 'start', ...args])
    assert.equal(code, 1)
    return /^.*Cannot start: .*$/m.exec(output)?.[0] ?? assert.fail(output)
  }
  try {
    const taken = await refused('--port', String(port), '--data', data)
    assert.match(taken, new RegExp(`127\\.0\\.0\\.1:${port}.*another program listens there.*--port sets listeners`))
    assert.match(
      await refused('--port', '0', '--data', data, '--metrics-port', String(port)),
      /EADDRINUSE.*--metrics-port sets monedula\.metrics\.port/,
    )
    assert.doesNotMatch(await refused('-o', `listeners=PLAINTEXT://127.0.0.1:${port}`, '--data', data), /--port/)
  } finally {
    server.close()
  }
  await start(process.execPath, [MONEDULA, 'start', '--port', '0', '--data', data])
  assert.match(await refused('--port', '0', '--data', data), /in use by another process.*--data sets log\.dirs/)
})

test('a misspelt key does not stop the broker and is warned about by name', async () => {
  const file = workspace.properties('server.properties', { 'log.retention.houres': 5 })
  const broker = await start(START, [file])
  assert.match(broker.stdout, /WARN .*log\.retention\.houres/)
})

test('internal topics with replication factor 3 work on one broker', async () => {
  const port = await freePort()
  const file = workspace.properties('server.properties', {
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'offsets.topic.replication.factor': 3,
  })
  const broker = await start(START, [file])
  const client = await connectTo(port)
  let errorCode: number = p.ErrorCode.COORDINATOR_NOT_AVAILABLE
  await until('the coordinator is there', async () => {
    errorCode = (await client.call(FIND_COORDINATOR, 1, { key: 'group', keyType: 0 })).errorCode
    return errorCode !== p.ErrorCode.COORDINATOR_NOT_AVAILABLE
  })
  assert.equal(p.errorName(errorCode), 'NONE')
  client.close()
  assert.match(broker.stdout, /one replica instead of offsets\.topic\.replication\.factor=3/)
})

test('a broker that listens everywhere tells each client the address that it came by', async () => {
  const port = await freePort()
  const file = workspace.properties('server.properties', { listeners: `PLAINTEXT://0.0.0.0:${port}` })
  await start(START, [file])
  const hosts = process.platform === 'linux' ? ['127.0.0.1', '127.0.0.2'] : ['127.0.0.1']
  for (const host of hosts) {
    const client = await connectTo(port, host)
    const { brokers } = await client.call(METADATA, 1, { topics: [] })
    assert.deepEqual(
      brokers.map(broker => [broker.host, broker.port]),
      [[host, port]],
    )
    client.close()
  }
})

test('advertised.listeners is what clients are told where it is set', async () => {
  const port = await freePort()
  const file = workspace.properties('server.properties', { listeners: `PLAINTEXT://127.0.0.1:${port}` })
  await start(START, [file, '--override', 'advertised.listeners=PLAINTEXT://kafka.example.org:19092'])
  const client = await connectTo(port)
  const { brokers } = await client.call(METADATA, 1, { topics: [] })
  assert.deepEqual(
    brokers.map(broker => [broker.host, broker.port]),
    [['kafka.example.org', 19092]],
  )
  client.close()
})
