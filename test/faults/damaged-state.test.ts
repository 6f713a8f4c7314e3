/** What a broker keeps beside the records, damaged while it is down: made anew from the records, or refused. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { until } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { report } from './cycles.ts'
import { produce } from './idempotent-load.ts'
import { readPartition } from './partition-reader.ts'
import { TransactionClient } from './transaction-client.ts'
import { withBroker } from './with-broker.ts'

const INIT = [p.InitProducerIdRequest, p.InitProducerIdResponse] as const
const FIND = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const EPOCHS = [p.OffsetForLeaderEpochRequest, p.OffsetForLeaderEpochResponse] as const
const COMMIT = [p.OffsetCommitRequest, p.OffsetCommitResponse] as const
const OFFSETS = [p.OffsetFetchRequest, p.OffsetFetchResponse] as const
const WHERE = { topic: 'data', partition: 0 }
const LEADER_EPOCHS = 3
const PARTITION = `${WHERE.topic}-${WHERE.partition}`

const DAMAGE: Readonly<Record<string, (file: string) => void>> = {
  empty: file => truncateSync(file, 0),
  'cut off': file => truncateSync(file, Math.max(0, readFileSync(file).length - 5)),
  'without its last entry': file => truncateSync(file, Math.max(0, readFileSync(file).length - ENTRY_BYTES)),
  'over-long': file => writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.alloc(100, 0x35)])),
  'with a bit flipped': flipBit,
}
/** Of a transaction index. */
const ENTRY_BYTES = 34

/** In the middle of the file. */
function flipBit(file: string): void {
  const bytes = readFileSync(file)
  const at = bytes.length >> 1
  bytes[at] = bytes[at]! ^ 0x01
  writeFileSync(file, bytes)
}

/** Not between two batches: that looks as if compaction had been there. */
function cutInBatch(file: string): void {
  const bytes = readFileSync(file)
  const batch = [...p.batches(bytes)].find(({ position }) => position > bytes.length >> 1)!
  truncateSync(file, batch.position + 20)
}

/** Files of a partition whose names end so, the oldest first. */
function files(broker: BrokerProcess, partition: string, ...endings: string[]): string[] {
  const directory = join(broker.logDirectory, partition)
  return readdirSync(directory)
    .filter(name => endings.some(ending => name.endsWith(ending)))
    .sort()
    .map(name => join(directory, name))
}

test('transaction indexes, producer snapshots and leader epochs that are damaged or gone are made anew', async context => {
  await withBroker({ properties: { 'transaction.state.log.num.partitions': '1' } }, async broker => {
    const configEntries = [{ name: 'segment.bytes', value: '4096' }]
    await createTopics(broker, [{ topic: WHERE.topic, numPartitions: 1, configEntries }])
    const idempotent = await fill(broker)
    const expected = await answers(broker, idempotent)
    assert.ok(expected.committed.length > 50)
    assert.ok(new Set(expected.epochs).size === LEADER_EPOCHS, JSON.stringify(expected.epochs))
    let damaged = 0
    for (const [kind, damage] of Object.entries(DAMAGE)) {
      for (const isClean of [true, false]) {
        if (isClean) await broker.stop()
        else await broker.killHard()
        const struck = files(broker, PARTITION, '.txnindex', '.snapshot', 'leader-epoch-checkpoint')
        assert.ok(struck.length > 5)
        for (const file of struck) damage(file)
        damaged += struck.length
        await broker.restart()
        assert.deepEqual(await answers(broker, idempotent), expected, `${kind}, ${isClean ? 'clean stop' : 'kill -9'}`)
      }
    }
    await broker.stop()
    const struck = files(broker, PARTITION, '.txnindex', 'leader-epoch-checkpoint')
    for (const file of struck) rmSync(file)
    await broker.restart()
    assert.deepEqual(await answers(broker, idempotent), expected, 'gone')
    report(context.name, {
      'files damaged': damaged + struck.length,
      'records of committed transactions': expected.committed.length,
    })
  })
})

interface Idempotent {
  readonly records: () => Uint8Array
  readonly baseOffset: number
}

/** Transactions, some aborted, over several segments and leader epochs; and a batch of an idempotent producer. */
async function fill(broker: BrokerProcess): Promise<Idempotent> {
  const client = await ProtocolClient.open(broker.port)
  const { producerId } = await client.ask(INIT, 4, { transactionalId: null, transactionTimeoutMs: 60_000 })
  const content = [{ value: Buffer.from('idempotent'), timestamp: Date.now() }]
  const records = (): Uint8Array => p.encodeBatch({ records: content, producerId, producerEpoch: 0, baseSequence: 0 })
  const { error, baseOffset } = await produce(client, { ...WHERE, records: records() })
  assert.equal(error, 'NONE')
  client.close()
  for (let run = 0; run < LEADER_EPOCHS; run++) {
    const producer = new TransactionClient(broker.port, 'filler')
    await producer.init()
    for (let number = 0; number < 40; number++) {
      const value = `${run} ${number} ${'x'.repeat(100)}`
      assert.deepEqual(await producer.send(WHERE.topic, [0], value), ['NONE'])
      assert.equal(await producer.end(number % 3 !== 0), 'NONE')
    }
    producer.close()
    // Another leader epoch begins.
    await broker.killHard()
    await broker.restart()
  }
  return { records, baseOffset }
}

