import assert from 'node:assert/strict'
import type { ConsumerOptions, ConsumerRecord } from '../../src/client/index.ts'
import { numbers, read, type Scenario, type SuiteCluster, sorted, TEXT, until } from './suite.ts'

const fromStart = (groupId: string): ConsumerOptions<string, string> => ({
  ...TEXT,
  autoOffsetReset: 'earliest',
  groupId,
})

const valuesOf = (records: readonly ConsumerRecord<string, string>[]): (string | null)[] =>
  records.map(({ value }) => value)

async function byAssignment(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(2)
  await cluster.publish(topic, { count: 10, partitions: 2 })
  await using consumer = cluster.kafka.consumer(TEXT)
  consumer.assign([{ topic, partition: 1, offset: 2 }])
  const records = await read(consumer, 3)
  assert.deepEqual(
    records.map(({ offset, partition, key, value, headers }) => [
      offset,
      partition,
      key,
      value,
      String(headers[0]?.value),
    ]),
    [
      [2, 1, 'k5', '5', '5'],
      [3, 1, 'k0', '7', '7'],
      [4, 1, 'k2', '9', '9'],
    ],
  )
}

async function goesOn(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(3)
  const groupId = cluster.name('readers')
  await cluster.publish(topic, { count: 30, partitions: 3 })
  {
    await using consumer = cluster.kafka.consumer({ ...fromStart(groupId), enableAutoCommit: false })
    consumer.subscribe(topic)
    assert.deepEqual(sorted(valuesOf(await read(consumer, 30))), numbers(30))
    const ends = [0, 1, 2].map(partition => ({ topic, partition, offset: 10, metadata: `m${partition}` }))
    await consumer.commit(ends)
    assert.deepEqual(
      (await consumer.committed(ends)).map(one => [one?.offset, one?.metadata]),
      [0, 1, 2].map(partition => [10, `m${partition}`]),
    )
  }
  await cluster.publish(topic, { count: 3, prefix: '10', partitions: 3 })
  await using next = cluster.kafka.consumer(fromStart(groupId))
  next.subscribe([topic])
  assert.deepEqual(sorted(valuesOf(await read(next, 3))), ['100', '101', '102'])
}

/** Members of one group in this process, with a look at who owns what. */
class Members {
  readonly seen = new Set<string>()
  readonly owners = new Map<number, string>()
  readonly #cluster: SuiteCluster
  readonly #topic: string
  readonly #options: ConsumerOptions<string, string>

  constructor(cluster: SuiteCluster, topic: string, options: ConsumerOptions<string, string>) {
    this.#cluster = cluster
    this.#topic = topic
    this.#options = options
  }

  start(name: string) {
    const consumer = this.#cluster.kafka.consumer({
      ...this.#options,
      onAssigned: partitions => {
        for (const { partition } of partitions) {
          assert.equal(this.owners.get(partition), undefined, `${partition} has two owners`)
          this.owners.set(partition, name)
        }
      },
      onRevoked: partitions => {
        for (const { partition } of partitions) this.owners.delete(partition)
      },
    })
    consumer.subscribe([this.#topic])
    const running = consumer.run(({ value }) => void this.seen.add(value!))
    const stop = async (): Promise<void> => {
      await consumer.close()
      await running
    }
    return { consumer, stop, [Symbol.asyncDispose]: stop }
  }

  async spread(members: number, partitions: number): Promise<void> {
    await until(() => this.owners.size === partitions && new Set(this.owners.values()).size === members)
  }
}

/** Members share partitions under a strategy, and take over those of one that leaves. */
async function share(cluster: SuiteCluster, strategy: string): Promise<void> {
  const topic = await cluster.topic(4)
  const options = {
    ...fromStart(cluster.name('readers')),
    partitionAssignmentStrategy: strategy,
    heartbeatIntervalMs: 50,
    autoCommitIntervalMs: 50,
  }
  const members = new Members(cluster, topic, options)
  await using first = members.start('first')
  await cluster.publish(topic, { count: 100, partitions: 4 })
  await until(() => members.seen.size === 100)
  await using second = members.start('second')
  await members.spread(2, 4)
  assert.equal(second.consumer.assignment.length, 2)
  await cluster.publish(topic, { count: 100, prefix: '1000', partitions: 4 })
  await until(() => members.seen.size === 200)
  await first.stop()
  await members.spread(1, 4)
  await cluster.publish(topic, { count: 40, prefix: '9000', partitions: 4 })
  await until(() => members.seen.size === 240)
  await second.stop()
}

