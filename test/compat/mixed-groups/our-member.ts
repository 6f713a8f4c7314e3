/** Our consumer as one member of a group: `our-member.js BROKER GROUP TOPIC [KEY=VALUE ...]`; says what `java/GroupMember.java` says. */
import { connect, string, type TopicPartition } from '../../../src/client/index.ts'

const [bootstrap = '', groupId = '', topic = '', ...pairs] = process.argv.slice(2)

const say = (what: string): void => {
  process.stdout.write(`${process.hrtime.bigint()} ${what}\n`)
}
const sayOf =
  (what: string) =>
  (partitions: readonly TopicPartition[]): void =>
    say(`${what} ${partitions.map(({ partition }) => partition).join(',')}`)

const consumer = connect(bootstrap).consumer({
  ...Object.fromEntries(pairs.map(pair => pair.split('=', 2))),
  groupId,
  clientId: 'ours',
  autoOffsetReset: 'earliest',
  autoCommitIntervalMs: 100,
  key: string,
  value: string,
  onAssigned: sayOf('assigned'),
  onRevoked: sayOf('revoked'),
  onLost: sayOf('revoked'),
})
consumer.subscribe(topic)
process.stdin.on('end', () => void consumer.close()).resume()
await consumer.run(({ partition, value }) => say(`record ${partition} ${value}`))
await consumer.close()
say('left ')
