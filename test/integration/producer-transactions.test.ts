/** What a transactional producer does when something goes wrong in the middle of a transaction. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, type Producer, type ProducerOptions } from '../../src/client/index.ts'
import { startCluster } from '../../src/testing/index.ts'

const refusals: readonly [string, (producer: Producer) => Promise<unknown>, ProducerOptions?][] = [
  ['by an aborted signal', producer => producer.send('orders', { value: 'no' }, { signal: AbortSignal.abort() })],
  [
    'with its batch by an aborted signal',
    producer => producer.sendBatch('orders', [{ value: 'no' }], { signal: AbortSignal.abort() }),
  ],
  ['because it came in no list', producer => producer.sendBatch('orders', 'no' as never)],
  [
    'by an interceptor',
    producer => producer.send('orders', { value: 'no' }),
    {
      interceptors: [
        {
          onSend(record) {
            if (record.value === 'no') throw new Error('not this one')
            return record
          },
        },
      ],
    },
  ],
]
for (const [how, send, options] of refusals) {
  test(`a transaction is not committed without a record that was refused ${how}`, async () => {
    await using cluster = await startCluster({ topics: ['orders'] })
    await using producer = connect(cluster.bootstrapServers).producer({ transactionalId: 'a', ...options })
    let refusal: Error | undefined
    const committed = producer.transaction(async () => {
      await producer.send('orders', { value: 'yes' })
      await send(producer).catch(error => {
        refusal = error
      })
    })
    await assert.rejects(committed, failure => failure instanceof Error && failure.message.includes(refusal!.message))
    await producer.transaction(() => producer.send('orders', { value: 'next' }))
  })
}
