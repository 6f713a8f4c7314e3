/** Requests that lie, break, blow up or come by the hundred thousand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { hostileRecords, repairCrc } from '../../scripts/fuzz/hostile-batch.ts'
import { hostileRequest } from '../../scripts/fuzz/hostile-request.ts'
import { KnownIds } from '../../scripts/fuzz/plausible-message.ts'
import type { WireClient } from '../../scripts/fuzz/wire-client.ts'
import { seededRandom } from '../../src/platform/index.ts'
import * as p from '../../src/protocol/everything.ts'
import { until } from '../compat/process.ts'
import {
  AbusedBroker,
  createTopics,
  FETCH,
  fetchBody,
  framed,
  METADATA,
  PRODUCE,
  produceBody,
  requestFrame,
} from './abused-broker.ts'

/** How long an attack that could go on for ever does. */
const ATTACK_MS = 4_000
const MIB = 1024 * 1024

/** Repeats an attack until its time is over and the bystander can tell of it. */
async function forSomeTime(broker: AbusedBroker, attack: (round: number) => Promise<void>): Promise<void> {
  const endMs = performance.now() + ATTACK_MS
  for (let round = 0; performance.now() < endMs || !(await broker.canTell()); round++) await attack(round)
}

/** The end of a connection, or its answer, whichever it gets. */
async function answerOrEnd(client: WireClient): Promise<void> {
  await client.until(() => client.isClosed || client.frames.length > 0, 'an answer or the end of the connection')
  client.frames.length = 0
}

/** Whether a request of the fuzzer would change what the test needs, or may rightly wait for longer than a test has. */
const LEFT_OUT =
  /^(CreateTopics|DeleteTopics|CreatePartitions|JoinGroup|SyncGroup|Alter|IncrementalAlter|DeleteRecords)/

test('frames of impossible sizes and with lies in every field leave the broker as it was', async () => {
  await AbusedBroker.run({}, async broker => {
    const before = broker.residentMiB.now
    const random = seededRandom(34)
    const known = new KnownIds()
    const apis = p.apis.filter(({ request }) => !LEFT_OUT.test(request.name))
    await broker.endures('wrong sizes, lying counts, truncated and unknown requests', async () => {
      await forSomeTime(broker, async round => {
        const client = await broker.connect()
        const sizes = [-1, 0, 0x7fff_ffff, 101 * MIB]
        const size = Buffer.alloc(4)
        size.writeInt32BE(sizes[round % sizes.length]!)
        client.write(size)
        await answerOrEnd(client)
        assert.ok(client.isClosed, `a frame of ${size.readInt32BE()} bytes`)
        const hostile = await broker.connect()
        for (let count = 0; count < 20 && !hostile.isClosed; count++) {
          const { request } = apis[random.below(apis.length)]!
          const { min, max } = request.versions
          const version = min + random.below(max - min + 1)
          hostile.send(hostileRequest({ schema: request, version, correlationId: count, random, known }))
        }
        await sleep(5)
        hostile.abort()
      })
    })
    await broker.untilResident(before + 80)
  })
})

test('records that are broken in every way a batch can be are refused, and nothing is left of them', async () => {
  await AbusedBroker.run({}, async broker => {
    const client = await broker.connect()
    await createTopics(client, [{ name: 'target' }, { name: 'compacted', configs: { 'cleanup.policy': 'compact' } }])
    const before = broker.residentMiB.now
    const random = seededRandom(35)
    await broker.endures('broken record batches', async () => {
      await forSomeTime(broker, async round => {
        const version = 3 + random.below(7)
        const records = hostileRecords(version, random)
        await client.call(PRODUCE, version, produceBody(round % 2 === 0 ? 'target' : 'compacted', records))
      })
    })
    client.close()
    await broker.untilResident(before + 80)
  })
})

/** A batch that says it holds one record, with this as its compressed records. */
function compressedBatch(codec: number, body: Uint8Array): Uint8Array {
  const header = Buffer.from(p.encodeBatch({ records: [{ key: Buffer.from('k'), value: Buffer.from('v') }] }))
  const records = Buffer.concat([header.subarray(0, p.BATCH_HEADER_BYTES), body])
  records.writeInt32BE(records.length - p.LOG_OVERHEAD_BYTES, p.BATCH_FIELD.length)
  records.writeInt16BE(codec, p.BATCH_FIELD.attributes)
  repairCrc(records)
  return records
}

