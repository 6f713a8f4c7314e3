/** What a consumer is in its group while others come, and while it leaves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Consumer, connect, KafkaError, type TopicPartition } from '../../src/client/index.ts'
import { type ControlledRequest, startCluster, type TestCluster } from '../../src/testing/index.ts'
import { IN_TIME } from './client-time.ts'
import { FROM_START, publish, read } from './consumer-records.ts'

const FAST = { heartbeatIntervalMs: 20 }

/** Resolves when `api` has been asked for `count` times from now on by a client. */
function asked(
  cluster: TestCluster,
  api: string,
  { clientId, count }: { clientId: string; count: number },
): Promise<void> {
  let left = count
  return new Promise(resolve => {
    cluster.control(api, (request: ControlledRequest) => {
      if (request.clientId === clientId && --left === 0) resolve()
      return undefined
    })
  })
}

/** A consumer that has joined its group, and what it reads. */
async function joined(cluster: TestCluster, clientId: string, options: object = {}): Promise<Consumer<string, string>> {
  let come = (): void => undefined
  const assigned = new Promise<void>(resolve => {
    come = resolve
  })
  const kafka = connect({ bootstrapServers: cluster.bootstrapServers, clientId })
  const consumer = kafka.consumer({ ...FROM_START, ...FAST, ...options, onAssigned: () => come() })
  consumer.subscribe('orders')
  await assigned
  return consumer
}

test('a member that is slow to let go of its partitions joins once for each rebalance', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  await publish(cluster, 'orders', { count: 2, partitions: 2 })
  await using leader = await joined(cluster, 'leader')
  const records = leader[Symbol.asyncIterator]()
  // In its hand until it asks for the next one.
  await records.next()
  const joins: unknown[] = []
  cluster.control('JoinGroup', ({ clientId }) => {
    joins.push(clientId)
    return undefined
  })
  const told = asked(cluster, 'Heartbeat', { clientId: 'leader', count: 10 })
  const other = joined(cluster, 'other')
  await told
  assert.ok(!joins.includes('leader'))
  const reading = records.next()
  await using _ = await other
  // By then it has joined again, if it means to.
  await asked(cluster, 'Heartbeat', { clientId: 'leader', count: 10 })
  assert.equal(joins.filter(clientId => clientId === 'leader').length, 1)
  await leader.close()
  await reading
})

test('a consumer that leaves before it was let in is in no group', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await publish(cluster, 'orders', { count: 3 })
  const kafka = connect(cluster.bootstrapServers)
  await using consumer = kafka.consumer(FROM_START)
  let release = (): void => undefined
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const letIn = new Promise<void>(resolve => {
    cluster.control(
      'JoinGroup',
      async () => {
        resolve()
        await released
        return undefined
      },
      { times: 1 },
    )
  })
  const left = new Promise<void>(resolve => {
    cluster.control('LeaveGroup', () => {
      resolve()
      return undefined
    })
  })
  consumer.subscribe('orders')
  await letIn
  await consumer.unsubscribe()
  consumer.assign([{ topic: 'orders', partition: 0, offset: 1 }])
  release()
  await left
  assert.deepEqual(
    (await read(consumer, 2)).map(({ offset }) => offset),
    [1, 2],
  )
})

test('what the group gives to a consumer while it unsubscribes is not read by it any more', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  // With an eager one everything goes before anything comes.
  const cooperative = { partitionAssignmentStrategy: 'cooperative-sticky' }
  await using first = await joined(cluster, 'first', cooperative)
  let given = (_: number): void => undefined
  const isGiven = (count: number) =>
    new Promise<void>(resolve => {
      given = now => now === count && resolve()
    })
  const kafka = connect({ bootstrapServers: cluster.bootstrapServers, clientId: 'second' })
  const revocations: Promise<void>[] = []
  await using second = kafka.consumer({
    ...FROM_START,
    ...FAST,
    ...cooperative,
    onAssigned: () => given(second.assignment.length),
    onRevoked: () => revocations.shift(),
  })
  const part = isGiven(1)
  second.subscribe('orders')
  await part
  const everything = isGiven(2)
  revocations.push(everything)
  const unsubscribed = second.unsubscribe()
  await first.close()
  await unsubscribed
  assert.deepEqual(second.assignment, [])
})

