/**
 * Values of a wrong kind where no compiler has looked: names that are no text, places, settings and options of a cluster for tests. Each
 * is refused with one line that names the thing, what it was and what to give.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { connect, type Kafka, Producer } from '../../src/client/index.ts'
import { startCluster, type TestCluster } from '../../src/testing/index.ts'

const cluster: TestCluster = await startCluster({ topics: ['orders'] })
const kafka: Kafka = connect(cluster.bootstrapServers)
after(() => cluster.stop())

/** A client as JavaScript sees it: without types. */
type Untyped<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer _) => infer R ? (...args: unknown[]) => R : T[K]
}
const untyped = <T>(client: T): Untyped<T> => client as Untyped<T>

type Rows = readonly (readonly [() => unknown, RegExp])[]

async function refused(rows: Rows, refusal: { readonly name: string; readonly code?: string }): Promise<void> {
  for (const [call, message] of rows)
    await assert.rejects(async () => call(), { ...refusal, message }, `${call} has to be refused`)
}

const PLACE = { topic: 'orders', partition: 0 }

test('a topic that is no text is refused by the calls that ask about it', async () => {
  await using consumer = kafka.consumer({ groupId: 'g' })
  await using producer = kafka.producer()
  const [c, p] = [untyped(consumer), untyped(producer)]
  const rows: Rows = [
    ...[c, p].flatMap(client => [
      [() => client.partitionsFor(5), /^a topic is named by a text, not by number$/] as const,
      [() => client.partitionsFor(null), /^a topic is named by a text, not by null$/] as const,
      [() => client.partitionsFor(['orders']), /^a topic is named by a text, not by a list$/] as const,
    ]),
    [() => p.writable(null), /^a topic is named by a text, not by null$/],
  ]
  await refused(rows, { name: 'KafkaError', code: 'INVALID_TOPIC_EXCEPTION' })
})

test('a place that is none, and options that are none, are refused by consumer and producer', async () => {
  await using consumer = kafka.consumer()
  await using producer = kafka.producer({ transactionalId: 'kinds' })
  consumer.assign([PLACE])
  await producer.initTransactions()
  let isWorkedOn = false
  const work = async (): Promise<void> => {
    isWorkedOn = true
  }
  const [c, p] = [untyped(consumer), untyped(producer)]
  const rows: Rows = [
    [() => c.position(null), /^position\(\): give \{ topic, partition \}, not null$/],
    [() => c.position('orders'), /^position\(\): give \{ topic, partition \}, not string$/],
    [() => c.lag(undefined), /^lag\(\): give \{ topic, partition \}, not undefined$/],
    [() => c.seek(null, 1), /^seek\(\): give \{ topic, partition \}, not null$/],
    [() => c.seek({ topic: 'orders' }, 1), /^seek\(\): \{ topic \} has no partition: give \{ topic, partition \}$/],
    [() => c.run(() => {}, null), /^run\(\): give an object such as \{ concurrency, order, signal \}, not null$/],
    [() => p.transaction(work, null), /^options: give an object such as .*, not null$/],
    [() => p.connect([5]), /^connect\(\): give a list in which each is a text, not number$/],
  ]
  await refused(rows, { name: 'KafkaError', code: 'INVALID_REQUEST' })
  assert.equal(isWorkedOn, false)
})

test('what an admin is asked about by a wrong kind of name or thing is refused', async () => {
  await using admin = kafka.admin()
  const a = untyped(admin)
  const quotas = { producer_byte_rate: 1 }
  await refused(
    [
      [() => a.describeDelegationTokens('User:anna'), /give a list, not string/],
      [() => a.describeDelegationTokens([5]), /a principal is a text such as User:alice, not number/],
      [() => a.describeDelegationTokens(['anna']), /a principal is a text such as User:alice, not anna/],
      [() => a.createDelegationToken({ owner: 5 }), /a principal is a text such as User:alice, not number/],
      [() => a.createDelegationToken({ renewers: 'User:anna' }), /give a list, not string/],
      [() => a.renewDelegationToken(null), /^renewing a delegation token: its hmac is a text, not null$/],
      [() => a.expireDelegationToken(5), /^expiring a delegation token: its hmac is a text, not number$/],
      [() => a.abortTransaction(null), /^aborting a transaction: give \{ topic, .*producerEpoch \}, not null$/],
      [() => a.abortTransaction(PLACE), /has no producerId/],
      [() => a.alterClientQuotas([{ quotas }]), /has no entity/],
      [() => a.alterClientQuotas([{ entity: 'anna', quotas }]), /has an entity that is not an object/],
      [() => a.alterClientQuotas([{ entity: { user: 'anna' } }]), /has no quotas/],
      [() => a.describeClientQuotas({ parts: 'user' }), /give a list, not string/],
      [() => a.describeClientQuotas({ parts: [{ entity: 'user' }] }), /has no type/],
      [() => a.removeMembersFromConsumerGroup('g', ['a']), /a member is \{ memberId \} or \{ groupInstanceId \}/],
      [() => a.describeUserScramCredentials([5]), /give a list in which each is a text, not number/],
      [() => a.alterUserScramCredentials([{ user: 'a', mechanism: 'SCRAM-SHA-256' }]), /has no password/],
      [
        () => a.alterUserScramCredentials([{ user: 'a', mechanism: 'SCRAM-SHA-256', operation: 'remove' }]),
        /there is no operation remove: there are upsert, delete/,
      ],
      [() => a.deleteTopics([5]), /^a topic is named by a text or \{ id \}, not by number$/],
      [() => a.describeTopics([{}]), /^a topic is named by a text or \{ id \}, not by object$/],
      [() => a.describeLogDirs(['0']), /give a list in which each is a whole number, not string/],
      [() => a.electLeaders('best'), /there is no election best: there are preferred, unclean/],
      [() => a.updateFeatures([{}]), /has no feature/],
      [() => a.alterReplicaLogDirs([PLACE]), /has no broker/],
    ],
    { name: 'KafkaError', code: 'INVALID_REQUEST' },
  )
  await refused(
    ['SCRAM-SHA-1', 'toString'].flatMap(mechanism => [
      [
        () => a.alterUserScramCredentials([{ user: 'a', mechanism, password: 'b' }]),
        new RegExp(`there is no mechanism ${mechanism}: `),
      ],
    ]),
    { name: 'KafkaError', code: 'UNSUPPORTED_SASL_MECHANISM' },
  )
})