test('decompression bombs of every codec are refused in bounded memory', async () => {
  await AbusedBroker.run({}, async broker => {
    const client = await broker.connect()
    await createTopics(client, [{ name: 'compacted', configs: { 'cleanup.policy': 'compact' } }])
    const bomb = p.encodeBatch({ records: [{ key: Buffer.from('k'), value: Buffer.alloc(300 * MIB) }] })
    const plain = bomb.subarray(p.BATCH_HEADER_BYTES)
    const bombs = [
      compressedBatch(1, gzipSync(plain)),
      // What promises far more than there is: snappy of 2^32-1 bytes, LZ4 and zstd frames of 2^60, zstd with a window of 2 GiB.
      compressedBatch(2, Buffer.from('ffffffff0f00', 'hex')),
      compressedBatch(2, Buffer.from('82534e41505059000000000100000001000000067fffffff0f00', 'hex')),
      compressedBatch(3, Buffer.from('04224d1868400000000000000010000000', 'hex')),
      compressedBatch(4, Buffer.from('28b52ffde000000000000000100000', 'hex')),
      compressedBatch(4, Buffer.from('28b52ffd0088010000', 'hex')),
    ]
    const before = broker.residentMiB.now
    const attack = async (): Promise<void> => {
      await forSomeTime(broker, async round => {
        const answer = await client.call(PRODUCE, 8, produceBody('compacted', bombs[round % bombs.length]!))
        assert.notEqual(answer.responses[0]!.partitionResponses[0]!.errorCode, 0)
      })
    }
    await broker.endures('decompression bombs', attack)
    // The system's allocator keeps what the largest bomb took, for the next one: it does not become more.
    const peak = broker.residentMiB.peak
    assert.ok(peak < before + 350, `${before} MiB became ${peak}`)
    await broker.endures('more decompression bombs', attack)
    assert.ok(broker.residentMiB.peak < peak + 100, `${peak} MiB became ${broker.residentMiB.peak}`)
    client.close()
  })
})

test('a million requests of a client that reads nothing are not taken in', async () => {
  await AbusedBroker.run({}, async broker => {
    const before = broker.residentMiB.now
    const one = framed(requestFrame(p.ApiVersionsRequest, 0, { body: {} }))
    const thousand = Buffer.concat(Array.from({ length: 1_000 }, () => one))
    const greedy = await broker.connect()
    greedy.pause()
    await broker.endures('a million requests without reading', async () => {
      for (let count = 0; count < 1_000; count++) greedy.write(thousand)
      await broker.lets(2_000)
      assert.ok(greedy.pendingBytes > 0, 'the broker has taken all of it')
      greedy.abort()
    })
    assert.ok(broker.residentMiB.peak < before + 100, `${before} MiB became ${broker.residentMiB.peak}`)
  })
})

test('clients that send without waiting for answers, however many, do not stand before one who waits', async () => {
  await AbusedBroker.run({}, async broker => {
    const one = framed(requestFrame(p.ApiVersionsRequest, 0, { body: {} }))
    const thousand = Buffer.concat(Array.from({ length: 1_000 }, () => one))
    await broker.endures('30 clients that send 1,000 requests at once, again and again', async () => {
      const greedy = await Promise.all(Array.from({ length: 30 }, () => broker.connect()))
      let answered = 0
      await forSomeTime(broker, async () => {
        for (const each of greedy) each.write(thousand)
        await Promise.all(greedy.map(each => each.until(() => each.frames.length >= 1_000, 'all answers')))
        for (const each of greedy) answered += each.frames.splice(0).length
      })
      assert.ok(answered >= 30_000)
      for (const each of greedy) each.close()
    })
  })
})

test('gigabytes of records that are asked for and not read are not held', async () => {
  await AbusedBroker.run({}, async broker => {
    const client = await broker.connect()
    await createTopics(client, [{ name: 'large' }])
    const records = p.encodeBatch({ records: [{ value: Buffer.alloc(1_000_000, 7) }] })
    for (let round = 0; round < 50; round++) await client.call(PRODUCE, 8, produceBody('large', records))
    const before = broker.residentMiB.now
    const fetch = framed(requestFrame(p.FetchRequest, 11, { body: fetchBody('large', [0]) }))
    await broker.endures('20 clients that ask for 500 MB each and read nothing', async () => {
      const greedy: WireClient[] = []
      for (let count = 0; count < 20; count++) {
        const one = await broker.connect()
        one.pause()
        for (let round = 0; round < 10; round++) one.write(fetch)
        greedy.push(one)
      }
      await broker.lets(2_000)
      for (const one of greedy) one.abort()
    })
    // Each connection holds the one answer that it is sending.
    const limit = before + 20 * 55
    assert.ok(broker.residentMiB.peak < limit, `${before} MiB became ${broker.residentMiB.peak}`)
    await broker.untilResident(before + 200)
    assert.equal((await client.call(FETCH, 11, fetchBody('large', [0]))).errorCode, 0)
    client.close()
  })
})

