/** Log directories whose disk goes while a broker starts, when their logs were loaded already. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaServer } from '../../src/broker/index.ts'
import { MemoryDisk, nodeNetwork, silentLogger, systemClock, systemRandom } from '../../src/platform/index.ts'

test('a broker whose only directory fails when a log is to be made in it at the start halts', async () => {
  const disk = new MemoryDisk()
  let halts = 0
  const start = (): Promise<KafkaServer> =>
    KafkaServer.start({
      properties: new Map([
        ['broker.id', '0'],
        ['listeners', 'PLAINTEXT://127.0.0.1:0'],
        ['log.dirs', '/logs'],
      ]),
      disk,
      network: nodeNetwork,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      isVerbose: false,
      onHalt: () => halts++,
    })
  const server = await start()
  const topic = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  await server.services.controller.createTopics([topic])
  await server.stop()
  for (const name of disk.list('/logs/t-0')) disk.remove(`/logs/t-0/${name}`)
  disk.removeDirectory('/logs/t-0')
  disk.failNext({ operation: 'makeDirectory', path: path => path === '/logs/t-0' })
  const again = await start()
  const haltsOfStart = halts
  await again.stop()
  assert.equal(haltsOfStart, 1)
})