async function readAgain(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await cluster.publish(topic, { count: 10 })
  await using consumer = cluster.kafka.consumer(fromStart(cluster.name('readers')))
  consumer.subscribe(topic)
  assert.deepEqual(valuesOf(await read(consumer, 4)), numbers(4))
  assert.equal(consumer.position({ topic, partition: 0 }), 3)
  assert.deepEqual(valuesOf(await read(consumer, 7)), numbers(10).slice(3))
}

async function everyWay(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  for (let from = 0; from < 100; from += 10) await cluster.publish(topic, { count: 10, prefix: `${from / 10}` })
  const expected = Array.from({ length: 100 }, (_, index) => `${Math.floor(index / 10)}${index % 10}`)
  const open = () => {
    const consumer = cluster.kafka.consumer(TEXT)
    consumer.assign([{ topic, partition: 0, offset: 0 }])
    return consumer
  }
  {
    await using consumer = open()
    const values: (string | null)[] = []
    for await (const { records, partition, highWatermark } of consumer.batches()) {
      assert.deepEqual([partition, highWatermark], [0, 100])
      values.push(...valuesOf(records))
      if (values.length === 100) break
    }
    assert.deepEqual(values, expected)
  }
  await using consumer = open()
  const end = new AbortController()
  const values: (string | null)[] = []
  await consumer.run(
    async ({ value }) => {
      await new Promise(resolve => setImmediate(resolve))
      if (values.push(value) === 100) end.abort()
    },
    { concurrency: 4, order: 'key', signal: end.signal },
  )
  assert.deepEqual(sorted(values), sorted(expected))
}

async function positions(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await cluster.publish(topic, { count: 10 })
  await using consumer = cluster.kafka.consumer(TEXT)
  const one = { topic, partition: 0 }
  consumer.assign([one])
  const offsets = (found: readonly { offset: number }[]): number[] => found.map(({ offset }) => offset)
  assert.deepEqual(offsets(await consumer.endOffsets([one])), [10])
  assert.deepEqual(offsets(await consumer.beginningOffsets([one])), [0])
  assert.deepEqual(offsets(await consumer.offsetsForTimes([{ ...one, timestamp: 0 }])), [0])
  assert.deepEqual(offsets(await consumer.offsetsForTimes([{ ...one, timestamp: Date.now() + 60_000 }])), [-1])
  await consumer.seekToBeginning()
  assert.deepEqual(valuesOf(await read(consumer, 3)), numbers(3))
  assert.equal(consumer.lag(one), 8)
  consumer.seek(one, 8)
  assert.deepEqual(valuesOf(await read(consumer, 1)), ['8'])
  consumer.pause([one])
  const reading = read(consumer, 1)
  consumer.seek(one, 5)
  consumer.resume([one])
  assert.deepEqual(valuesOf(await reading), ['5'])
}

async function resets(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await cluster.publish(topic, { count: 5 })
  await using lenient = cluster.kafka.consumer({ ...TEXT, autoOffsetReset: 'earliest' })
  lenient.assign([{ topic, partition: 0, offset: 1000 }])
  assert.deepEqual(valuesOf(await read(lenient, 1)), ['0'])
  await using strict = cluster.kafka.consumer({ ...TEXT, autoOffsetReset: 'none' })
  strict.assign([{ topic, partition: 0, offset: 1000 }])
  await assert.rejects(read(strict, 1), { code: 'OFFSET_OUT_OF_RANGE', message: /offset 1000/ })
}

async function byPattern(cluster: SuiteCluster): Promise<void> {
  const family = cluster.name('family')
  await using admin = cluster.kafka.admin()
  await admin.createTopics([{ name: `${family}.a` }, { name: `${family}.b` }, { name: `other.${family}.c` }])
  for (const name of ['a', 'b']) await cluster.publish(`${family}.${name}`, { count: 1, prefix: name })
  await cluster.publish(`other.${family}.c`, { count: 1, prefix: 'c' })
  const options = { ...fromStart(cluster.name('readers')), metadataMaxAgeMs: 100, heartbeatIntervalMs: 50 }
  await using consumer = cluster.kafka.consumer(options)
  consumer.subscribe(new RegExp(`${family}\\..`))
  assert.deepEqual(valuesOf(await read(consumer, 2)).sort(), ['a0', 'b0'])
  await admin.createTopics([{ name: `${family}.d` }])
  await cluster.publish(`${family}.d`, { count: 1, prefix: 'd' })
  const seen = new Set<string | null>()
  for await (const { value } of consumer) if (seen.add(value).has('d0')) break
  assert.ok(!seen.has('c0'))
}

