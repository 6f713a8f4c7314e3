/**
 * A consumer as a process that can be killed or stopped: `consumer-process.js BROKER GROUP TOPIC COMMIT_EVERY`. It commits by itself after
 * so many records.
 *
 * Prints a JSON line for each record (`{"partition":0,"offset":1}`), before each commit (`{"committing":{"0":2}}`, the offsets
 * after the last records of each partition) and after it (`{"committed":{"0":2}}` or `{"refused":"ILLEGAL_GENERATION"}`), and when
 * partitions come (`{"assigned":[0]}`). After SIGUSR2 it says `{"sleeping":true}` before its next commit and stops itself with SIGSTOP.
 */
import { connect } from '../../src/client/index.ts'
import { sleep } from '../compat/process.ts'

const PAUSE_MS = 3

const [broker = '', groupId = '', topic = '', commitEvery = '10'] = process.argv.slice(2)
const print = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const worked = new Map<number, number>()
const consumer = connect(broker).consumer({
  groupId,
  autoOffsetReset: 'earliest',
  enableAutoCommit: false,
  sessionTimeoutMs: 2_000,
  heartbeatIntervalMs: 200,
  onAssigned: partitions => print({ assigned: partitions.map(({ partition }) => partition) }),
  onRevoked: partitions => {
    for (const { partition } of partitions) worked.delete(partition)
  },
  onLost: partitions => {
    for (const { partition } of partitions) worked.delete(partition)
  },
})
consumer.subscribe(topic)
let isSleepy = false
process.on('SIGUSR2', () => {
  isSleepy = true
})
let records = 0
for await (const { partition, offset } of consumer) {
  print({ partition, offset })
  worked.set(partition, offset + 1)
  await sleep(PAUSE_MS)
  if (++records % Number(commitEvery) > 0 || worked.size === 0) continue
  const committing = Object.fromEntries(worked)
  const offsets = [...worked].map(([index, next]) => ({ topic, partition: index, offset: next }))
  worked.clear()
  print({ committing })
  if (isSleepy) {
    isSleepy = false
    print({ sleeping: true })
    process.kill(process.pid, 'SIGSTOP')
  }
  try {
    await consumer.commit(offsets)
    print({ committed: committing })
  } catch (error) {
    print({ refused: (error as { code?: string }).code ?? String(error) })
  }
}
