/** Our consumer, Java's and librdkafka's in one group of the classic protocol: whoever leads it. */
import { SMALL_INTERNAL_TOPICS } from '../broker-process.ts'
import { compatTest } from '../compat-test.ts'
import { comeAndGo } from './come-and-go.ts'
import { type ClientName, memberRuntimes } from './member.ts'

const JAVA = 'org.apache.kafka.clients.consumer'

const QUICK = { 'session.timeout.ms': '6000', 'heartbeat.interval.ms': '200' }

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
  ['sticky', 'java', 'ours', 'java'],
  ['cooperative-sticky', 'ours', 'librdkafka', 'java'],
  ['cooperative-sticky', 'java', 'ours', 'librdkafka'],
]

compatTest({
  tool: 'our consumer, Java and librdkafka in one group',
  install: memberRuntimes,
  version: ({ versions }) => versions,
  broker: { properties: { ...SMALL_INTERNAL_TOPICS, 'group.min.session.timeout.ms': '1000' } },
  steps: async (context, broker, runtimes) => {
    for (const [strategy, ...clients] of GROUPS) {
      await context.test(`${strategy}, led by ${clients[0]}: ${clients.join(', ')}`, () =>
        comeAndGo(broker, clients, { assignor: ASSIGNORS[strategy], more: QUICK, runtimes }),
      )
    }
  },
})
