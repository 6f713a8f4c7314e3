/** Starting, stopping and starting again, with the scripts and signals that people use. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, test } from 'node:test'
import * as p from '../../src/protocol/everything.ts'
import { connectTo } from '../compat/connect-to.ts'
import { PATIENCE_MS, RunningProgram, run, sleep, until } from '../compat/process.ts'
import { bin, freePort, fromRoot, STARTED, startBroker, Workspace } from './broker-process.ts'

/** Lists processes; slim images lack it. */
const PS = '/bin/ps'
const PRODUCE = [p.ProduceRequest, p.ProduceResponse] as const
const FETCH = [p.FetchRequest, p.FetchResponse] as const
const METADATA = [p.MetadataRequest, p.MetadataResponse] as const
const FIND_COORDINATOR = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const OFFSET_COMMIT = [p.OffsetCommitRequest, p.OffsetCommitResponse] as const
const OFFSET_FETCH = [p.OffsetFetchRequest, p.OffsetFetchResponse] as const
const START = bin('kafka-server-start.sh')

let workspace: Workspace
let port: number
let file: string
const running: RunningProgram[] = []
beforeEach(async () => {
  workspace = new Workspace()
  port = await freePort()
  file = workspace.properties('server.properties', {
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'offsets.topic.num.partitions': 2,
    'group.initial.rebalance.delay.ms': 0,
  })
})
afterEach(async () => {
  for (const broker of running.splice(0)) {
    broker.kill('SIGKILL')
    await broker.ended()
  }
  if (existsSync(PS)) await killDaemons()
  workspace.remove()
})

/** Ends what a failed test left running behind. */
async function killDaemons(): Promise<void> {
  const left = (await run(PS, ['-A', '-o', 'pid=,args='])).stdout.split('\n').filter(line => line.includes(file))
  for (const line of left) process.kill(Number.parseInt(line, 10), 'SIGKILL')
}

async function start(...args: string[]): Promise<RunningProgram> {
  const broker = await startBroker(START, [file, ...args])
  running.push(broker)
  return broker
}

/** Calls until the error is none: topics and coordinators are made on first use. */
async function insist(what: () => Promise<number>): Promise<void> {
  let code = -1
  await until(
    () => p.errorName(code),
    async () => {
      code = await what()
      return code === 0
    },
  )
}

/** A topic with three records, and a group that has read two of them. */
async function fill(): Promise<void> {
  const client = await connectTo(port)
  await insist(async () => (await client.call(METADATA, 4, METADATA_OF_KEPT)).topics[0]!.errorCode)
  const records = p.encodeBatch({ records: ['one', 'two', 'three'].map(text => ({ value: Buffer.from(text) })) })
  const topicData = [{ name: 'kept', partitionData: [{ index: 0, records }] }]
  await insist(async () => {
    const { responses } = await client.call(PRODUCE, 8, { acks: -1, timeoutMs: 1_000, topicData })
    return responses[0]!.partitionResponses[0]!.errorCode
  })
  await insist(async () => (await client.call(FIND_COORDINATOR, 1, { key: 'readers', keyType: 0 })).errorCode)
  const topics = [{ name: 'kept', partitions: [{ partitionIndex: 0, committedOffset: 2, committedMetadata: 'note' }] }]
  await insist(async () => {
    const answer = await client.call(OFFSET_COMMIT, 2, { groupId: 'readers', topics })
    return answer.topics[0]!.partitions[0]!.errorCode
  })
  client.close()
}

const METADATA_OF_KEPT = { topics: [{ name: 'kept' }], allowAutoTopicCreation: true }

