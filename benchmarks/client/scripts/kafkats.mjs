import { KafkaClient } from '@kafkats/client'
import { runWorkload } from './workload.mjs'

async function connect({ bootstrap }) {
  const client = new KafkaClient({ clientId: 'bench', brokers: [bootstrap] })
  await client.connect()
  return client
}

await runWorkload({
  async producer(settings) {
    const { topic, acks, codec, mode } = settings
    const client = await connect(settings)
    const producer = client.producer({
      acks: acks === -1 ? 'all' : 'leader',
      lingerMs: mode === 'awaited' ? 0 : 5,
      compression: codec,
    })
    const send = values =>
      producer.send(
        topic,
        values.map(value => ({ value })),
      )
    return { sendBatch: send, sendOne: value => send([value]) }
  },
  async consume(settings, on) {
    const client = await connect(settings)
    const consumer = client.consumer({ groupId: settings.group, autoOffsetReset: 'earliest' })
    await (settings.mode === 'each'
      ? consumer.runEach(settings.topic, async ({ key, value }) => on(key, value))
      : consumer.runBatch(settings.topic, async records => {
          for (const { key, value } of records) on(key, value)
        }))
  },
})
