/** Compaction that is killed at any moment, and compaction that finds the disk full. */
import assert from 'node:assert/strict'
import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { sleep, until } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { toolOrSkip } from '../compat/tools.ts'
import { cycles, report } from './cycles.ts'
import { produce } from './idempotent-load.ts'
import { type KeyedPartition, KeyedTransactions } from './keyed-transactions.ts'
import { diskOrSkip } from './loop-disk.ts'
import { readPartition } from './partition-reader.ts'
import { FaultInForce, strace } from './system-call-faults.ts'
import { withBroker } from './with-broker.ts'

const INIT = [p.InitProducerIdRequest, p.InitProducerIdResponse] as const
const ALTER = [p.IncrementalAlterConfigsRequest, p.IncrementalAlterConfigsResponse] as const
const COMPACTED = 'compacted'
const BOTH = 'compacted-and-deleted'
const PARTITIONS: readonly KeyedPartition[] = [
  { topic: COMPACTED, partition: 0, isDeleted: false },
  { topic: COMPACTED, partition: 1, isDeleted: false },
  { topic: BOTH, partition: 0, isDeleted: true },
]
const KEYS = 120
const IDLE_KEYS = ['idle-0', 'idle-1', 'idle-2']
const PROPERTIES = {
  'transaction.state.log.num.partitions': '2',
  'log.cleaner.backoff.ms': '20',
  'log.retention.check.interval.ms': '50',
  'log.segment.delete.delay.ms': '50',
}
const SMALL = [
  { name: 'segment.bytes', value: '16384' },
  { name: 'min.cleanable.dirty.ratio', value: '0.01' },
  { name: 'delete.retention.ms', value: '200' },
]
/** Of the first compaction after a start: of the cleaned files, of those they replace, and of the checkpoint. */
const RENAMES_OF_A_ROUND = 16

test('kill -9 at any moment of compaction keeps the last value of each key, revives nothing, forgets no sequence, moves no offset', async context => {
  const ready = await toolOrSkip(context, 'strace', async () => {
    await strace()
    return true
  })
  if (ready === undefined) return
  const kills = cycles(16)
  await withBroker({ properties: PROPERTIES }, async broker => {
    await createTopics(broker, [
      { topic: COMPACTED, numPartitions: 2, configEntries: [...SMALL, { name: 'cleanup.policy', value: 'compact' }] },
      {
        topic: BOTH,
        numPartitions: 1,
        configEntries: [
          ...SMALL,
          { name: 'cleanup.policy', value: 'compact,delete' },
          { name: 'retention.bytes', value: '24576' },
        ],
      },
    ])
    const idle = await IdleProducer.write(broker.port)
    const load = new KeyedTransactions(broker.port, PARTITIONS, KEYS)
    load.start(2)
    let midway = 0
    let placing = 0
    let rounds = 0
    for (let kill = 0; kill < kills; kill++) {
      await load.more(10)
      if (kill % 2 === 0) await killWhileCleaning(broker)
      else await killAtRename(broker, 1 + (kill % RENAMES_OF_A_ROUND))
      const left = marked(broker)
      if (left.length > 0) midway++
      if (left.some(name => name.endsWith('.swap'))) placing++
      rounds += broker.log.split('compacted log').length - 1
      await broker.restart()
      await load.audit()
    }
    await load.more(10)
    await load.stop()
    let audit = await load.audit()
    await until(
      () => `compaction takes nothing: ${JSON.stringify(audit)}`,
      async () => {
        audit = await load.audit()
        return audit.records <= audit.written / 2
      },
      100,
    )
    await idle.check(broker.port)
    assert.ok(midway >= kills / 3, `only ${midway} of ${kills} kills left a round half done`)
    assert.ok(placing > 0, 'a kill came while segments were being replaced')
    report(context.name, {
      kills,
      'that left a round half done': midway,
      'and segments half replaced': placing,
      'rounds of compaction': rounds,
      'transactions committed': load.committed,
      'and aborted': load.aborted,
      'records written': audit.written,
      left: audit.records,
    })
  })
})

/** Files of rounds under way and of segments that they replaced. */
function marked({ logDirectory }: BrokerProcess): string[] {
  return PARTITIONS.flatMap(({ topic, partition }) =>
    readdirSync(join(logDirectory, `${topic}-${partition}`)).filter(name => /\.(cleaned|swap)$/.test(name)),
  )
}

async function killWhileCleaning(broker: BrokerProcess): Promise<void> {
  await until('no compaction begins', () => marked(broker).length > 0, 1)
  await sleep(Math.random() * 10)
  await broker.killHard()
}

/** Kills the broker when it gives a file another name for the n-th time from now on. */
async function killAtRename(broker: BrokerProcess, count: number): Promise<void> {
  const effect = `signal=SIGKILL:when=${count}`
  const fault = await FaultInForce.on(broker.pid, { calls: ['rename', 'renameat', 'renameat2'], effect })
  await until(`the broker did not rename ${count} files`, () => !broker.isRunning)
  await fault.lift()
}

/** A producer that wrote once, long ago, of which compaction has left no record: another wrote the same keys. */
class IdleProducer {
  static readonly #WHERE = { topic: COMPACTED, partition: 0 }
  readonly #producerId: number
  readonly #baseOffset: number

  private constructor(producerId: number, baseOffset: number) {
    this.#producerId = producerId
    this.#baseOffset = baseOffset
  }

