import { once } from 'node:events'
import rdkafka from 'node-rdkafka'
import { runWorkload } from './workload.mjs'

await runWorkload({
  async producer({ bootstrap, topic, acks, codec, mode }) {
    const producer = new rdkafka.Producer({
      'metadata.broker.list': bootstrap,
      'request.required.acks': acks,
      'compression.codec': codec,
      'linger.ms': mode === 'awaited' ? 0 : 5,
      'queue.buffering.max.messages': 1_000_000,
      dr_cb: true,
    })
    producer.connect()
    await once(producer, 'ready')
    producer.setPollInterval(1)
    const waiting = new Map()
    let lastId = 0
    producer.on('delivery-report', (error, { opaque }) => {
      const { resolve, reject } = waiting.get(opaque)
      waiting.delete(opaque)
      if (error) reject(error)
      else resolve()
    })
    const sendOne = value =>
      new Promise((resolve, reject) => {
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        producer.produce(topic, null, value, null, null, id)
      })
    return { sendOne, sendBatch: values => Promise.all(values.map(sendOne)) }
  },
  async consume({ bootstrap, topic, mode, group }, on) {
    const consumer = new rdkafka.KafkaConsumer(
      { 'metadata.broker.list': bootstrap, 'group.id': group },
      { 'auto.offset.reset': 'earliest' },
    )
    consumer.connect()
    await once(consumer, 'ready')
    consumer.subscribe([topic])
    if (mode === 'each') {
      consumer.on('data', ({ key, value }) => on(key, value))
      consumer.consume()
      return new Promise(() => {})
    }
    for (;;) {
      const records = await new Promise((resolve, reject) => {
        consumer.consume(1_000, (error, read) => (error ? reject(error) : resolve(read)))
      })
      for (const { key, value } of records) on(key, value)
    }
  },
})
