/** Reads two topics as a member of a group, offsets committed in the background: `node dist/examples/consumer.js host:port`. */
import { connect, string } from 'monedula'

const kafka = connect(process.argv[2] ?? '127.0.0.1:9092')
await using consumer = kafka.consumer({
  groupId: 'readers',
  key: string,
  value: string,
  autoOffsetReset: 'earliest',
  autoCommitIntervalMs: 1_000,
  sessionTimeoutMs: 30_000,
  onAssigned: partitions => console.log(`assigned: ${partitions.map(p => `${p.topic}-${p.partition}`).join(' ')}`),
})
consumer.subscribe(['first', 'orders'])

let left = Number(process.argv[3] ?? 10)
for await (const { topic, partition, offset, key, value } of consumer) {
  console.log(`${topic}-${partition} ${offset}: ${key} = ${value}`)
  if (--left === 0) break
}
