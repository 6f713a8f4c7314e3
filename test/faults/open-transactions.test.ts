/** Transactions that one broker leaves open, decided or aborted in its files, and the other kind of broker finds there. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess, Target } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { type BrokerInDirectory, startIn, startOnCopy } from '../compat/directory-copy.ts'
import { kafkaJars } from '../compat/jars.ts'
import { java } from '../compat/java.ts'
import { ToolClass } from '../compat/java-tool-runner.ts'
import { LONG_TEST_MS, PATIENCE_MS, sleep } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { toolOrSkip } from '../compat/tools.ts'
import { report } from './cycles.ts'
import { ends, readPartition } from './partition-reader.ts'
import { FaultInForce, strace } from './system-call-faults.ts'
import { TransactionClient } from './transaction-client.ts'

/** What becomes of the transaction that is open in a topic of this name: its producer ends it, nobody does, or the coordinator has decided. */
const FATES = ['commits', 'aborts', 'expires', 'prepared-commit', 'prepared-abort'] as const
type Fate = (typeof FATES)[number]
const PREPARED = ['prepared-commit', 'prepared-abort'] as const
/** States of a transaction in the coordinator's log: PrepareCommit and PrepareAbort. */
const DECIDED: readonly number[] = [2, 3]
const WITH_OFFSETS = ['commits', 'aborts'] as const
const TIMEOUT_MS = {
  commits: 600_000,
  aborts: 600_000,
  'prepared-commit': 600_000,
  'prepared-abort': 600_000,
  expires: 2_000,
}

const PROPERTIES = {
  'transaction.state.log.num.partitions': '2',
  'offsets.topic.num.partitions': '2',
}
/** A decision counts when it is synced, so that one can be written while another waits. */
const SYNCED = { 'log.flush.interval.messages': '1' }
const SELDOM = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '3600000' }
const OFTEN = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500' }
const IN_TIME = { timeout: LONG_TEST_MS }

type Producers = Readonly<Record<Fate, TransactionClient>>

test(
  'Apache Kafka goes on with the open, decided and aborted transactions that it finds in our directories',
  IN_TIME,
  context => exchange(context, 'monedula', 'kafka'),
)

test(
  'we go on with the open, decided and aborted transactions that we find in directories of Apache Kafka',
  IN_TIME,
  context => exchange(context, 'kafka', 'monedula'),
)

async function exchange(context: TestContext, from: Target, to: Target): Promise<void> {
  const tools = await toolOrSkip(context, 'strace and Apache Kafka', async () => [await strace(), await kafkaJars()])
  if (tools === undefined) return
  const parent = mkdtempSync(join(tmpdir(), 'monedula-open-'))
  const running: BrokerInDirectory[] = []
  try {
    const first = await startIn(join(parent, from), from, { ...PROPERTIES, ...SELDOM, ...SYNCED })
    running.push(first)
    const producers = await leaveOpen(first.broker)
    await first.stop()
    await dump(first.broker)
    const where = { directory: join(parent, to), properties: { ...PROPERTIES, ...OFTEN }, partitions: FATES.length }
    const second = await startOnCopy(first.broker, to, where)
    running.push(second)
    await goOn(second.broker, producers)
    report(context.name, { 'transactions found': FATES.length })
  } finally {
    for (const { stop } of running) await stop()
    rmSync(parent, { recursive: true, force: true })
  }
}

/** Finished transactions, then open ones in files that were closed cleanly, then two whose markers cannot be written. */
async function leaveOpen(broker: BrokerProcess): Promise<Producers> {
  await createTopics(
    broker,
    FATES.map(topic => ({ topic, numPartitions: 1 })),
  )
  const finished = new TransactionClient(broker.port, 'finished')
  await finished.init()
  for (const isCommit of [true, false]) {
    for (const topic of FATES)
      assert.deepEqual(await finished.send(topic, [0], isCommit ? 'kept' : 'dropped'), ['NONE'])
    for (const topic of WITH_OFFSETS) {
      await findGroup(broker, topic)
      assert.equal(await finished.sendOffset(topic, { topic, offset: isCommit ? 1 : 2 }), 'NONE')
    }
    assert.equal(await finished.end(isCommit), 'NONE')
    // Markers may come after the answer; what is written next is to stand behind them.
    for (const topic of FATES) await settled(broker, topic)
  }
  finished.close()
  const entries = FATES.map(fate => [fate, new TransactionClient(broker.port, fate, TIMEOUT_MS[fate])] as const)
  const producers = Object.fromEntries(entries) as Producers
  for (const [topic, producer] of entries) {
    await producer.init()
    assert.deepEqual(await producer.send(topic, [0], topic), ['NONE'])
  }
  for (const topic of WITH_OFFSETS) assert.equal(await producers[topic].sendOffset(topic, { topic, offset: 3 }), 'NONE')
  for (const producer of Object.values(producers)) producer.close()
  await broker.stop()
  await broker.restart()
  await decideWithoutMarkers(broker, producers)
  return producers
}

