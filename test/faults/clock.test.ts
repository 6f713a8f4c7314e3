/** The wall clock of the broker drifts, and jumps by an hour and by ten years, forth and back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/client/index.ts'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { until } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { toolOrSkip } from '../compat/tools.ts'
import { report } from './cycles.ts'
import { IdempotentLoad, produce } from './idempotent-load.ts'
import { MovedClock } from './moved-clock.ts'
import { ends, readPartition } from './partition-reader.ts'
import { TransactionClient } from './transaction-client.ts'
import { withBroker } from './with-broker.ts'

const PRODUCE = [p.ProduceRequest, p.ProduceResponse] as const
const LIST_OFFSETS = [p.ListOffsetsRequest, p.ListOffsetsResponse] as const
const DESCRIBE = [p.DescribeGroupsRequest, p.DescribeGroupsResponse] as const
const TEN_YEARS = 10 * 365 * 24
/** How many times as fast as the machine's the clock goes, for some time each. */
const DRIFTS = [1.05, 0.9, 3, 0]
const DRIFT_MS = 2_000
/** Where the clock stands after each jump, in hours. */
const JUMPS = [1, 0, -1, 0, -TEN_YEARS, 0, TEN_YEARS, 0]
const PROPERTIES = {
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '100',
  'log.retention.check.interval.ms': '50',
  'offsets.retention.check.interval.ms': '100',
  'producer.id.expiration.check.interval.ms': '100',
}
const LOAD = { name: 'load', partitions: 2 }
const DATED = 'dated-by-the-broker'
const WEEK = 'kept-for-a-week'
const TRANSACTED = 'transacted'
const GROUP = 'readers'

interface Dated {
  readonly offset: number
  readonly timeMs: number
}

test('when the wall clock drifts and jumps, nothing is deleted early, clients go on, and transactions end by the time that passed', async context => {
  const clock = await toolOrSkip(context, 'libfaketime', () => MovedClock.create())
  if (clock === undefined) return
  try {
    await withBroker({ properties: PROPERTIES, env: clock.env }, async broker => {
      await createTopics(broker, [
        { topic: LOAD.name, numPartitions: LOAD.partitions, configEntries: forEver },
        {
          topic: DATED,
          numPartitions: 1,
          configEntries: [...forEver, { name: 'message.timestamp.type', value: 'LogAppendTime' }],
        },
        { topic: WEEK, numPartitions: 1, configEntries: SMALL_SEGMENTS },
        { topic: TRANSACTED, numPartitions: 1, configEntries: forEver },
      ])
      const load = new IdempotentLoad(broker.port, LOAD)
      await load.start()
      await using reader = new GroupReader(broker)
      const week = await fill(broker.port)
      const dated: Dated[] = []
      const member = await reader.member()
      const during = async (change: () => Promise<void> | void, when: string): Promise<void> => {
        const long = await openTransaction(broker.port, 'long', 60_000)
        const short = await openTransaction(broker.port, 'short', 1_500)
        await change()
        dated.push(await appendDated(broker.port, clock))
        await load.more(60)
        await reader.more(20)
        assert.equal(await long.end(true), 'NONE', when)
        await untilStable(broker.port)
        assert.notEqual(await short.end(true), 'NONE', when)
        // Ten years on, a week is over.
        const mustBeThere = dated.length <= DRIFTS.length + JUMPS.indexOf(TEN_YEARS)
        if (mustBeThere) assert.equal((await readPartition(broker.port, { topic: WEEK, partition: 0 })).length, week)
        assert.equal(await reader.member(), member, 'the member of the group stays')
        long.close()
        short.close()
      }
      for (const speed of DRIFTS) await during(() => clock.drift(speed, DRIFT_MS), `with a clock of speed ${speed}`)
      for (const hours of JUMPS) await during(() => clock.moveTo(hours), `with the clock at ${hours} h`)
      await load.stop()
      const audit = await load.audit()
      const committed = await readPartition(broker.port, { topic: TRANSACTED, partition: 0, isReadCommitted: true })
      assert.deepEqual(
        committed.map(({ value }) => value),
        [...DRIFTS, ...JUMPS].map(() => 'long'),
      )
      await lookUp(broker.port, dated)
      report(context.name, {
        drifts: DRIFTS.length,
        jumps: JUMPS.length,
        'records read by the group': reader.count,
        ...audit,
      })
    })
  } finally {
    clock.dispose()
  }
})

