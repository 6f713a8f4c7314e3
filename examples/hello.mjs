/** Publishes three records and reads them back: `node examples/hello.mjs [host:port]`. */
import { connect, string } from 'monedula'

const kafka = connect(process.argv[2] ?? '127.0.0.1:9092')
const topic = 'hello'

const producer = kafka.producer()
await producer.sendBatch(topic, [
  { key: 'jackdaw', value: 'a small crow' },
  { key: 'kavka', value: 'the same bird in Czech' },
  { key: 'Monedula', value: 'the same bird in Latin' },
])
await producer.close()

const consumer = kafka.consumer({
  groupId: `hello-${process.pid}`,
  autoOffsetReset: 'earliest',
  key: string,
  value: string,
})
consumer.subscribe(topic)
let seen = 0
for await (const { partition, offset, key, value } of consumer) {
  console.log(`${topic}-${partition} offset ${offset}: ${key} = ${value}`)
  if (++seen === 3) break
}
await consumer.close()
