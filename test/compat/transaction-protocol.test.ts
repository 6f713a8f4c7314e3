/** Transactions are answered as a real Kafka does: both are put through the same script, and every answer is compared. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  batches,
  CreateTopicsRequest,
  CreateTopicsResponse,
  FindCoordinatorRequest,
  FindCoordinatorResponse,
  InitProducerIdRequest,
  InitProducerIdResponse,
} from '../../src/protocol/everything.ts'
import { BrokerProcess, type Target } from './broker-process.ts'
import { jarVersion } from './jars.ts'
import { javaArguments } from './java.ts'
import { LONG_TEST_MS, until } from './process.ts'
import { ProtocolClient } from './protocol-client.ts'
import { toolOrSkip } from './tools.ts'
import { type Answer, PARTITIONS, TOPIC, TransactionScript } from './transaction-script.ts'

const TRANSACTIONAL_ID = 1
const GROUP = 0
const PROPERTIES = { 'offsets.topic.num.partitions': '1', 'transaction.state.log.num.partitions': '1' }

test('transactions answer as those of Apache Kafka do', { timeout: LONG_TEST_MS }, async (context: TestContext) => {
  const kafka = await toolOrSkip(context, 'Apache Kafka', () => javaArguments('kafka.Kafka', []))
  if (!kafka) return
  console.log(`# Apache Kafka: ${jarVersion('libs', 'kafka_2.13')}`)
  const expected = await answersOf('kafka')
  const actual = await answersOf('monedula')
  assert.ok(expected.length > 400, `${expected.length} answers`)
  assert.equal(actual.length, expected.length)
  const differences = expected.flatMap(([step, answer], index) => {
    const ours = actual[index]?.[1]
    const same = JSON.stringify(ours) === JSON.stringify(answer)
    return same ? [] : [`${index}. ${step}\n  Kafka: ${JSON.stringify(answer)}\n  ours:  ${JSON.stringify(ours)}`]
  })
  assert.equal(differences.length, 0, `${differences.length} differences\n${differences.join('\n')}`)
})

async function answersOf(target: Target): Promise<Answer[]> {
  const broker = await BrokerProcess.start({ target, properties: PROPERTIES })
  let client: ProtocolClient | undefined
  try {
    client = await ProtocolClient.open(broker.port)
    await prepare(client)
    const script = new TransactionScript(client)
    await script.run()
    return script.answers.map(([step, answer]) => [step, comparable(answer)])
  } finally {
    client?.close()
    await broker.dispose()
  }
}

/** Makes the topic, and waits until the coordinators are there. */
async function prepare(client: ProtocolClient): Promise<void> {
  const topics = [{ name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 }]
  await client.ask([CreateTopicsRequest, CreateTopicsResponse], 5, { topics, timeoutMs: 10_000 })
  for (const keyType of [GROUP, TRANSACTIONAL_ID]) {
    await until(`there is a coordinator of kind ${keyType}`, async () => {
      const found = await client.ask([FindCoordinatorRequest, FindCoordinatorResponse], 3, { key: 'key', keyType })
      return found.errorCode === 0
    })
  }
  // Kafka asks its controller for producer ids in the background, and answers that the coordinator loads until then.
  const body = { transactionalId: 'first', transactionTimeoutMs: 1_000 }
  await until('there is a producer id', async () => {
    const { errorCode } = await client.ask([InitProducerIdRequest, InitProducerIdResponse], 4, body)
    return errorCode === 0
  })
}

/** Leaves times and the wording of messages out, reads batches, and sorts what Kafka gives in the order of its hash maps. */
function comparable(value: unknown, key = ''): unknown {
  if (value instanceof Uint8Array) return [...batches(value)].map(batchOf)
  if (Array.isArray(value)) {
    const items = value.map(item => comparable(item))
    return SORTED.has(key) ? items.sort((left, right) => (textOf(left) < textOf(right) ? -1 : 1)) : items
  }
  if (typeof value === 'number' && TIMES.has(key)) return value > 0 ? 'a time' : value
  if (key === 'errorMessage') return null
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, comparable(field, name)]))
}

function batchOf(batch: ReturnType<typeof batches> extends Iterable<infer T> ? T : never): unknown {
  const { baseOffset, lastOffset, producerId, producerEpoch, baseSequence, isTransactional, isControl } = batch
  return { baseOffset, lastOffset, producerId, producerEpoch, baseSequence, isTransactional, isControl }
}

function textOf(value: unknown): string {
  return JSON.stringify(value)
}

const TIMES: ReadonlySet<string> = new Set(['transactionStartTimeMs', 'lastTimestamp'])
const SORTED: ReadonlySet<string> = new Set([
  'activeProducers',
  'partitions',
  'resultsByPartition',
  'resultsByTopicV3AndBelow',
  'resultsByTransaction',
  'topicResults',
  'topics',
  'transactionStates',
])
