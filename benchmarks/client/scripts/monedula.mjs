import { runWorkload } from './workload.mjs'

// The one under test is the one that was just built, not an installed one.
const { connect } = await import(process.env.MONEDULA)

await runWorkload({
  async producer({ bootstrap, topic, acks, codec }) {
    const producer = connect(bootstrap).producer({
      acks: acks === -1 ? 'all' : acks,
      // As the others are by default, so that brokers have the same work with all.
      enableIdempotence: false,
      compressionType: codec,
    })
    return {
      sendBatch: values =>
        producer.sendBatch(
          topic,
          values.map(value => ({ value })),
        ),
      sendOne: value => producer.send(topic, { value }),
    }
  },
  async consume({ bootstrap, topic, mode, group }, on) {
    const consumer = connect(bootstrap).consumer({ groupId: group, autoOffsetReset: 'earliest' })
    consumer.subscribe(topic)
    if (mode === 'each') return consumer.run(({ key, value }) => on(key, value))
    for await (const { records } of consumer.batches()) for (const { key, value } of records) on(key, value)
  },
})
