/** Full speed where memory is scarce. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireClient } from '../../scripts/fuzz/wire-client.ts'
import * as p from '../../src/protocol/everything.ts'
import { LONG_TEST_MS } from '../compat/process.ts'
import { toolOrSkip } from '../compat/tools.ts'
import { AbusedBroker, createTopics, FETCH, fetchBody, PRODUCE, produceBody } from './abused-broker.ts'
import { MemoryCgroup } from './memory-cgroup.ts'

const LIMIT_MIB = 300
const MIB = 1024 * 1024
const ATTACK_MS = 8_000
/** How much is moved each way at the least, however long that takes: more than has room, the page cache included. */
const MUCH_BYTES = LIMIT_MIB * MIB
const FLAGS = ['--max-old-space-size=160', '--max-semi-space-size=8']
const PROPERTIES = {
  'queued.max.request.bytes': `${32 * MIB}`,
  'socket.request.max.bytes': `${32 * MIB}`,
}

/** This watches the most that was ever resident and cannot be given back, as the page cache can: no right to make groups is needed. */
test(`producers and consumers at full speed never take the broker past ${LIMIT_MIB} MiB`, {
  timeout: LONG_TEST_MS,
}, async () => {
  await AbusedBroker.run({ flags: FLAGS, properties: PROPERTIES }, async broker => {
    await fullSpeed(broker)
    assert.ok(broker.residentMiB.peak < LIMIT_MIB, `${broker.residentMiB.peak} MiB were resident`)
  })
})

test(`producers and consumers at full speed do not get the broker killed in a memory cgroup of ${LIMIT_MIB} MiB`, {
  timeout: LONG_TEST_MS,
}, async context => {
  const make = async (): Promise<MemoryCgroup> => MemoryCgroup.make(LIMIT_MIB * MIB)
  const group = await toolOrSkip(context, `a memory cgroup of ${LIMIT_MIB} MiB`, make)
  if (group === undefined) return
  try {
    await AbusedBroker.run({ flags: FLAGS, properties: PROPERTIES }, async broker => {
      group.add(broker.pid)
      await fullSpeed(broker)
      console.log(`# the limit was reached ${group.timesReached} times`)
      assert.ok(group.timesReached > 0, 'the limit was never reached')
      assert.equal(group.killed, 0)
    })
  } finally {
    group.remove()
  }
})

/** Six producers and six consumers, for some seconds and until much was moved; asserts that a bystander did not notice. */
async function fullSpeed(broker: AbusedBroker): Promise<void> {
  const records = p.encodeBatch({ records: Array.from({ length: 9 }, () => ({ value: Buffer.alloc(100_000, 7) })) })
  const topics = Array.from({ length: 6 }, (_, index) => `full-${index}`)
  const setup = await broker.connect()
  await createTopics(
    setup,
    topics.map(name => ({ name, configs: { 'retention.bytes': '200000000' } })),
  )
  setup.close()
  let endMs = 0
  let written = 0
  let read = 0
  const goesOn = (): boolean => performance.now() < endMs || written < MUCH_BYTES || read < MUCH_BYTES
  const produce = async (topic: string, client: WireClient): Promise<void> => {
    while (goesOn()) {
      const { responses } = await client.call(PRODUCE, 8, produceBody(topic, records))
      assert.equal(responses[0]!.partitionResponses[0]!.errorCode, 0)
      written += records.length
    }
  }
  const consume = async (topic: string, client: WireClient): Promise<void> => {
    while (goesOn()) {
      const { responses } = await client.call(FETCH, 11, fetchBody(topic, [0], 8 * MIB))
      read += responses[0]?.partitions[0]?.records?.length ?? 0
    }
  }
  await broker.endures(`full speed within ${LIMIT_MIB} MiB`, async () => {
    endMs = performance.now() + ATTACK_MS
    const clients = await Promise.all(Array.from({ length: 12 }, () => broker.connect()))
    await Promise.all(clients.map((client, i) => (i % 2 === 0 ? produce : consume)(topics[i >> 1]!, client)))
    for (const client of clients) client.close()
  })
}