/** Ends two transactions while no write to their partitions passes, and kills the broker once the ends are decided. */
async function decideWithoutMarkers(broker: BrokerProcess, producers: Producers): Promise<void> {
  const files = PREPARED.map(topic => join(broker.logDirectory, `${topic}-0`, `${'0'.repeat(20)}.log`))
  const calls = ['write', 'writev', 'pwrite64', 'pwritev']
  const fault = await FaultInForce.on(broker.pid, { calls, effect: 'delay_enter=60000000', files })
  for (const fate of PREPARED) await producers[fate].connect()
  // Both requests are there when the broker looks, so that what holds the first marker does not hold the second decision.
  process.kill(broker.pid, 'SIGSTOP')
  const ends = [producers['prepared-commit'].end(true), producers['prepared-abort'].end(false)]
  // The kill may come before their answers.
  const ended = Promise.allSettled(ends)
  await sleep(50)
  process.kill(broker.pid, 'SIGCONT')
  await until(async () => (hasDecisions(broker) ? undefined : 'the ends are not decided'))
  const killed = broker.killHard()
  await fault.drop()
  await killed
  await ended
}

/** Whether the coordinator's files say of each transaction whose markers are held that it has been decided. */
function hasDecisions(broker: BrokerProcess): boolean {
  const last = new Map<string, number>()
  for (const file of logsOf(broker, '__transaction_state')) {
    const bytes = readFileSync(file)
    for (const header of p.batches(bytes)) {
      for (const { key, value } of p.decodeRecords(bytes, header, { maxBytes: bytes.length })) {
        const { transactionalId } = p.decodeWithVersion(p.TransactionLogKey, key!).message
        last.set(transactionalId, p.decodeWithVersion(p.TransactionLogValue, value!).message.transactionStatus)
      }
    }
  }
  return PREPARED.every(id => DECIDED.includes(last.get(id) ?? -1))
}

/** Absolute paths of the segments of a topic. */
function logsOf(broker: BrokerProcess, topic: string): string[] {
  return readdirSync(broker.logDirectory, { recursive: true, encoding: 'utf8' })
    .filter(name => name.startsWith(`${topic}-`) && /\/\d{20}\.log$/.test(name))
    .map(name => join(broker.logDirectory, name))
}

/** Kafka's tool decodes what lies there, and shows that the scene is as it was meant. */
async function dump(broker: BrokerProcess): Promise<void> {
  const decoded = async (topic: string, decoder: string): Promise<string> => {
    const { stdout, stderr } = await java(ToolClass.dumpLog, ['--files', logsOf(broker, topic).join(','), decoder])
    assert.doesNotMatch(stdout + stderr, /Exception|isvalid: false|mismatch/)
    return stdout
  }
  const transactions = await decoded('__transaction_state', '--transaction-log-decoder')
  const lastStates: Record<string, string> = {}
  for (const [, id = '', state = ''] of transactions.matchAll(/transactionalId=([\w-]+).*state=(\w+)/g))
    lastStates[id] = state
  assert.deepEqual(lastStates, {
    finished: 'CompleteAbort',
    commits: 'Ongoing',
    aborts: 'Ongoing',
    expires: 'Ongoing',
    'prepared-commit': 'PrepareCommit',
    'prepared-abort': 'PrepareAbort',
  })
  const offsets = await decoded('__consumer_offsets', '--offsets-decoder')
  assert.match(offsets, /"group":"commits","topic":"commits","partition":0/)
  assert.match(offsets, /endTxnMarker: COMMIT/)
}