/** What programs do when their partitions go. */
const PARTINGS: Readonly<Record<string, (consumer: Consumer<string, string>) => Promise<void> | void>> = {
  commit: consumer => consumer.commit([{ topic: 'orders', partition: 0, offset: 1 }]),
  seek: consumer => consumer.seek(consumer.assignment[0]!, 0),
  unsubscribe: consumer => consumer.unsubscribe(),
  close: consumer => consumer.close(),
  'close twice': consumer => consumer.close().then(() => consumer.close()),
}

for (const [name, part] of Object.entries(PARTINGS)) {
  for (const [when, isLate] of [
    ['at once', false],
    ['after it has awaited something', true],
  ] as const) {
    test(`onRevoked may ${name}, ${when}, and wait for it`, IN_TIME, async () => {
      for (const ending of ['rebalance', 'unsubscribe', 'close'] as const) {
        await using cluster = await startCluster({ topics: { orders: 2 } })
        let tell = (): void => undefined
        const isDone = new Promise<void>(resolve => {
          tell = resolve
        })
        const first: Consumer<string, string> = await joined(cluster, 'first', {
          onRevoked: async () => {
            if (isLate) await Promise.resolve()
            await part(first)
            tell()
          },
        })
        await using _ = ending === 'rebalance' ? await joined(cluster, 'second') : undefined
        if (ending !== 'rebalance') await first[ending]()
        await isDone
        await first.close()
      }
    })
  }
}

test('what onRevoked assigns by hand stays assigned', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: { orders: 2 } })
  await publish(cluster, 'orders', { count: 2, partitions: 2 })
  const first: Consumer<string, string> = await joined(cluster, 'first', {
    onRevoked: async () => {
      await first.unsubscribe()
      first.assign([{ topic: 'orders', partition: 0, offset: 0 }])
    },
  })
  await using second = await joined(cluster, 'second')
  await read(second, 2)
  assert.deepEqual(
    (await read(first, 1)).map(({ partition }) => partition),
    [0],
  )
  await first.close()
})

test('a consumer that is closed leaves its group in time, also when onRevoked does not end', IN_TIME, async () => {
  for (const isUnsubscribing of [false, true]) {
    await using cluster = await startCluster({ topics: ['orders'] })
    const consumer = await joined(cluster, 'leaving', { onRevoked: () => new Promise(() => {}) })
    if (isUnsubscribing) void consumer.unsubscribe()
    await consumer.close({ timeoutMs: 20 })
    await using admin = connect(cluster.bootstrapServers).admin()
    const [group] = await admin.describeConsumerGroups([FROM_START.groupId!])
    assert.equal(group?.state, 'Empty')
  }
})

/** Turns to other topics without waiting for the end of `unsubscribe()`. */
const TURNS: Readonly<Record<string, (consumer: Consumer<string, string>) => void>> = {
  'subscribe to others': consumer => {
    void consumer.unsubscribe()
    consumer.subscribe('bills')
  },
  'unsubscribe again, and subscribe to others': consumer => {
    void consumer.unsubscribe()
    consumer.subscribe('letters')
    void consumer.unsubscribe()
    consumer.subscribe('bills')
  },
  'read by hand, and then others': consumer => {
    void consumer.unsubscribe().then(() => {
      consumer.assign([{ topic: 'letters', partition: 0 }])
      void consumer.unsubscribe()
      consumer.assign([{ topic: 'bills', partition: 0 }])
    })
  },
  'read by hand, and then subscribe': consumer => {
    void consumer.unsubscribe().then(() => {
      consumer.assign([{ topic: 'letters', partition: 0 }])
      void consumer.unsubscribe()
      consumer.subscribe('bills')
    })
  },
}

for (const [name, turn] of Object.entries(TURNS)) {
  test(`a consumer that unsubscribes may ${name} without waiting for the end of that`, IN_TIME, async () => {
    await using cluster = await startCluster({ topics: ['orders', 'letters', 'bills'] })
    for (const topic of ['orders', 'letters', 'bills']) await publish(cluster, topic, { count: 1 })
    await using consumer = await joined(cluster, 'turning')
    turn(consumer)
    assert.deepEqual(
      (await read(consumer, 1)).map(({ topic }) => topic),
      ['bills'],
    )
  })
}

