/**
 * Publishes three records and reads them back, with kafkajs: `node examples/hello.mjs [host:port]`.
 * Any Kafka client does; this one comes with the repository's development dependencies.
 */
import { Kafka, logLevel, Partitioners } from 'kafkajs'

const broker = process.argv[2] ?? '127.0.0.1:9092'
const kafka = new Kafka({ clientId: 'hello', brokers: [broker], logLevel: logLevel.ERROR })
const topic = 'hello'

const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
await producer.connect()
await producer.send({
  topic,
  messages: [
    { key: 'jackdaw', value: 'a small crow' },
    { key: 'kavka', value: 'the same bird in Czech' },
    { key: 'Monedula', value: 'the same bird in Latin' },
  ],
})
await producer.disconnect()

const consumer = kafka.consumer({ groupId: `hello-${process.pid}` })
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
let seen = 0
await new Promise(resolve => {
  void consumer.run({
    eachMessage: async ({ partition, message }) => {
      console.log(`${topic}-${partition} offset ${message.offset}: ${message.key} = ${message.value}`)
      seen += 1
      if (seen === 3) resolve()
    },
  })
})
await consumer.disconnect()