/** What readers see and producers may do where the transactions were found. */
async function goOn(broker: BrokerProcess, producers: Producers): Promise<void> {
  for (const producer of Object.values(producers)) producer.moveTo(broker.port)
  for (const topic of WITH_OFFSETS) {
    const { highWatermark, lastStableOffset } = await ends(broker.port, { topic, partition: 0 })
    assert.equal(lastStableOffset, highWatermark - 1, `${topic}: one record is open`)
    assert.deepEqual(await committedValues(broker, topic), ['kept'])
  }
  for (const groupId of WITH_OFFSETS) assert.equal(await committedOffset(broker, groupId), 'UNSTABLE_OFFSET_COMMIT')
  await sees(broker, 'prepared-commit', ['kept', 'prepared-commit'])
  await sees(broker, 'prepared-abort', ['kept'])
  const { commits, aborts, expires } = producers
  assert.deepEqual(await commits.send('commits', [0], 'and more'), ['NONE'])
  assert.equal(await commits.end(true), 'NONE')
  await sees(broker, 'commits', ['kept', 'commits', 'and more'])
  await offsetBecomes(broker, 'commits', 3)
  assert.equal(await aborts.end(false), 'NONE')
  await sees(broker, 'aborts', ['kept'])
  await offsetBecomes(broker, 'aborts', 1)
  await sees(broker, 'expires', ['kept'])
  assert.match(await expires.end(true), /^(INVALID_PRODUCER_EPOCH|PRODUCER_FENCED)$/)
  for (const producer of Object.values(producers)) producer.close()
}

/** Waits until nothing is open in the topic. */
async function settled(broker: BrokerProcess, topic: Fate): Promise<void> {
  await until(async () => {
    const { highWatermark, lastStableOffset } = await ends(broker.port, { topic, partition: 0 })
    return highWatermark === lastStableOffset ? undefined : `${topic} is open from offset ${lastStableOffset} on`
  })
}

/** Waits until nothing is open in the topic, and reads it. */
async function sees(broker: BrokerProcess, fate: Fate, expected: readonly string[]): Promise<void> {
  const log = { topic: fate, partition: 0 }
  await settled(broker, fate)
  assert.deepEqual(await committedValues(broker, fate), expected)
  const all = await readPartition(broker.port, log)
  assert.deepEqual(
    all.map(({ value }) => value).filter(value => value !== 'and more'),
    ['kept', 'dropped', fate],
  )
}

async function committedValues(broker: BrokerProcess, topic: Fate): Promise<string[]> {
  const records = await readPartition(broker.port, { topic, partition: 0, isReadCommitted: true })
  return records.map(({ value }) => value)
}

async function offsetBecomes(broker: BrokerProcess, groupId: string, expected: number): Promise<void> {
  await until(async () => {
    const found = await committedOffset(broker, groupId)
    return found === expected ? undefined : `the offset of ${groupId} is ${found}`
  })
}

async function findGroup(broker: BrokerProcess, groupId: string): Promise<void> {
  const api = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
  await asked(broker, client => client.ask(api, 1, { key: groupId, keyType: 0 }))
}

/** The settled offset of a group in the topic of its name, or the name of the error that says there is none yet. */
async function committedOffset(broker: BrokerProcess, groupId: string): Promise<number | string> {
  const api = [p.OffsetFetchRequest, p.OffsetFetchResponse] as const
  const body = { groupId, topics: [{ name: groupId, partitionIndexes: [0] }], requireStable: true }
  const answer = await asked(broker, client => client.ask(api, 7, body))
  const { errorCode, committedOffset: offset } = answer.topics[0]!.partitions[0]!
  return p.errorName(errorCode) === 'NONE' ? offset : p.errorName(errorCode)
}

/** Asks until the coordinator is there. */
async function asked<Answer extends { readonly errorCode: number }>(
  broker: BrokerProcess,
  ask: (client: ProtocolClient) => Promise<Answer>,
): Promise<Answer> {
  const client = await ProtocolClient.open(broker.port)
  try {
    let answer = await ask(client)
    await until(async () => {
      answer = await ask(client)
      return /COORDINATOR/.test(p.errorName(answer.errorCode)) ? p.errorName(answer.errorCode) : undefined
    })
    return answer
  } finally {
    client.close()
  }
}

/** Looks again until there is no reason against it. */
async function until(reasonAgainst: () => Promise<string | undefined>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(50)) {
    const reason = await reasonAgainst()
    if (reason === undefined) return
    assert.ok(Date.now() < deadline, reason)
  }
}