/** What committed readers see, where each leader epoch ends, and that a batch which is sent again is known. */
async function answers(
  { port }: BrokerProcess,
  idempotent: Idempotent,
): Promise<{ committed: string[]; epochs: number[] }> {
  const read = await readPartition(port, { ...WHERE, isReadCommitted: true })
  const client = await ProtocolClient.open(port)
  const ofEpoch = async (leaderEpoch: number): Promise<number> => {
    const topics = [{ topic: WHERE.topic, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch }] }]
    const answer = await client.ask(EPOCHS, 2, { topics })
    const { errorCode, endOffset } = answer.topics[0]!.partitions[0]!
    assert.equal(p.errorName(errorCode), 'NONE')
    return Number(endOffset)
  }
  const ends: number[] = []
  for (let epoch = 0; epoch < LEADER_EPOCHS; epoch++) ends.push(await ofEpoch(epoch))
  const again = await produce(client, { ...WHERE, records: idempotent.records() })
  assert.deepEqual(again, { error: 'NONE', baseOffset: idempotent.baseOffset })
  client.close()
  return { committed: read.map(({ offset, value }) => `${offset} ${value}`), epochs: ends }
}

test('a group whose partition of __consumer_offsets is damaged is refused, and others are served', async context => {
  const properties = {
    'offsets.topic.num.partitions': '2',
    'offsets.topic.segment.bytes': '8192',
    'log.cleaner.enable': 'false',
  }
  await withBroker({ properties }, async broker => {
    await createTopics(broker, [{ topic: WHERE.topic, numPartitions: 1 }])
    const commits = 200
    for (const group of ['b', 'a']) await commit(broker.port, group, commits)
    let refused = 0
    for (const damage of [flipBit, cutInBatch]) {
      await broker.stop()
      // By the hash of its name 'b' is in partition 0, and 'a' in 1.
      const [victim = ''] = files(broker, '__consumer_offsets-0', '.log')
      const whole = readFileSync(victim)
      damage(victim)
      await broker.restart()
      assert.equal(await committed(broker.port, 'a'), commits)
      assert.equal(await committed(broker.port, 'b'), 'COORDINATOR_NOT_AVAILABLE')
      assert.match(broker.log, /Error loading __consumer_offsets-0/)
      refused++
      await broker.stop()
      writeFileSync(victim, whole)
      await broker.restart()
      assert.equal(await committed(broker.port, 'b'), commits)
    }
    report(context.name, { 'times refused': refused, 'commits acknowledged': 2 * commits })
  })
})

/** Commits the offsets 1 to `count`, one after the other. */
async function commit(port: number, groupId: string, count: number): Promise<void> {
  const client = await ProtocolClient.open(port)
  await settled(async () => (await client.ask(FIND, 1, { key: groupId, keyType: 0 })).errorCode)
  for (let committedOffset = 1; committedOffset <= count; committedOffset++) {
    const topics = [{ name: WHERE.topic, partitions: [{ partitionIndex: 0, committedOffset }] }]
    await settled(async () => {
      const answer = await client.ask(COMMIT, 2, { groupId, topics })
      return answer.topics[0]!.partitions[0]!.errorCode
    })
  }
  client.close()
}

/** The committed offset; or the error, once the coordinator has loaded. */
async function committed(port: number, groupId: string): Promise<number | string> {
  const client = await ProtocolClient.open(port)
  const topics = [{ name: WHERE.topic, partitionIndexes: [0] }]
  const answer = async () => client.ask(OFFSETS, 2, { groupId, topics })
  await settled(async () => (await answer()).errorCode, ['COORDINATOR_NOT_AVAILABLE'])
  const { errorCode, topics: found } = await answer()
  client.close()
  const error = p.errorName(errorCode)
  return error === 'NONE' ? Number(found[0]!.partitions[0]!.committedOffset) : error
}

/** Asks until the coordinator is there, or the error is one of these. */
async function settled(ask: () => Promise<number>, ends: readonly string[] = []): Promise<void> {
  let error = 'NONE'
  await until(
    () => error,
    async () => {
      error = p.errorName(await ask())
      const isEnd = error === 'NONE' || ends.includes(error)
      assert.ok(isEnd || /COORDINATOR/.test(error), error)
      return isEnd
    },
  )
}
