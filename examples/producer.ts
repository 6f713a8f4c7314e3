/**
 * Sends records one after the other, many at once, and with a callback: `node dist/examples/producer.js host:port`.
 * Settings go by Java's names or the same in camelCase.
 */
import { connect } from 'monedula'

const kafka = connect(process.argv[2] ?? '127.0.0.1:9092')
await using producer = kafka.producer({
  acks: 'all',
  retries: 3,
  batchSize: 16_384,
  'linger.ms': 1,
  'buffer.memory': 33_554_432,
  compressionType: 'lz4',
})

// Each awaited: the next one leaves when the broker has this one.
for (let i = 0; i < 3; i++) {
  const { partition, offset } = await producer.send('first', { key: `key-${i}`, value: `awaited ${i}` })
  console.log(`awaited ${i}: partition ${partition}, offset ${offset}`)
}

// Many at once: they travel in batches, in order.
const sends = Array.from({ length: 100 }, (_, i) => producer.send('first', { value: `at once ${i}` }))
console.log(`at once: ${(await Promise.all(sends)).length} acknowledged`)

// With a callback for each.
const sent = producer.send({ topic: 'first', partition: 0, value: 'to partition 0' }).then(
  ({ offset }) => console.log(`callback: offset ${offset}`),
  error => console.log(`callback: ${error.code}`),
)
await sent

// A thousand records in one call cost far less than a thousand calls.
const records = Array.from({ length: 1_000 }, (_, i) => ({ value: `in one call ${i}` }))
const runs = await producer.sendBatch('first', records)
console.log(`in one call: ${runs.reduce((sum, { count }) => sum + count, 0)} acknowledged`)
