/**
 * One member of a consumer group, as a process that can be killed: `kafkajs-member.js BROKER GROUP TOPIC`.
 *
 * Prints a JSON line for every assignment (`{"assigned":[0,1]}`) and for every batch of values (`{"values":["1"]}`).
 */
import { Kafka, logLevel } from 'kafkajs'

const [broker = '', groupId = '', topic = ''] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'member', brokers: [broker], logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId, sessionTimeout: 6_000, heartbeatInterval: 500, rebalanceTimeout: 10_000 })
const print = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => print({ assigned: payload.memberAssignment[topic] ?? [] }))
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await consumer.run({
  autoCommitThreshold: 1,
  eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary }) => {
    for (const { offset } of batch.messages) resolveOffset(offset)
    await commitOffsetsIfNecessary()
    print({ values: batch.messages.map(({ value }) => value?.toString()) })
  },
})
process.on('SIGTERM', () => {
  consumer.disconnect().then(
    () => process.exit(0),
    () => process.exit(1),
  )
})
