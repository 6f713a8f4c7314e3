/** Our consumer, Java's and librdkafka's in one group of the classic protocol: whoever leads it. */
import assert from 'node:assert/strict'
import { connect } from '../../../src/client/index.ts'
import { numbers } from '../../client-suite/suite.ts'
import type { BrokerProcess } from '../broker-process.ts'
import { compatTest } from '../compat-test.ts'
import {
  type ClientName,
  type GroupMember,
  type GroupSettings,
  memberRuntimes,
  type Runtimes,
  startMember,
} from './member.ts'
import { ObservedGroup } from './observed-group.ts'

const PARTITIONS = 6
const ROUND = 120
const JAVA = 'org.apache.kafka.clients.consumer'

/** An assignor by the name that each client has for it. */
const ASSIGNORS = {
  range: { ours: 'range', java: `${JAVA}.RangeAssignor`, librdkafka: 'range' },
  roundrobin: { ours: 'roundrobin', java: `${JAVA}.RoundRobinAssignor`, librdkafka: 'roundrobin' },
  sticky: { ours: 'sticky', java: `${JAVA}.StickyAssignor`, librdkafka: '' },
  'cooperative-sticky': {
    ours: 'cooperative-sticky',
    java: `${JAVA}.CooperativeStickyAssignor`,
    librdkafka: 'cooperative-sticky',
  },
} as const

/** Who comes in which order; the first leads the group. librdkafka knows no assignor `sticky`. */
const GROUPS: readonly (readonly [keyof typeof ASSIGNORS, ...ClientName[]])[] = [
  ['range', 'ours', 'java', 'librdkafka'],
  ['roundrobin', 'librdkafka', 'java', 'ours'],
  ['sticky', 'ours', 'java', 'ours'],
  ['sticky', 'java', 'ours', 'java'],
  ['cooperative-sticky', 'ours', 'librdkafka', 'java'],
  ['cooperative-sticky', 'java', 'ours', 'librdkafka'],
]

compatTest({
  tool: 'our consumer, Java and librdkafka in one group',
  install: memberRuntimes,
  version: ({ versions }) => versions,
  broker: { properties: { 'group.min.session.timeout.ms': '1000' } },
  timeoutMs: 600_000,
  steps: async (context, broker, runtimes) => {
    for (const [strategy, ...clients] of GROUPS) {
      await context.test(`${strategy}, led by ${clients[0]}: ${clients.join(', ')}`, () =>
        comeAndGo(broker, { strategy, clients, runtimes }),
      )
    }
  },
})

let groups = 0

/** Three members come, one after the other; one leaves and one that can be killed is, while records are written. */
async function comeAndGo(
  broker: BrokerProcess,
  parts: {
    readonly strategy: keyof typeof ASSIGNORS
    readonly clients: readonly ClientName[]
    readonly runtimes: Runtimes
  },
): Promise<void> {
  groups += 1
  const settings: GroupSettings = {
    bootstrap: broker.bootstrap,
    groupId: `mixed-${groups}`,
    topic: `mixed-${groups}`,
    assignor: ASSIGNORS[parts.strategy],
    more: { 'session.timeout.ms': '2000', 'heartbeat.interval.ms': '200' },
    runtimes: parts.runtimes,
  }
  const kafka = connect(broker.bootstrap)
  await using admin = kafka.admin()
  await admin.createTopics([{ name: settings.topic, partitions: PARTITIONS }])
  await using producer = kafka.producer()
  let sent = 0
  const write = async (): Promise<string[]> => {
    const values = numbers(ROUND).map(number => `${sent + Number(number)}`)
    sent += ROUND
    await producer.sendBatch(
      settings.topic,
      values.map((value, index) => ({ value, partition: index % PARTITIONS })),
    )
    return values
  }
  const group = new ObservedGroup(PARTITIONS)
  const members: GroupMember[] = []
  const join = async (client: ClientName, name: string): Promise<void> => {
    members.push(await startMember(client, name, settings, group.observe))
    await group.spreadOver(members.map(member => member.name))
    await group.read(await write())
  }
  try {
    for (const [index, client] of parts.clients.entries()) await join(client, `${client}-${index}`)
    const [first] = members.splice(0, 1)
    await first?.leave()
    await group.spreadOver(members.map(({ name }) => name))
    await group.read(await write())
    await join(parts.clients[0]!, `${parts.clients[0]}-again`)
    group.assertOneOwnerAtATime()
    // Nobody was killed: what a member let go of it had committed.
    assert.equal(group.values.length, new Set(group.values).size, 'records read twice')

    const victim = members.findIndex(({ name }) => !name.startsWith('ours'))
    const [killed] = members.splice(victim, 1)
    await killed?.kill()
    const values = await write()
    await group.spreadOver(members.map(({ name }) => name))
    await group.read(values)
    group.assertOneOwnerAtATime()
    assert.equal(new Set(group.values).size, sent)
  } finally {
    for (const member of members) await member.leave()
  }
}
