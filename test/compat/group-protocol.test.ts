/** Groups answer as a real Kafka's do: both are put through the same script, and every answer is compared. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  CreateTopicsRequest,
  CreateTopicsResponse,
  ErrorCode,
  FindCoordinatorRequest,
  FindCoordinatorResponse,
  HeartbeatRequest,
  HeartbeatResponse,
} from '../../src/protocol/everything.ts'
import { BrokerProcess, SMALL_INTERNAL_TOPICS, type Target } from './broker-process.ts'
import { type Answer, GroupScript, PARTITIONS, TOPIC } from './group-script.ts'
import { jarVersion } from './jars.ts'
import { javaArguments } from './java.ts'
import { LONG_TEST_MS, until } from './process.ts'
import { ProtocolClient } from './protocol-client.ts'
import { toolOrSkip } from './tools.ts'

const FIND_COORDINATOR = [FindCoordinatorRequest, FindCoordinatorResponse] as const
const HEARTBEAT = [HeartbeatRequest, HeartbeatResponse] as const

test('groups answer as those of Apache Kafka do', { timeout: LONG_TEST_MS }, async (context: TestContext) => {
  const kafka = await toolOrSkip(context, 'Apache Kafka', () => javaArguments('kafka.Kafka', []))
  if (!kafka) return
  console.log(`# Apache Kafka: ${jarVersion('libs', 'kafka_2.13')}`)
  const expected = await answersOf('kafka')
  const actual = await answersOf('monedula')
  assert.ok(expected.length > 300, `${expected.length} answers`)
  assert.equal(actual.length, expected.length)
  for (const [index, [step, answer]] of expected.entries()) assert.deepEqual(actual[index], [step, answer])
})

async function answersOf(target: Target): Promise<Answer[]> {
  const broker = await BrokerProcess.start({ target, properties: SMALL_INTERNAL_TOPICS })
  const clients: ProtocolClient[] = []
  try {
    for (let count = 0; count < 3; count++) clients.push(await ProtocolClient.open(broker.port))
    const [first, second, third] = clients
    assert.ok(first && second && third)
    await prepare(first)
    const script = new GroupScript(first, second, third)
    await script.run()
    return comparable(script.answers)
  } finally {
    for (const client of clients) client.close()
    await broker.dispose()
  }
}

/** Makes the topic, and waits until the coordinator of groups is there. */
async function prepare(client: ProtocolClient): Promise<void> {
  const topics = [{ name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 }]
  await client.ask([CreateTopicsRequest, CreateTopicsResponse], 5, { topics, timeoutMs: 10_000 })
  const key = { key: 'group', keyType: 0 }
  await until('there is a coordinator', async () => (await client.ask(FIND_COORDINATOR, 3, key)).errorCode === 0, 50)
  const stranger = { groupId: 'group', memberId: 'stranger', generationId: 1 }
  await until('it has loaded', async () => {
    const { errorCode } = await client.ask(HEARTBEAT, 4, stranger)
    return errorCode === ErrorCode.UNKNOWN_MEMBER_ID
  })
}

/** Names members in order of their appearance, and sorts what Kafka gives in the order of its hash maps. */
function comparable(answers: readonly Answer[]): Answer[] {
  const names = new Map<string, string>()
  const memberName = (id: string): string => {
    const name = names.get(id) ?? `member ${names.size + 1}`
    names.set(id, name)
    return name
  }
  const of = (value: unknown, key = ''): unknown => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
    if (Array.isArray(value)) return SORTED.has(key) ? sorted(value.map(item => of(item))) : value.map(item => of(item))
    if (typeof value === 'string') return MEMBER_ID.test(value) ? memberName(value) : value
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, of(field, name)]))
  }
  return answers.map(([step, answer]) => [step, of(answer)])
}

const MEMBER_ID = /-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const SORTED: ReadonlySet<string> = new Set(['partitions', 'topics', 'results', 'groups', 'members'])

function sorted(values: readonly unknown[]): unknown[] {
  const text = (value: unknown): string => JSON.stringify(value)
  return [...values].sort((left, right) => (text(left) < text(right) ? -1 : 1))
}
