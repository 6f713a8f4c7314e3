/** Five clients that write and read the records of the matrix. */

/** Five clients that write and read the records of the matrix. */
import kafkajs from 'kafkajs'
import { connect } from '../../../src/client/index.ts'
import { repositoryRoot } from '../jars.ts'
import { java, javaSource } from '../java.ts'
import { run } from '../process.ts'
import { lineOf, type MatrixRecord } from './matrix-record.ts'

const TIMEOUT_MS = 120_000
const EVERY_CODEC = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

type Codec = (typeof EVERY_CODEC)[number]

/** A topic with one partition, and the codec of what is in it. */
export interface MatrixTopic {
  readonly name: string
  readonly codec: Codec
}

export interface MatrixClient {
  readonly name: string
  /** Those that it can write and read without other packages. */
  readonly codecs: readonly Codec[]
  /** The record, or what comes next to it of what this client can write. */
  readonly writable: (record: MatrixRecord) => MatrixRecord
  write(bootstrap: string, topics: readonly MatrixTopic[], records: readonly MatrixRecord[]): Promise<void>
  /** Lines of all records of these topics, by topic. */
  read(bootstrap: string, topics: readonly MatrixTopic[], count: number): Promise<Map<string, string[]>>
}

export function matrixClients(pythons: { readonly confluent: string; readonly kafkaPython: string }): MatrixClient[] {
  return [
    ours,
    foreign('java', (args, input) =>
      java(javaSource('CodecMatrix.java'), args, { input, jars: 'clients43', timeoutMs: TIMEOUT_MS }),
    ),
    foreign('librdkafka', python(pythons.confluent, 'codec_matrix_confluent.py')),
    kafkaPython(python(pythons.kafkaPython, 'codec_matrix_kafka_python.py')),
    viaKafkajs,
  ]
}

type Program = (args: readonly string[], input: string) => Promise<{ readonly stdout: string }>

const python =
  (interpreter: string, script: string): Program =>
  (args, input) =>
    run(interpreter, [`${repositoryRoot}test/compat/python/${script}`, ...args], { input, timeoutMs: TIMEOUT_MS })

function foreign(name: string, program: Program): MatrixClient {
  return {
    name,
    codecs: EVERY_CODEC,
    writable: record => record,
    write: async (bootstrap, topics, records) => {
      const pairs = topics.map(({ name: topic, codec }) => `${topic}=${codec}`)
      await program(['write', bootstrap, ...pairs], records.map(record => `${lineOf(record)}\n`).join(''))
    },
    read: async (bootstrap, topics) => {
      const { stdout } = await program(['read', bootstrap, ...topics.map(topic => topic.name)], '')
      const lines = new Map<string, string[]>(topics.map(topic => [topic.name, []]))
      for (const line of stdout.split('\n').filter(text => text !== '')) {
        const end = line.indexOf(' ')
        lines.get(line.slice(0, end))?.push(line.slice(end + 1))
      }
      return lines
    },
  }
}

/** Refuses null in a header, and records of null alone. */
const kafkaPython = (program: Program): MatrixClient => ({
  ...foreign('kafka-python', program),
  writable: record =>
    withoutNullHeaders(record.key === null && record.value === null ? { ...record, value: Buffer.alloc(0) } : record),
})

const withoutNullHeaders = (record: MatrixRecord): MatrixRecord => ({
  ...record,
  headers: record.headers.filter(({ value }) => value !== null),
})

const ours: MatrixClient = {
  name: 'ours',
  codecs: EVERY_CODEC,
  writable: record => record,
  write: async (bootstrap, topics, records) => {
    for (const { name, codec } of topics) {
      await using producer = connect(bootstrap).producer({ compressionType: codec })
      await producer.sendBatch(
        name,
        records.map(record => ({ ...record, partition: 0, headers: [...record.headers] })),
      )
    }
  },
  read: async (bootstrap, topics, count) => {
    const lines = new Map<string, string[]>()
    for (const { name } of topics) {
      await using consumer = connect(bootstrap).consumer()
      consumer.assign([{ topic: name, partition: 0, offset: 0 }])
      const ofTopic: string[] = []
      for await (const record of consumer) if (ofTopic.push(lineOf(record)) === count) break
      lines.set(name, ofTopic)
    }
    return lines
  },
}

const buffer = (bytes: Uint8Array | null): Buffer | null => bytes && Buffer.from(bytes)

/** Brings gzip, and nothing else. Headers of one name are one with several values to it, so they stay together. */
const viaKafkajs: MatrixClient = {
  name: 'kafkajs',
  codecs: ['none', 'gzip'],
  writable: withoutNullHeaders,
  write: async (bootstrap, topics, records) => {
    const producer = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING }).producer()
    await producer.connect()
    for (const { name, codec } of topics) {
      await producer.send({
        topic: name,
        compression: codec === 'gzip' ? kafkajs.CompressionTypes.GZIP : kafkajs.CompressionTypes.None,
        messages: records.map(({ timestamp, key, value, headers }) => ({
          partition: 0,
          timestamp: String(timestamp),
          key: buffer(key),
          value: buffer(value),
          headers: headersOf(headers),
        })),
      })
    }
    await producer.disconnect()
  },
  read: async (bootstrap, topics, count) => {
    const kafka = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING })
    const consumer = kafka.consumer({ groupId: `kafkajs-${topics.map(({ name }) => name).join('-')}` })
    await consumer.connect()
    await consumer.subscribe({ topics: topics.map(({ name }) => name), fromBeginning: true })
    const lines = new Map<string, string[]>(topics.map(({ name }) => [name, []]))
    await new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
      consumer
        .run({
          eachMessage: async ({ topic, message: { timestamp, key, value, headers = {} } }) => {
            const pairs = Object.entries(headers).flatMap(([name, values]) =>
              [values].flat().map(one => ({ key: name, value: one == null ? null : Buffer.from(one) })),
            )
            lines.get(topic)?.push(lineOf({ timestamp: Number(timestamp), key, value, headers: pairs }))
            if ([...lines.values()].every(({ length }) => length === count)) resolve()
          },
        })
        .catch(reject)
    })
    await consumer.disconnect()
    return lines
  },
}

function headersOf(headers: MatrixRecord['headers']): Record<string, Buffer[]> {
  const byName: Record<string, Buffer[]> = {}
  for (const { key, value } of headers) byName[key] = [...(byName[key] ?? []), Buffer.from(value ?? '')]
  return byName
}
