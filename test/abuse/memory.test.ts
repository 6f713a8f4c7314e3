/** Full speed where memory is scarce. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireClient } from '../../scripts/fuzz/wire-client.ts'
import * as p from '../../src/protocol/everything.ts'
import { AbusedBroker, createTopics, FETCH, fetchBody, PRODUCE, produceBody } from './abused-broker.ts'

const LIMIT_MIB = 300
const ATTACK_MS = 8_000

/**
 * What a memory cgroup would kill for is resident memory that cannot be given back, and the page cache can be: so the
 * test watches the most that was ever resident, which needs no right to make cgroups.
 */
test(`producers and consumers at full speed never take the broker past ${LIMIT_MIB} MiB`, async () => {
  const flags = ['--max-old-space-size=160', '--max-semi-space-size=8']
  const memory = `${32 * 1024 * 1024}`
  const properties = { 'queued.max.request.bytes': memory, 'socket.request.max.bytes': memory }
  await AbusedBroker.run({ flags, properties }, async broker => {
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
    const produce = async (topic: string, client: WireClient): Promise<void> => {
      while (performance.now() < endMs) {
        const { responses } = await client.call(PRODUCE, 8, produceBody(topic, records))
        assert.equal(responses[0]!.partitionResponses[0]!.errorCode, 0)
        written += records.length
      }
    }
    const consume = async (topic: string, client: WireClient): Promise<void> => {
      while (performance.now() < endMs) {
        const { responses } = await client.call(FETCH, 11, fetchBody(topic, [0]))
        read += responses[0]?.partitions[0]?.records?.length ?? 0
      }
    }
    await broker.endures(`full speed within ${LIMIT_MIB} MiB`, async () => {
      endMs = performance.now() + ATTACK_MS
      const clients = await Promise.all(Array.from({ length: 12 }, () => broker.connect()))
      await Promise.all(clients.map((client, i) => (i % 2 === 0 ? produce : consume)(topics[i >> 1]!, client)))
      for (const client of clients) client.close()
    })
    assert.ok(written > 100e6 && read > 100e6, `only ${written} bytes were written and ${read} read`)
    assert.ok(broker.residentMiB.peak < LIMIT_MIB, `${broker.residentMiB.peak} MiB were resident`)
  })
})
