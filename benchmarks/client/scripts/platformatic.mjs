import { Consumer, MessagesStreamModes, Producer } from '@platformatic/kafka'
import { runWorkload } from './workload.mjs'

await runWorkload({
  async producer({ bootstrap, topic, acks, codec }) {
    const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [bootstrap], acks, compression: codec })
    const send = values => producer.send({ messages: values.map(value => ({ topic, value })), acks })
    return { sendBatch: send, sendOne: value => send([value]) }
  },
  // It has no call for a batch: `batches` is its loop over the stream, `each` its event for a record.
  async consume({ bootstrap, topic, mode, group }, on) {
    const consumer = new Consumer({
      clientId: 'bench',
      groupId: group,
      bootstrapBrokers: [bootstrap],
      maxWaitTime: 500,
    })
    const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: true })
    if (mode === 'each') {
      stream.on('data', ({ key, value }) => on(key, value))
      return new Promise(() => {})
    }
    for await (const { key, value } of stream) on(key, value)
  },
})
