/** What keeps a program alive, and what does not: each program runs in a process of its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../compat/process.ts'
import { fromRoot } from './broker-process.ts'

/** How the process ends when nothing keeps it alive any more, though it waits for something. */
const LEFT_ALONE = 13

/** Runs a program that has `connect` and `startCluster`; its exit code and what it printed. */
async function program(body: string): Promise<{ readonly code: number; readonly stdout: string }> {
  const source = `import { connect } from 'monedula'; import { startCluster } from 'monedula/testing'; ${body}`
  const options = { cwd: fromRoot('.'), expectedCodes: [0, LEFT_ALONE] }
  return run(process.execPath, ['--input-type=module', '--eval', source], options)
}

const waits = {
  'a loop': 'for await (const _ of consumer) {}',
  'a handler': 'await consumer.run(() => {})',
  batches: 'for await (const _ of consumer.batches()) {}',
}

for (const [name, wait] of Object.entries(waits)) {
  test(`a program that waits for records outlives its broker: ${name}`, async () => {
    const { code, stdout } = await program(`
      const cluster = await startCluster({ topics: ['orders'] })
      const consumer = connect(cluster.bootstrapServers).consumer({
        groupId: 'g',
        onAssigned: () => cluster.stop().then(() => setTimeout(ended, 1000).unref()),
      })
      const ended = () => { console.log('still waiting'); process.exit(0) }
      consumer.subscribe('orders')
      ${wait}`)
    assert.deepEqual([code, stdout], [0, 'still waiting\n'])
  })
}

test('a cluster that nobody stops keeps no process alive', async () => {
  const { code } = await program(`await startCluster({ topics: ['orders'] })`)
  assert.equal(code, 0)
})

test('a program ends when its clients are closed', async () => {
  const { code, stdout } = await program(`
    const cluster = await startCluster({ topics: ['orders'] })
    const kafka = connect(cluster.bootstrapServers)
    const producer = kafka.producer(), admin = kafka.admin()
    const consumer = kafka.consumer({ groupId: 'g', autoOffsetReset: 'earliest' })
    await producer.send('orders', { value: 'one' })
    consumer.subscribe('orders')
    for await (const { value } of consumer) { console.log(String(value)); break }
    await admin.listTopics()
    await Promise.all([producer.close(), consumer.close(), admin.close()])`)
  assert.deepEqual([code, stdout], [0, 'one\n'])
})
