/**
 * When to commit decides what happens to a record whose work was cut short: `node dist/examples/manual-commit.js host:port`.
 * Committed before: at most once. Committed after: at least once.
 */
import { connect, json } from 'monedula'

interface Order {
  readonly id: number
}

const kafka = connect(process.argv[2] ?? '127.0.0.1:9092')
await using producer = kafka.producer({ value: json<Order>() })
await producer.sendBatch(
  'orders',
  Array.from({ length: 6 }, (_, id) => ({ value: { id } })),
)

for (const guarantee of ['at most once', 'at least once'] as const) {
  const settings = {
    groupId: guarantee,
    value: json<Order>(),
    autoOffsetReset: 'earliest',
    enableAutoCommit: false,
  } as const
  const worked: number[] = []
  for (const life of ['first', 'second']) {
    await using consumer = kafka.consumer(settings)
    consumer.subscribe('orders')
    for await (const record of consumer) {
      const { topic, partition, offset, value } = record
      const commit = () => consumer.commit([{ topic, partition, offset: offset + 1 }])
      if (guarantee === 'at most once') await commit()
      // The first life ends in the middle of order 3.
      if (life === 'first' && value?.id === 3) break
      worked.push(value!.id)
      if (guarantee === 'at least once') await commit()
      if (value?.id === 5) break
    }
  }
  console.log(`${guarantee}: worked on ${worked.join(' ')}`)
}
