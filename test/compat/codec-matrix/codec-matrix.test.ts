/** What any client writes with any codec, every other reads as it was. */
import assert from 'node:assert/strict'
import { connect } from '../../../src/client/index.ts'
import { KEPT } from '../../client-suite/suite.ts'
import { compatTest } from '../compat-test.ts'
import { jarVersion, kafkaJars } from '../jars.ts'
import { pythonWith } from '../tools.ts'
import { type MatrixTopic, matrixClients } from './matrix-clients.ts'
import { lineOf, matrixRecords } from './matrix-record.ts'

const PYTHON_CODECS = ['python-snappy==0.7.3', 'lz4==4.4.5', 'zstandard==0.25.0']

compatTest({
  tool: 'records of five clients',
  install: async () => {
    await kafkaJars()
    const confluent = await pythonWith('confluent-kafka', ['confluent-kafka==2.16.1'])
    const kafkaPython = await pythonWith('kafka-python-3.0.12', ['kafka-python==3.0.12', ...PYTHON_CODECS])
    return { confluent, kafkaPython }
  },
  version: ({ confluent, kafkaPython }) =>
    `kafka-clients ${jarVersion('clients43', 'kafka-clients')}, ${confluent.versions}, ${kafkaPython.versions}, kafkajs 2.2.4`,
  steps: async (context, { bootstrap }, { confluent, kafkaPython }) => {
    const clients = matrixClients({ confluent: confluent.python, kafkaPython: kafkaPython.python })
    const written: (MatrixTopic & { readonly lines: readonly string[] })[] = []
    await using admin = connect(bootstrap).admin()
    for (const client of clients) {
      await context.test(`${client.name} writes with ${client.codecs.join(', ')}`, async () => {
        const topics = client.codecs.map(codec => ({ name: `${client.name}-${codec}`, codec }))
        await admin.createTopics(topics.map(({ name }) => ({ name, configs: KEPT })))
        const records = matrixRecords().map(client.writable)
        await client.write(bootstrap, topics, records)
        written.push(...topics.map(topic => ({ ...topic, lines: records.map(lineOf) })))
      })
    }
    for (const client of clients) {
      await context.test(`${client.name} reads what all have written`, async () => {
        const topics = written.filter(({ codec }) => client.codecs.includes(codec))
        const read = await client.read(bootstrap, topics, matrixRecords().length)
        for (const { name, lines } of topics) {
          const seen = read.get(name) ?? []
          for (const [index, line] of lines.entries()) assert.equal(seen[index], line, `record ${index} of ${name}`)
          assert.equal(seen.length, lines.length, name)
        }
        assert.ok(topics.length >= 10)
      })
    }
  },
})