async function comesBackStatic(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(4)
  const options = { ...fromStart(cluster.name('readers')), heartbeatIntervalMs: 50, sessionTimeoutMs: 30_000 }
  const revoked: number[] = []
  const open = (groupInstanceId: string, onRevoked?: ConsumerOptions['onRevoked']) => {
    const consumer = cluster.kafka.consumer({ ...options, groupInstanceId, ...(onRevoked ? { onRevoked } : {}) })
    consumer.subscribe(topic)
    return consumer
  }
  await using stays = open('stays', partitions => void revoked.push(partitions.length))
  await using comes = open('comes')
  await until(() => stays.assignment.length === 2 && comes.assignment.length === 2)
  const had = comes.assignment
  const before = revoked.length
  await comes.close()
  await using back = open('comes')
  await until(() => back.assignment.length > 0)
  assert.deepEqual(back.assignment, had)
  assert.equal(stays.assignment.length, 2)
  assert.equal(revoked.length, before)
}

async function committedRead(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await using producer = cluster.kafka.producer({ transactionalId: cluster.name('shop') })
  for (const round of numbers(3)) {
    await producer.transaction(async tx => void (await tx.send(topic, { value: round })))
    const abort = producer.transaction(async tx => {
      await tx.send(topic, { value: 'never' })
      throw new Error('no')
    })
    await assert.rejects(abort)
  }
  await using consumer = cluster.kafka.consumer({
    ...fromStart(cluster.name('readers')),
    isolationLevel: 'read_committed',
  })
  consumer.subscribe(topic)
  assert.deepEqual(valuesOf(await read(consumer, 3)), numbers(3))
  await using all = cluster.kafka.consumer(fromStart(cluster.name('readers')))
  all.subscribe(topic)
  assert.deepEqual(valuesOf(await read(all, 6)), ['0', 'never', '1', 'never', '2', 'never'])
}

async function atClose(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic()
  await cluster.publish(topic, { count: 5 })
  const groupId = cluster.name('readers')
  const one = { topic, partition: 0 }
  {
    await using consumer = cluster.kafka.consumer(fromStart(groupId))
    consumer.assign([one])
    await read(consumer, 4)
  }
  await using next = cluster.kafka.consumer(fromStart(groupId))
  assert.deepEqual(
    (await next.committed([one])).map(found => found?.offset),
    [3],
  )
}

async function largeRecord(cluster: SuiteCluster): Promise<void> {
  const topic = await cluster.topic(1, { 'max.message.bytes': '3000000' })
  await using producer = cluster.kafka.producer({ maxRequestSize: 4_000_000 })
  await producer.send(topic, { value: 'x'.repeat(2_500_000) })
  await producer.send(topic, { value: 'after' })
  await using consumer = cluster.kafka.consumer({ ...TEXT, fetchMaxBytes: 1_000, maxPartitionFetchBytes: 1_000 })
  consumer.assign([{ topic, partition: 0, offset: 0 }])
  assert.deepEqual(
    valuesOf(await read(consumer, 2)).map(value => value?.length),
    [2_500_000, 5],
  )
}

export const consumerScenarios: readonly Scenario[] = [
  {
    name: 'a consumer without a group reads a partition from where it is told, with keys, headers and offsets',
    run: byAssignment,
  },
  {
    name: 'a group reads every record once, and the next member of it goes on where the last one committed',
    run: goesOn,
  },
  ...['range', 'roundrobin', 'sticky', 'cooperative-sticky'].map(strategy => ({
    name: `${strategy}: members share the partitions, and take over those of one that leaves, without loss`,
    run: (cluster: SuiteCluster) => share(cluster, strategy),
  })),
  { name: 'what a loop was left at is read again, and what it had done is not', run: readAgain },
  { name: 'batches and handlers give every record, in order', run: everyWay },
  { name: 'positions can be sought, paused, measured and looked up by time', run: positions },
  { name: 'an offset that is not there is reset as configured, or an error', run: resets },
  { name: 'a pattern finds the topics that are there, and those that come later', run: byPattern },
  { name: 'a static member that returns gets back what it had, and nobody else is disturbed', run: comesBackStatic },
  { name: 'a reader of committed records passes over what was aborted', run: committedRead },
  {
    name: 'a consumer that assigns for itself commits at its close what it worked on, as a member does',
    run: atClose,
  },
  { name: 'a record larger than every limit of a fetch is read', run: largeRecord },
]
