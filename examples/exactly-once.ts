/**
 * Reads, works and writes in one transaction: results and offsets are there together or not at all:
 * `node dist/examples/exactly-once.js host:port`.
 */
import { connect, string } from 'monedula'

const kafka = connect(process.argv[2] ?? '127.0.0.1:9092')
await using source = kafka.producer()
await source.sendBatch(
  'words',
  ['jackdaw', 'kavka', 'monedula'].map(value => ({ value })),
)

await using producer = kafka.producer({ transactionalId: 'upper-case' })
await using consumer = kafka.consumer({
  groupId: 'upper-case',
  value: string,
  autoOffsetReset: 'earliest',
  enableAutoCommit: false,
  isolationLevel: 'read_committed',
})
consumer.subscribe('words')

let left = 3
for await (const { topic, partition, offset, value } of consumer) {
  await producer.transaction(async transaction => {
    await transaction.send('shouted', { value: value!.toUpperCase() })
    await transaction.sendOffsets([{ topic, partition, offset: offset + 1 }], consumer.groupMetadata)
  })
  if (--left === 0) break
}

await using reader = kafka.consumer({ value: string, isolationLevel: 'read_committed' })
reader.assign([{ topic: 'shouted', partition: 0, offset: 0 }])
left = 3
for await (const { value } of reader) {
  console.log(value)
  if (--left === 0) break
}