test('fetches that waited and are released at once do not hold more than the bound on unread answers', async () => {
  await AbusedBroker.run({}, async broker => {
    const client = await broker.connect()
    await createTopics(client, [{ name: 'large' }])
    const records = p.encodeBatch({ records: [{ value: Buffer.alloc(1_000_000, 7) }] })
    const produce = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round++) await client.call(PRODUCE, 8, produceBody('large', records))
    }
    await produce(10)
    const before = broker.residentMiB.now
    const minBytes = 20 * MIB
    const body = { ...fetchBody('large', [0]), maxWaitMs: 300_000, minBytes }
    const fetch = requestFrame(p.FetchRequest, 11, { body })
    const greedy = await Promise.all(Array.from({ length: 48 }, () => broker.connect()))
    for (const one of greedy) {
      one.pause()
      one.send(fetch)
    }
    const waiting = greedy.length * fetch.length
    await until(
      'the fetches wait',
      async () => (await broker.metric('kafka_network_socketserver_queuedbytes')) >= waiting,
      50,
    )
    // What they have read and found too little is not held while they wait.
    await broker.untilResident(before + 200)
    await broker.endures('48 clients whose fetches of 55 MB are released at once and who read nothing', async () => {
      await produce(15)
      await broker.lets(2_000)
    })
    // The bound, and a batch for each that comes when there is no room.
    const limit = before + 256 + greedy.length + 150
    assert.ok(broker.residentMiB.peak < limit, `${before} MiB became ${broker.residentMiB.peak}`)
    for (const one of greedy) one.abort()
    client.close()
  })
})

test('names, values and metadata of absurd size get an error, and nothing of them is kept', async () => {
  await AbusedBroker.run({}, async broker => {
    const client = await broker.connect()
    const before = broker.residentMiB.now
    const huge = Buffer.alloc(10 * MIB, 'x')
    const keys = p.encodeBatch({ records: [{ key: Buffer.alloc(5 * MIB, 'k'), value: null }] })
    const headers = Array.from({ length: 50_000 }, (_, index) => ({ key: `h${index}`, value: Buffer.alloc(40) }))
    const large = p.encodeBatch({ records: [{ value: Buffer.from('v'), headers }] })
    const protocols = [{ name: 'range', metadata: huge }]
    const joining = {
      groupId: 'absurd',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 1_000,
      protocolType: 'consumer',
      protocols,
    }
    await broker.endures('absurd sizes', async () => {
      await forSomeTime(broker, async () => {
        for (const records of [keys, large]) {
          const { responses } = await client.call(PRODUCE, 8, produceBody('bystander', records))
          assert.equal(p.errorName(responses[0]!.partitionResponses[0]!.errorCode), 'MESSAGE_TOO_LARGE')
        }
        const joined = await client.call([p.JoinGroupRequest, p.JoinGroupResponse], 5, joining)
        assert.notEqual(joined.errorCode, 0)
        const topics = Array.from({ length: 2_000 }, (_, index) => ({ name: `${index}`.padEnd(300, 'n') }))
        const metadata = await client.call(METADATA, 4, { topics, allowAutoTopicCreation: false })
        assert.ok(metadata.topics.every(({ errorCode }) => errorCode === p.ErrorCode.INVALID_TOPIC_EXCEPTION))
      })
    })
    client.close()
    await broker.untilResident(before + 200)
  })
})

test('the longest strings there are do not get into settings, and not as they are into the log', async () => {
  await AbusedBroker.run({}, async broker => {
    const client = await broker.connect()
    const longest = '1'.repeat(0x7fff)
    const resources = ['retention.ms', longest].map(name => ({
      resourceType: 2,
      resourceName: 'bystander',
      configs: [{ name, configOperation: 0, value: longest }],
    }))
    for (const resource of [...resources, { ...resources[0]!, resourceName: longest }]) {
      const body = { resources: [resource] }
      client.send(requestFrame(p.IncrementalAlterConfigsRequest, 1, { body, clientId: longest }))
      await client.until(() => client.frames.length > 0, 'an answer')
      const reader = new p.ByteReader(client.frames.shift()!)
      p.decodeMessage(p.ResponseHeader, p.responseHeaderVersion(p.IncrementalAlterConfigsResponse, 1), reader)
      const { responses } = p.decodeMessage(p.IncrementalAlterConfigsResponse, 1, reader)
      assert.notEqual(responses[0]!.errorCode, 0)
    }
    await broker.assertWell()
    assert.doesNotMatch(broker.log, /1{1000}/)
    client.close()
  })
})
