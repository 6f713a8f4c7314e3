import kafkajs from 'kafkajs'
import { runWorkload } from './workload.mjs'

const { Kafka, logLevel, Partitioners } = kafkajs
const connect = ({ bootstrap }) => new Kafka({ clientId: 'bench', brokers: [bootstrap], logLevel: logLevel.ERROR })

await runWorkload({
  async producer(settings) {
    const { topic, acks } = settings
    const producer = connect(settings).producer({ createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    const send = values => producer.send({ topic, acks, messages: values.map(value => ({ value })) })
    return { sendBatch: send, sendOne: value => send([value]) }
  },
  async consume(settings, on) {
    const consumer = connect(settings).consumer({ groupId: settings.group })
    await consumer.connect()
    await consumer.subscribe({ topic: settings.topic, fromBeginning: true })
    await consumer.run(
      settings.mode === 'each'
        ? { eachMessage: async ({ message }) => on(message.key, message.value) }
        : {
            eachBatch: async ({ batch }) => {
              for (const { key, value } of batch.messages) on(key, value)
            },
          },
    )
  },
})
