/** kafka-node 5: message sets of format 0 and 1, the client of many programs that were never rewritten. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { TestContext } from 'node:test'
import type { BrokerProcess } from './broker-process.ts'
import { compatTest } from './compat-test.ts'
import { createTopics } from './create-topics.ts'
import { PATIENCE_MS } from './process.ts'
import { npmPackage } from './tools.ts'

const SPECIFIER = 'kafka-node@5.0.0'
const PER_CODEC = 200
/** Its other codec, snappy, needs a native module that has to be compiled. */
const CODECS = { none: 0, gzip: 1 }

interface Message {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string
}

/** As much of kafka-node as is used here. */
interface Emitter extends NodeJS.EventEmitter {
  close(force: boolean, done: () => void): void
}
interface Producer extends NodeJS.EventEmitter {
  send(payloads: readonly object[], done: (error: Error | null, sent: Record<string, object>) => void): void
  close(done: () => void): void
}
interface KafkaNode {
  KafkaClient: new (options: object) => object
  HighLevelProducer: new (client: object, options: object) => Producer
  Consumer: new (client: object, topics: readonly object[], options: object) => Emitter
  ConsumerGroup: new (options: object, topics: readonly string[]) => Emitter
}

/** Messages of a consumer until there are `count`. */
async function take(consumer: Emitter, count: number): Promise<Message[]> {
  const messages: Message[] = []
  await new Promise<void>((resolve, reject) => {
    const timeout = setTimeout(() => reject(new Error(`${messages.length} messages and not ${count}`)), PATIENCE_MS)
    consumer.on('error', reject)
    consumer.on('message', (message: Message) => {
      messages.push(message)
      if (messages.length < count) return
      clearTimeout(timeout)
      resolve()
    })
  })
  return messages
}

const closed = (consumer: Emitter): Promise<void> => new Promise(resolve => consumer.close(true, resolve))

async function produce(node: KafkaNode, broker: BrokerProcess): Promise<void> {
  const client = new node.KafkaClient({ kafkaHost: broker.bootstrap })
  const producer = new node.HighLevelProducer(client, { requireAcks: 1 })
  await once(producer, 'ready')
  for (const [name, attributes] of Object.entries(CODECS)) {
    const messages = Array.from({ length: PER_CODEC }, (_, i) => `${name}${i}`)
    const sent = await new Promise<object>((resolve, reject) => {
      const payload = { topic: 'node', partition: 0, key: 'k', messages, attributes }
      producer.send([payload], (error, offsets) => (error ? reject(error) : resolve(offsets)))
    })
    assert.ok('node' in sent)
  }
  await new Promise<void>(resolve => producer.close(resolve))
}

async function steps(context: TestContext, broker: BrokerProcess, node: KafkaNode): Promise<void> {
  const all = Object.keys(CODECS).flatMap(name => Array.from({ length: PER_CODEC }, (_, i) => `${name}${i}`))
  await createTopics(broker, [{ topic: 'node', numPartitions: 1 }])
  await context.test('produces with each codec it has', async () => produce(node, broker))

  await context.test('a simple consumer reads everything in order', async () => {
    const client = new node.KafkaClient({ kafkaHost: broker.bootstrap })
    const consumer = new node.Consumer(client, [{ topic: 'node', partition: 0, offset: 0 }], { fromOffset: true })
    const messages = await take(consumer, all.length)
    await closed(consumer)
    assert.deepEqual(
      messages.map(({ offset, value }) => [offset, value]),
      all.map((value, offset) => [offset, value]),
    )
  })

  await context.test('a group reads everything, commits, and goes on where it was', async () => {
    const options = { kafkaHost: broker.bootstrap, groupId: 'node-group', fromOffset: 'earliest', autoCommit: true }
    const first = new node.ConsumerGroup(options, ['node'])
    assert.equal((await take(first, all.length)).length, all.length)
    await closed(first)
    const second = new node.ConsumerGroup(options, ['node'])
    await once(second, 'rebalanced')
    const next = take(second, 1)
    await produce(node, broker)
    const [message] = await next
    await closed(second)
    assert.equal(message?.offset, all.length)
  })
}

compatTest({
  tool: 'kafka-node',
  install: async () => createRequire(await npmPackage(SPECIFIER))('kafka-node') as KafkaNode,
  version: () => SPECIFIER,
  steps,
})
