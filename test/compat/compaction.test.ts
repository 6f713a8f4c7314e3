/**
 * What stays of a log: Apache Kafka's cleaner and the broker's are given the same one, and keep the same records at the
 * same offsets, round after round.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  CreateTopicsRequest,
  CreateTopicsResponse,
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../../src/protocol/everything.ts'
import { BrokerProcess, type Target, targetVersion } from './broker-process.ts'
import { baseOffsetOf, recordsInFiles, segmentsOf, untilCompacted } from './compacted-topic.ts'
import { CompactionLoad } from './compaction-load.ts'
import { jarVersion } from './jars.ts'
import { javaArguments } from './java.ts'
import { LONG_TEST_MS } from './process.ts'
import { ProtocolClient } from './protocol-client.ts'
import { toolOrSkip } from './tools.ts'

const SEGMENT_BYTES = 20_000
/** Fits into a segment once, and a round's batches beside it: the second one closes the segment. */
const LARGE_BYTES = 12_000
const FIRST_BATCHES = 500
const LATER_BATCHES = 15
const ROUNDS = 4
const SEED = 7
const TOPIC_RESOURCE = 2
const SET = 0

const PROPERTIES = {
  'log.cleaner.backoff.ms': '100',
  // The load writes the markers itself: no coordinator knows of its transactions.
  'transaction.partition.verification.enable': 'false',
}
/** How long tombstones and markers stay. */
const TOPICS = { keeps: '86400000', drops: '0' }

/** What is left in a topic after a round. */
interface Survivors {
  readonly records: readonly string[]
  /** `offset producer` of each marker. */
  readonly markers: readonly string[]
}

test(`Apache Kafka's cleaner and that of ${targetVersion('monedula')} keep the same records`, {
  timeout: LONG_TEST_MS,
}, async (context: TestContext) => {
  const kafka = await toolOrSkip(context, 'Apache Kafka', () => javaArguments('kafka.Kafka', []))
  if (!kafka) return
  console.log(`# Apache Kafka: ${jarVersion('libs', 'kafka_2.13')}`)
  const expected = await survivorsOf('kafka')
  const actual = await survivorsOf('monedula')
  for (const [round, topics] of expected.entries()) {
    for (const [topic, kept] of Object.entries(topics)) {
      const ours = actual[round]![topic]!
      assert.deepEqual(ours.records, kept.records, `records of ${topic} after round ${round}`)
      // Kafka empties the last marker of a producer where it would drop others; here it stays whole.
      const lasting = ours.markers.filter(marker => !kept.markers.includes(marker))
      const others = ours.markers.filter(marker => kept.markers.includes(marker))
      assert.deepEqual(others, kept.markers, `markers of ${topic} after round ${round}`)
      const producers = lasting.map(marker => marker.split(' ')[1])
      assert.equal(new Set(producers).size, producers.length, `one marker a producer: ${lasting.join(', ')}`)
    }
  }
})

async function survivorsOf(target: Target): Promise<Readonly<Record<string, Survivors>>[]> {
  const broker = await BrokerProcess.start({ target, properties: PROPERTIES })
  const client = await ProtocolClient.open(broker.port)
  try {
    await createTopics(client)
    const loads = Object.keys(TOPICS).map(topic => ({ topic, load: new CompactionLoad(client, topic, SEED) }))
    const rounds: Record<string, Survivors>[] = []
    for (let round = 0; round < ROUNDS; round++) {
      for (const { topic, load } of loads) {
        await load.write(round === 0 ? FIRST_BATCHES : LATER_BATCHES)
        await load.writeLarge(LARGE_BYTES)
        if (round === 0) await load.writeLarge(LARGE_BYTES)
        if (round === 0) await compact(client, topic)
        await untilCompacted(broker, topic)
      }
      rounds.push(Object.fromEntries(loads.map(({ topic }) => [topic, survivors(broker, topic)])))
    }
    for (const { load } of loads) {
      for (const [what, count] of Object.entries(load.counts)) assert.ok(count > 20, `${count} ${what}`)
    }
    return rounds
  } finally {
    client.close()
    await broker.dispose()
  }
}

/** Topics that no round is worth while for yet. */
async function createTopics(client: ProtocolClient): Promise<void> {
  const topics = Object.entries(TOPICS).map(([name, retention]) => ({
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries({
      'cleanup.policy': 'compact',
      'segment.bytes': `${SEGMENT_BYTES}`,
      'min.cleanable.dirty.ratio': '1',
      'delete.retention.ms': retention,
    }).map(([key, value]) => ({ name: key, value })),
  }))
  const created = await client.ask([CreateTopicsRequest, CreateTopicsResponse], 4, { topics, timeoutMs: 10_000 })
  for (const { errorCode } of created.topics) assert.equal(errorCode, 0)
}

/** From now on each closed segment is worth a round. */
async function compact(client: ProtocolClient, resourceName: string): Promise<void> {
  const configs = [{ name: 'min.cleanable.dirty.ratio', configOperation: SET, value: '0' }]
  const resources = [{ resourceType: TOPIC_RESOURCE, resourceName, configs }]
  const api = [IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse] as const
  const { responses } = await client.ask(api, 0, { resources, validateOnly: false })
  assert.equal(responses[0]?.errorCode, 0)
}

function survivors(broker: BrokerProcess, topic: string): Survivors {
  const [records, markers]: [string[], string[]] = [[], []]
  for (const { batch, record } of recordsInFiles(broker, topic)) {
    const { offset, timestamp, key, value, headers } = record
    if (batch.isControl) markers.push(`${offset} ${batch.producerId}`)
    else records.push(JSON.stringify({ offset, timestamp, key: hex(key), value: hex(value), headers: headers.length }))
  }
  assert.ok(records.length > 0, `${topic} has records in segments ${segmentsOf(broker, topic).map(baseOffsetOf)}`)
  return { records, markers }
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex')
}
