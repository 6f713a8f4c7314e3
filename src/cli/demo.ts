import { connect, json } from '../client/index.ts'
import { sleep, systemClock } from '../platform/index.ts'
import { startCluster } from '../testing/index.ts'
import { ownCommand } from './own-command.ts'

const PAUSE_MS = 500
const FRUITS = ['apples', 'pears', 'plums', 'figs'] as const

interface Order {
  readonly item: string
  readonly count: number
}

/** `monedula demo`: a broker in memory, a producer and a consumer in this process, and the records that flow between them. */
export async function demo({ count }: { readonly count: number }): Promise<void> {
  await using cluster = await startCluster({ topics: { orders: 3 } })
  console.log(`A broker listens on ${cluster.bootstrapServers}, its data in memory. ${count} orders are published:`)
  const kafka = connect(cluster.bootstrapServers)
  await using producer = kafka.producer({ value: json<Order>() })
  await using consumer = kafka.consumer({ groupId: 'demo', autoOffsetReset: 'earliest', value: json<Order>() })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void consumer.close())
  process.stdout.once('error', () => void consumer.close())
  consumer.subscribe('orders')
  const published = publish(async (key, value) => void (await producer.send('orders', { key, value })), count)
  published.catch(() => consumer.close())
  let seen = 0
  for await (const { partition, offset, keyBytes, value } of consumer) {
    const key = Buffer.from(keyBytes ?? []).toString()
    console.log(`  orders-${partition} at ${offset}  ${key.padEnd(6)}  ${JSON.stringify(value)}`)
    if (++seen === count) break
  }
  if (seen < count) return
  await published
  console.log(`Run a broker that keeps its records with: ${ownCommand()} start`)
}

async function publish(send: (key: string, order: Order) => Promise<void>, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    if (index > 0) await sleep(systemClock, PAUSE_MS)
    await send(`user${index % 3}`, { item: FRUITS[index % FRUITS.length]!, count: index + 1 })
  }
}