const SMALL_SEGMENTS = [{ name: 'segment.bytes', value: '16384' }]
const forEver = [...SMALL_SEGMENTS, { name: 'retention.ms', value: '-1' }]

/** Some segments of records of now; gives how many records. */
async function fill(port: number): Promise<number> {
  const client = await ProtocolClient.open(port)
  const batches = 100
  for (let batch = 0; batch < batches; batch++) {
    const records = [{ value: Buffer.alloc(1_000), timestamp: Date.now() }]
    const { error } = await produce(client, { topic: WEEK, partition: 0, records: p.encodeBatch({ records }) })
    assert.equal(error, 'NONE')
  }
  client.close()
  return batches
}

async function openTransaction(port: number, id: string, timeoutMs: number): Promise<TransactionClient> {
  const client = new TransactionClient(port, id, timeoutMs)
  await client.init()
  assert.deepEqual(await client.send(TRANSACTED, [0], id), ['NONE'])
  return client
}

/** Waits until no transaction is open: the one that nobody ends has timed out. */
async function untilStable(port: number): Promise<void> {
  await until('a transaction is not aborted after its timeout', async () => {
    const { highWatermark, lastStableOffset } = await ends(port, { topic: TRANSACTED, partition: 0 })
    return highWatermark === lastStableOffset
  })
}

/** Appends a record that the broker dates, which shows that its clock has jumped. */
async function appendDated(port: number, clock: MovedClock): Promise<Dated> {
  const client = await ProtocolClient.open(port)
  const records = p.encodeBatch({ records: [{ value: Buffer.from('dated'), timestamp: Date.now() }] })
  const topicData = [{ name: DATED, partitionData: [{ index: 0, records }] }]
  const answer = await client.ask(PRODUCE, 8, { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData })
  client.close()
  const { errorCode, baseOffset, logAppendTimeMs } = answer.responses[0]!.partitionResponses[0]!
  assert.equal(p.errorName(errorCode), 'NONE')
  const off = Number(logAppendTimeMs) - (Date.now() + clock.aheadMs)
  assert.ok(Math.abs(off) < 60_000, `the broker's clock is ${off} ms from where it was put`)
  return { offset: Number(baseOffset), timeMs: Number(logAppendTimeMs) }
}

/** Each time is found where a scan finds the first record that is not older. */
async function lookUp(port: number, dated: readonly Dated[]): Promise<void> {
  const client = await ProtocolClient.open(port)
  for (const { timeMs } of dated) {
    const partitions = [{ partitionIndex: 0, timestamp: timeMs }]
    const answer = await client.ask(LIST_OFFSETS, 1, { replicaId: -1, topics: [{ name: DATED, partitions }] })
    const first = dated.find(other => other.timeMs >= timeMs)!
    assert.equal(Number(answer.topics[0]!.partitions[0]!.offset), first.offset)
  }
  client.close()
}

/** A member of a group that reads what the load writes, for as long as it is not disposed of. */
class GroupReader implements AsyncDisposable {
  readonly #broker: BrokerProcess
  readonly #consumer
  readonly #reading: Promise<void>
  #count = 0
  #failure: unknown

  constructor(broker: BrokerProcess) {
    this.#broker = broker
    const settings = { groupId: GROUP, autoOffsetReset: 'earliest', sessionTimeoutMs: 6_000 } as const
    this.#consumer = connect(broker.bootstrap).consumer(settings)
    this.#reading = this.#read().catch(error => {
      this.#failure = error
    })
  }

  get count(): number {
    return this.#count
  }

  async #read(): Promise<void> {
    await this.#consumer.subscribe([LOAD.name])
    for await (const _record of this.#consumer) this.#count++
  }

  async more(records: number): Promise<void> {
    const wanted = this.#count + records
    await until(
      () => `the group reads nothing: ${this.#failure}`,
      () => this.#count >= wanted,
    )
  }

  /** The id of the one member, which changes when the group has thrown it out. */
  async member(): Promise<string> {
    await this.more(1)
    const client = await ProtocolClient.open(this.#broker.port)
    const { groups } = await client.ask(DESCRIBE, 0, { groups: [GROUP] })
    client.close()
    assert.equal(groups[0]!.members.length, 1)
    return groups[0]!.members[0]!.memberId
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.close()
    await this.#reading
  }
}