test('a SCRAM user is taken whose iterations are undefined, or whose fields are those of a class', async () => {
  await using admin = kafka.admin()
  class Change {
    readonly mechanism = 'SCRAM-SHA-256'
    readonly iterations = undefined
    get user(): string {
      return 'anna'
    }
    get password(): string {
      return 'secret'
    }
  }
  // As far as the broker, which keeps no such users.
  await assert.rejects(admin.alterUserScramCredentials([new Change() as never]), { code: 'UNSUPPORTED_VERSION' })
  const wrong = { user: 'anna', mechanism: 'SCRAM-SHA-256', password: 'secret', iterations: '4096' }
  await assert.rejects(admin.alterUserScramCredentials([wrong as never]), {
    code: 'INVALID_REQUEST',
    message: /an iterations that is not a whole number/,
  })
})

test('a group that is no text is refused by every call about groups', async () => {
  await using admin = kafka.admin()
  const a = untyped(admin)
  const offset = { ...PLACE, offset: 1 }
  const message = /^a group is named by a text, not by (number|null|undefined|object)$/
  const calls = [
    () => a.describeConsumerGroups([5]),
    () => a.deleteConsumerGroups([{}]),
    () => a.removeMembersFromConsumerGroup(5),
    () => a.removeMembersFromConsumerGroup(null, [{ memberId: 'a' }]),
    () => a.listConsumerGroupOffsets(null),
    () => a.alterConsumerGroupOffsets(undefined, [offset]),
    () => a.deleteConsumerGroupOffsets({}, [PLACE]),
  ]
  const rows: Rows = [
    ...calls.map(call => [call, message] as const),
    [() => a.fenceProducers([5]), /^a transaction is named by a text, not by number$/],
  ]
  await refused(rows, { name: 'KafkaError', code: 'INVALID_REQUEST' })
})

test('a client is made of settings, and of nothing else', async () => {
  const k = untyped(kafka)
  const to = connect as (to: unknown) => Kafka
  const producer = (options: object) => () => k.producer(options)
  const rows: Rows = [
    ...(['producer', 'consumer', 'admin'] as const).flatMap(kind => [
      [() => k[kind](null), /^settings are an object such as \{ bootstrapServers \}, not null$/] as const,
      [() => k[kind](5), /^settings are an object such as \{ bootstrapServers \}, not number$/] as const,
      [
        () => k[kind](['localhost:9092']),
        /^settings are an object such as \{ bootstrapServers \}, not a list$/,
      ] as const,
    ]),
    [() => new Producer(null as never), /^settings are an object/],
    [() => to(null), /^settings are an object .*, not null$/],
    [() => to(5), /^settings are an object .*, not number$/],
    [() => to(() => 'localhost:9092'), /^settings are an object .*, not function$/],
    [() => to(new Map([['bootstrap.servers', 'localhost:9092']])), /^settings are an object .*, not Map$/],
    [producer({ tls: null }), /^tls: give true, or an object such as \{ ca \}, not null$/],
    [producer({ tls: 'yes' }), /^tls: give true, or an object such as \{ ca \}, not string$/],
    [producer({ tls: 1 }), /^tls: give true, or .*, not number$/],
    [producer({ sasl: 'PLAIN' }), /^sasl: give an object such as \{ mechanism \}, not string$/],
    [producer({ properties: {} }), /^properties: give a Map, as propertiesFile\(\) does, not object$/],
    [producer({ properties: 'linger.ms=5' }), /^properties: give a Map, as propertiesFile\(\) does, not string$/],
    [producer({ properties: new Map([['linger.ms', 5]]) }), /^properties: linger\.ms is a text, not number$/],
    [producer({ clientId: {} }), /^clientId: give a text, a number or a list, not object$/],
    [producer({ clientId: () => 'a' }), /^clientId: give a text, a number or a list, not function$/],
    [producer({ interceptors: null }), /^interceptors: give a list of objects with onSend\(\), not null$/],
    [producer({ interceptors: [null] }), /^interceptors: give a list of objects with onSend\(\), not of null$/],
    [producer({ value: null }), /^value: give string, json\(\), or another object with serialize\(\)$/],
    [() => k.consumer({ key: null }), /^key: give string, json\(\), or another object with deserialize\(\)$/],
  ]
  await refused(rows, { name: 'ConfigError' })
})
