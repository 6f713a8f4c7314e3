/** The last epochs of a producer id, and epochs of producers whose coordinator cannot write. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { withAdmin } from '../compat/directory-copy.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { cycles, report } from './cycles.ts'
import { produce } from './idempotent-load.ts'
import { readPartition } from './partition-reader.ts'
import { TransactionClient } from './transaction-client.ts'
import { withBroker } from './with-broker.ts'

const TOPIC = 'data'
const ID = 'worn'
const PROPERTIES = { 'transaction.state.log.num.partitions': '1' }
const FENCED = /^(PRODUCER_FENCED|INVALID_PRODUCER_EPOCH|INVALID_PRODUCER_ID_MAPPING)$/
/** Kafka gives no producer the greatest epoch, 32767: it is for fencing the one before. */
const LAST_EPOCH = 32_766

test('after the last epoch a transactional id gets a new producer id, and all that had the old one stay fenced', async context => {
  const rounds = cycles(2)
  await withBroker({ properties: PROPERTIES }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: 1 }])
    const expected: string[] = []
    let fenced = 0
    for (let round = 0; round < rounds; round++) {
      await wearOut(broker, LAST_EPOCH - 2)
      const producers: TransactionClient[] = []
      for (let life = 0; life < 4; life++) {
        const producer = new TransactionClient(broker.port, ID)
        await producer.init()
        producers.push(producer)
        assert.deepEqual(await producer.send(TOPIC, [0], `${round}: life ${life}`), ['NONE'])
        // The producer of the last epoch leaves its transaction open, in every other round also across a kill.
        if (life === 1) {
          if (round % 2 === 1) await restart(broker, producers)
          continue
        }
        assert.equal(await producer.end(true), 'NONE')
        expected.push(`${round}: life ${life}`)
      }
      const epochs = producers.map(({ producerEpoch }) => producerEpoch)
      assert.deepEqual(epochs, [LAST_EPOCH - 1, LAST_EPOCH, 0, 1])
      const ids = producers.map(({ producerId }) => producerId)
      assert.equal(ids[0], ids[1])
      assert.equal(ids[2], ids[3])
      assert.notEqual(ids[1], ids[2])
      if (round % 2 === 1) await restart(broker, producers)
      for (const old of producers.slice(0, 3)) {
        for (const error of [...(await old.send(TOPIC, [0], 'late')), await old.end(true)]) {
          assert.match(error, FENCED)
          fenced++
        }
        assert.match(await appendOnly(broker, old), FENCED)
      }
      for (const producer of producers) producer.close()
    }
    const read = await readPartition(broker.port, { topic: TOPIC, partition: 0, isReadCommitted: true })
    assert.deepEqual(
      read.map(({ value }) => value),
      expected,
    )
    report(context.name, { 'producer ids used up': rounds, 'requests fenced': fenced })
  })
})

/** Writes into the coordinator's log, as its own record, that the id has come to this epoch; the coordinator then loads it. */
async function wearOut(broker: BrokerProcess, producerEpoch: number): Promise<void> {
  const producer = new TransactionClient(broker.port, ID)
  await producer.init()
  producer.close()
  const key = p.encodeWithVersion(p.TransactionLogKey, 0, { transactionalId: ID })
  const value = p.encodeWithVersion(p.TransactionLogValue, 0, {
    producerId: producer.producerId,
    producerEpoch,
    transactionTimeoutMs: 60_000,
    transactionStatus: 0,
    transactionPartitions: null,
    transactionLastUpdateTimestampMs: Date.now(),
    transactionStartTimestampMs: -1,
  })
  // The one client that may write to internal topics.
  const client = await ProtocolClient.open(broker.port, '__admin_client')
  const records = p.encodeBatch({ records: [{ key, value, timestamp: Date.now() }] })
  const { error } = await produce(client, { topic: '__transaction_state', partition: 0, records })
  assert.equal(error, 'NONE')
  client.close()
  await restart(broker, [])
}

async function restart(broker: BrokerProcess, producers: readonly TransactionClient[]): Promise<void> {
  await broker.killHard()
  for (const producer of producers) producer.close()
  await broker.restart()
}

/** What a record of the producer is answered with that does not ask the coordinator first. */
async function appendOnly(broker: BrokerProcess, { producerId, producerEpoch }: TransactionClient): Promise<string> {
  const client = await ProtocolClient.open(broker.port)
  const content = [{ value: Buffer.from('late'), timestamp: Date.now() }]
  const batch = { records: content, producerId, producerEpoch, baseSequence: 1, isTransactional: true }
  const append = { topic: TOPIC, partition: 0, records: p.encodeBatch(batch), transactionalId: ID }
  const { error } = await produce(client, append)
  client.close()
  return error
}

test('an InitProducerId that cannot be written spends no epoch', async context => {
  const failures = cycles(10)
  await withBroker({ properties: PROPERTIES }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: 1 }])
    const first = new TransactionClient(broker.port, ID)
    await first.init()
    for (const isOpen of [false, true]) {
      if (isOpen) assert.deepEqual(await first.send(TOPIC, [0], 'open'), ['NONE'])
      await setMaxMessageBytes(broker, 1)
      for (let failure = 0; failure < failures; failure++) {
        await assert.rejects(new TransactionClient(broker.port, ID).init(), /UNKNOWN_SERVER_ERROR/)
      }
      await setMaxMessageBytes(broker, 1_000_000)
      if (!isOpen) await first.init()
    }
    assert.equal(first.producerEpoch, 1)
    const next = new TransactionClient(broker.port, ID)
    await next.init()
    // One epoch fences the open transaction, one is the producer's.
    assert.deepEqual([next.producerId, next.producerEpoch], [first.producerId, 3])
    for (const producer of [first, next]) producer.close()
    report(context.name, { 'writes refused': 2 * failures })
  })
})

/** With too few bytes the coordinator's log refuses every record, and its directory stays online. */
async function setMaxMessageBytes(broker: BrokerProcess, bytes: number): Promise<void> {
  const configEntries = [{ name: 'max.message.bytes', value: `${bytes}` }]
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: '__transaction_state', configEntries }
  await withAdmin(broker, admin => admin.alterConfigs({ validateOnly: false, resources: [resource] }))
}