/** What `fill` left is there, whatever happened since. */
async function assertKept(): Promise<void> {
  const client = await connectTo(port)
  const fetched = await client.call(FETCH, 11, {
    maxWaitMs: 100,
    minBytes: 1,
    topics: [{ topic: 'kept', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
  })
  const partition = fetched.responses[0]!.partitions[0]!
  assert.equal(p.errorName(partition.errorCode), 'NONE')
  const texts = [...p.batches(partition.records!)].flatMap(header =>
    [...p.decodeRecords(partition.records!, header, { maxBytes: 1 << 20 })].map(({ value }) => String(value)),
  )
  assert.deepEqual(texts, ['one', 'two', 'three'])
  const topics = [{ name: 'kept', partitionIndexes: [0] }]
  let committed: { committedOffset: number; metadata: string | null } | undefined
  await insist(async () => {
    const answer = await client.call(OFFSET_FETCH, 2, { groupId: 'readers', topics })
    committed = answer.topics[0]?.partitions[0]
    return answer.errorCode
  })
  assert.deepEqual([committed?.committedOffset, committed?.metadata], [2, 'note'])
  client.close()
}

/**
 * A PATH on which `ps` shows the processes of this test alone: kafka-server-stop.sh stops every broker that it sees, and a machine that
 * runs tests may well have others.
 */
function pathWithOwnProcesses(): string {
  mkdirSync(workspace.of('path'))
  writeFileSync(workspace.of('path/ps'), `#!/bin/sh\n${PS} "$@" | grep -F '${file}'\n`, { mode: 0o755 })
  const { PATH = '' } = process.env
  return `${workspace.of('path')}:${PATH}`
}

test('the log of a start ends with the line that scripts wait for, and a file of that name marks a clean stop', async () => {
  const broker = await start()
  const lines = broker.stdout.trimEnd().split('\n')
  assert.equal(STARTED.exec(lines.at(-1)!)?.[1], '0')
  assert.match(lines.at(-1)!, /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] INFO /)
  broker.kill('SIGTERM')
  assert.equal(await broker.ended(), 143)
  assert.match(broker.stdout, /shut down completed \(kafka\.server\.KafkaServer\)\n$/)
  assert.equal(broker.stderr, '')
  assert.ok(existsSync(workspace.of('logs/.kafka_cleanshutdown')))
})

test('topics, records and offsets of groups are there after a clean stop', async () => {
  const broker = await start()
  await fill()
  broker.kill('SIGTERM')
  assert.equal(await broker.ended(), 143)
  await start()
  await assertKept()
})

test('after kill -9 the broker starts again at once, and has everything', async () => {
  const broker = await start()
  await fill()
  broker.kill('SIGKILL')
  await broker.ended()
  assert.ok(!existsSync(workspace.of('logs/.kafka_cleanshutdown')))
  await start()
  await assertKept()
})

test('a client in the middle of a wait does not hold up the stop', async () => {
  const broker = await start()
  await fill()
  const client = await connectTo(port)
  const waiting = client.call(FETCH, 11, {
    maxWaitMs: 10 * PATIENCE_MS,
    minBytes: 1,
    topics: [{ topic: 'kept', partitions: [{ partition: 0, fetchOffset: 3, partitionMaxBytes: 1 << 20 }] }],
  })
  waiting.catch(() => undefined)
  await sleep(100)
  broker.kill('SIGTERM')
  assert.equal(await broker.ended(), 143)
})

test('port 0 is a free port, and SIGINT is a clean stop too', async () => {
  const broker = await start('--override', 'listeners=PLAINTEXT://127.0.0.1:0')
  assert.match(broker.stdout, /127\.0\.0\.1:[1-9]\d{3,4}\b/)
  broker.kill('SIGINT')
  assert.equal(await broker.ended(), 130)
  assert.ok(existsSync(workspace.of('logs/.kafka_cleanshutdown')))
})

test('SIGTERM during the start ends it, and the next start finds nothing broken', async () => {
  for (const delayMs of [150, 250, 350]) {
    const broker = new RunningProgram(START, [file])
    running.push(broker)
    await sleep(delayMs)
    broker.kill('SIGTERM')
    assert.equal(await broker.ended(), 143, broker.stdout)
    assert.doesNotMatch(broker.stdout, /ERROR/)
  }
  await start()
})

const needsPs = { skip: existsSync(PS) ? false : 'kafka-server-stop.sh needs ps, which this machine lacks' }
test(
  'kafka-server-start.sh -daemon leaves a broker behind, with its output in a file, that kafka-server-stop.sh stops',
  needsPs,
  async () => {
    const env = { LOG_DIR: workspace.of('output') }
    await run(START, ['-daemon', file], { env })
    const output = (): string =>
      existsSync(workspace.of('output/kafkaServer.out'))
        ? readFileSync(workspace.of('output/kafkaServer.out'), 'utf8')
        : ''
    await until(output, () => STARTED.test(output()))
    await fill()
    await run(bin('kafka-server-stop.sh'), [], { env: { PATH: pathWithOwnProcesses() } })
    await until(output, () => /shut down completed/.test(output()))
    assert.ok(existsSync(workspace.of('logs/.kafka_cleanshutdown')))
  },
)

test('monedula start with nothing else keeps its data where it says, and the example runs against it', async () => {
  const args = [bin('monedula.js'), 'start', '--port', String(port), '--data', workspace.of('data')]
  const broker = await startBroker(process.execPath, args)
  running.push(broker)
  const example = await run(process.execPath, [fromRoot('examples/hello.mjs'), `127.0.0.1:${port}`])
  const lines = example.stdout.trim().split('\n')
  assert.equal(lines.length, 3, example.stdout)
  for (const word of ['jackdaw', 'kavka', 'Monedula'])
    assert.ok(
      lines.some(line => line.includes(word)),
      example.stdout,
    )
  assert.match(broker.stdout, new RegExp(`127\\.0\\.0\\.1:${port}`))
  assert.ok(existsSync(workspace.of('data')))
  broker.kill('SIGTERM')
  assert.equal(await broker.ended(), 143)
})