  static async write(port: number): Promise<IdleProducer> {
    const client = await ProtocolClient.open(port)
    const written: IdleProducer[] = []
    for (const value of ['old', 'new']) {
      const { producerId } = await client.ask(INIT, 4, { transactionalId: null, transactionTimeoutMs: 60_000 })
      const records = IdleProducer.#batch({ producerId, baseSequence: 0, value })
      const { error, baseOffset } = await produce(client, { ...IdleProducer.#WHERE, records })
      assert.equal(error, 'NONE')
      written.push(new IdleProducer(producerId, baseOffset))
    }
    client.close()
    return written[0]!
  }

  /** Its batch is gone and yet known as a duplicate; its next one is taken, and one behind a gap is not. */
  async check(port: number): Promise<void> {
    const left = await readPartition(port, IdleProducer.#WHERE)
    assert.deepEqual(left.filter(({ value }) => value === 'old').length, 0, 'compaction has taken the batch')
    assert.deepEqual(left.filter(({ value }) => value === 'new').length, IDLE_KEYS.length)
    const client = await ProtocolClient.open(port)
    const send = (baseSequence: number): ReturnType<typeof produce> => {
      const records = IdleProducer.#batch({ producerId: this.#producerId, baseSequence, value: 'old' })
      return produce(client, { ...IdleProducer.#WHERE, records })
    }
    assert.deepEqual(await send(0), { error: 'NONE', baseOffset: this.#baseOffset })
    assert.equal((await send(3 * IDLE_KEYS.length)).error, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
    assert.equal((await send(IDLE_KEYS.length)).error, 'NONE')
    client.close()
  }

  static #batch(batch: { producerId: number; baseSequence: number; value: string }): Uint8Array {
    const { value, ...producer } = batch
    return encode(IDLE_KEYS, value, producer)
  }
}

test('a full disk leaves a log that is being compacted as it was, and compaction goes on when there is space', async context => {
  const disk = await diskOrSkip(context, { megabytes: 24 })
  if (disk === undefined) return
  const directory = join(disk.path, 'broker')
  const ballast = join(disk.path, 'ballast')
  const where = { topic: COMPACTED, partition: 0 }
  const properties = { 'log.cleaner.backoff.ms': '200' }
  try {
    await withBroker({ directory, properties }, async broker => {
      const configEntries = [
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'segment.bytes', value: '1048576' },
        { name: 'min.compaction.lag.ms', value: String(86_400_000) },
      ]
      await createTopics(broker, [{ topic: COMPACTED, numPartitions: 1, configEntries }])
      const latest = await writeKeys(broker.port, where)
      const before = await readPartition(broker.port, where)
      const { bavail, bsize } = statfsSync(disk.path)
      writeFileSync(ballast, Buffer.alloc(bavail * bsize - 300 * 1024))
      await setConfig(broker.port, 'min.compaction.lag.ms', '0')
      await broker.untilLogged(/no space to compact the log/)
      const meanwhile = await readPartition(broker.port, where)
      assert.ok(isDeepStrictEqual(meanwhile, before), `${meanwhile.length} records of ${before.length}`)
      assert.doesNotMatch(broker.log, /offline|compacted log/)
      rmSync(ballast)
      await broker.untilLogged(/compacted log/)
      const after = await readPartition(broker.port, where)
      const found = new Map(after.map(({ key, value }) => [key, value]))
      assert.ok(isDeepStrictEqual(found, latest), `${found.size} keys of ${latest.size}`)
      assert.ok(after.length < before.length)
      const offsets = new Map(before.map(record => [record.offset, record]))
      for (const record of after) assert.deepEqual(record, offsets.get(record.offset), 'no offset moved')
      const client = await ProtocolClient.open(broker.port)
      assert.equal((await produce(client, { ...where, records: encode(['k'], 'more') })).error, 'NONE')
      client.close()
      const full = broker.log.split('no space to compact').length - 1
      report(context.name, { 'times full': full, 'records before': before.length, after: after.length })
    })
  } finally {
    await disk.dispose()
  }
})

/** Four thousand keys of a kilobyte, the last thousand of them three times; gives the last value of each. */
async function writeKeys(port: number, where: { topic: string; partition: number }): Promise<Map<string, string>> {
  const latest = new Map<string, string>()
  const client = await ProtocolClient.open(port)
  for (let first = 0; first < 6_000; first += 10) {
    const keys = Array.from(
      { length: 10 },
      (_, index) => `key-${first < 4_000 ? first + index : 3_000 + ((first + index) % 1_000)}`,
    )
    const value = `${first} ${'x'.repeat(1_000)}`
    assert.equal((await produce(client, { ...where, records: encode(keys, value) })).error, 'NONE')
    for (const key of keys) latest.set(key, value)
  }
  client.close()
  return latest
}

async function setConfig(port: number, name: string, value: string): Promise<void> {
  const client = await ProtocolClient.open(port)
  const configs = [{ name, configOperation: 0, value }]
  const body = { resources: [{ resourceType: 2, resourceName: COMPACTED, configs }], validateOnly: false }
  const answer = await client.ask(ALTER, 0, body)
  assert.equal(p.errorName(answer.responses[0]!.errorCode), 'NONE')
  client.close()
}

/** A batch of the same value for each key. */
function encode(
  keys: readonly string[],
  value: string,
  producer?: { producerId: number; baseSequence: number },
): Uint8Array {
  const timestamp = Date.now()
  const records = keys.map(key => ({ key: Buffer.from(key), value: Buffer.from(value), timestamp }))
  return p.encodeBatch({ records, ...(producer && { ...producer, producerEpoch: 0 }) })
}
