/** How fast a log is compacted: the same batches, byte for byte, before the cleaner of each contender. */
import kafkajs from 'kafkajs'
import { ProduceRequest, ProduceResponse } from '../../src/protocol/everything.ts'
import { type CompressionType, encodeBatch } from '../../src/protocol/index.ts'
import { closedBytes, untilCompacted } from '../../test/compat/compacted-topic.ts'
import { createTopics } from '../../test/compat/create-topics.ts'
import { ProtocolClient } from '../../test/compat/protocol-client.ts'
import type { Contender } from './contender.ts'
import { secondsOf } from './own-row.ts'
import { GB, type Row, withCpu } from './row.ts'

const TOPIC = 'compacted'
const RECORDS = 4_000_000
const RECORDS_OF_A_BATCH = 200
const RECORDS_OF_A_KEY = 4
const VALUE_BYTES = 100
const SEGMENT_BYTES = 16 * 2 ** 20
const PRODUCE_VERSION = 7
const IN_FLIGHT = 4
const PATIENCE_MS = 300_000
/** A look for work is due at once when the topic is to be compacted. */
const CLEANER = { 'log.cleaner.backoff.ms': '100' }

const COMPACT = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.001' }
const settings = (values: Readonly<Record<string, string>>) =>
  Object.entries({ 'segment.bytes': `${SEGMENT_BYTES}`, ...values }).map(([name, value]) => ({ name, value }))

/** Batches whose keys come again in no order that repeats; the same ones at every call. */
function* batchesOf(records: number, compression: CompressionType): Generator<Uint8Array, void> {
  const keys = Math.ceil(records / RECORDS_OF_A_KEY)
  const timestamp = Date.now()
  let state = 1
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  for (let made = 0; made < records; made += RECORDS_OF_A_BATCH) {
    const batch = Array.from({ length: RECORDS_OF_A_BATCH }, (_, index) => ({
      key: Buffer.from(`user-${Math.floor(random() * keys)}`),
      value: Buffer.from(`{"visit":${made + index},"path":"/${Math.floor(random() * 1e9)}"}`.padEnd(VALUE_BYTES, ' .')),
      timestamp,
    }))
    yield encodeBatch({ records: batch, compression })
  }
}

async function fill(contender: Contender, records: number, compression: CompressionType): Promise<void> {
  await createTopics(contender.broker, [{ topic: TOPIC, numPartitions: 1, configEntries: settings({}) }])
  const client = await ProtocolClient.open(contender.broker.port)
  const underWay: Promise<void>[] = []
  for (const batch of batchesOf(records, compression)) {
    if (underWay.length >= IN_FLIGHT) await underWay.shift()
    underWay.push(send(client, batch))
  }
  await Promise.all(underWay)
  client.close()
}

async function send(client: ProtocolClient, records: Uint8Array): Promise<void> {
  const { responses } = await client.ask([ProduceRequest, ProduceResponse], PRODUCE_VERSION, {
    transactionalId: null,
    acks: 1,
    timeoutMs: PATIENCE_MS,
    topicData: [{ name: TOPIC, partitionData: [{ index: 0, records }] }],
  })
  const error = responses[0]?.partitionResponses[0]?.errorCode
  if (error !== 0) throw new Error(`error ${error} for a batch`)
}

async function compact(contender: Contender): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [contender.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: TOPIC, configEntries: settings(COMPACT) }
  await admin.alterConfigs({ validateOnly: false, resources: [resource] })
  await admin.disconnect()
}

function compactionRow(compression: CompressionType): Row {
  return {
    id: compression === 'none' ? 'compaction' : `compaction-${compression}`,
    title: `compaction of one log, ${VALUE_BYTES} B values, every key ${RECORDS_OF_A_KEY} times${compression === 'none' ? '' : `, ${compression}`}`,
    figures: [
      { name: 'rate', unit: 'MB/s', digits: 1 },
      { name: 'broker CPU', unit: 's/GB', digits: 2 },
    ],
    ownsBroker: true,
    warmUps: 0,
    quick: true,
    measure: async (contender, scale) => {
      await contender.start(CLEANER)
      try {
        await fill(contender, Math.round(RECORDS * scale.load), compression)
        const bytes = closedBytes(contender.broker, TOPIC)
        const [time, cpu] = await withCpu(contender, () =>
          secondsOf(async () => {
            await compact(contender)
            await untilCompacted(contender.broker, TOPIC, PATIENCE_MS)
          }),
        )
        return [bytes / 1e6 / time, cpu / (bytes / GB)]
      } finally {
        await contender.dispose()
      }
    },
  }
}

/** Every measurement of compaction. */
export const compactionRows: readonly Row[] = [compactionRow('none'), compactionRow('lz4')]