test('what a consumer subscribes to in onRevoked, while it unsubscribes, is read', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders', 'bills'] })
  await publish(cluster, 'bills', { count: 1 })
  const consumer: Consumer<string, string> = await joined(cluster, 'turning', {
    onRevoked: async ([one]: readonly TopicPartition[]) => {
      if (one!.topic === 'bills') return
      await consumer.unsubscribe()
      consumer.subscribe('bills')
    },
  })
  await consumer.unsubscribe()
  await read(consumer, 1)
  await consumer.close()
})

test('who unsubscribes after all is in no group, whatever he subscribed to meanwhile', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: ['orders'] })
  await using consumer = await joined(cluster, 'leaving')
  const left = consumer.unsubscribe()
  consumer.subscribe('orders')
  await Promise.all([left, consumer.unsubscribe()])
  await using admin = connect(cluster.bootstrapServers).admin()
  const [group] = await admin.describeConsumerGroups([FROM_START.groupId!])
  assert.equal(group?.state, 'Empty')
  consumer.assign([{ topic: 'orders', partition: 0 }])
})

test('what onLost throws ends the consumer, and is heard by whoever reads', IN_TIME, async () => {
  for (const thrown of [new Error('cannot be let go of'), new KafkaError('REQUEST_TIMED_OUT', 'cannot be let go of')]) {
    await using cluster = await startCluster({ topics: ['orders'] })
    const onLost = (): never => {
      throw thrown
    }
    await using consumer = connect(cluster.bootstrapServers).consumer({
      ...FROM_START,
      heartbeatIntervalMs: 20,
      onLost,
      onAssigned: () => cluster.failNext('Heartbeat', 'UNKNOWN_MEMBER_ID'),
    })
    consumer.subscribe('orders')
    await assert.rejects(
      consumer.run(() => {}),
      /cannot be let go of/,
    )
  }
})

test('a static leader that comes back to its place notices partitions that are added', IN_TIME, async () => {
  await using cluster = await startCluster({ topics: { orders: 1 } })
  const settings = { groupInstanceId: 'one', metadataMaxAgeMs: 20 }
  const first = await joined(cluster, 'first', settings)
  await first.close()
  let joins = 0
  cluster.control('JoinGroup', () => {
    joins += 1
    return undefined
  })
  await using leader = await joined(cluster, 'leader', settings)
  assert.equal(joins, 1, 'it has its place at once')
  const kafka = connect({ bootstrapServers: cluster.bootstrapServers })
  const admin = kafka.admin()
  await admin.createPartitions([{ topic: 'orders', total: 2 }])
  admin.close()
  await publish(cluster, 'orders', { count: 2, partitions: 2 })
  const records = leader[Symbol.asyncIterator]()
  const partitions = new Set<number | undefined>()
  while (partitions.size < 2) partitions.add((await records.next()).value?.partition)
  assert.deepEqual([...partitions].sort(), [0, 1])
})

test(
  'a commit of a record whose partition went while it was in hand is refused, also when the member is back',
  IN_TIME,
  async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    await publish(cluster, 'orders', { count: 3 })
    const kafka = connect(cluster.bootstrapServers)
    await using admin = kafka.admin()
    let isBack = (): void => undefined
    await using consumer = kafka.consumer({
      ...FROM_START,
      ...{ enableAutoCommit: false, heartbeatIntervalMs: 50 },
      onAssigned: () => isBack(),
    })
    consumer.subscribe('orders')
    for await (const { topic, partition, offset } of consumer) {
      const back = new Promise<void>(resolve => {
        isBack = resolve
      })
      await admin.removeMembersFromConsumerGroup('readers')
      await back
      await assert.rejects(consumer.commit([{ topic, partition, offset: offset + 1 }]), { code: 'UNKNOWN_MEMBER_ID' })
      break
    }
    assert.deepEqual(await admin.listConsumerGroupOffsets('readers'), [])
  },
)
